"""Study directories as tidy data frames."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd
import yaml

from analysis.reading.events import EVENT_COLUMNS, read_milestones
from studies import format as files
from studies.finding import find_studies
from studies.paths import StudyPath, read_bytes

TEXT_COLUMNS = {
    "model", "task", "trial_id", "status", "error", "stage", "host", "confirms", "checkpoint",
    "event", "limit",
}  # fmt: skip
WHOLE_COLUMNS = {
    "T",
    "hidden_size",
    "curriculum_length",
    "seed",
    "parameters",
    "tokens",
    "tokens_to_solve",
    "trials",
    "iteration",
    "step",
    "max_length",
    "test_T",
    "payloads",
    "initial",
}
"""Numbers without a fraction. Every other column of the contract is a real number."""

EXACTLY: dict[str, Any] = (
    {"float_precision": "round_trip"} if pd.__version__.startswith("2.") else {}
)
"""Argument of read_csv: before pandas 3 it is off by the last digit otherwise."""


class ProblemError(Exception):
    """A file of a study is not as the contract has it; names the file."""


class Studies(NamedTuple):
    """What several study directories hold. ``study`` is the first column of every frame.

    Attributes:
        studies: one row a study: study (its name), path, model, task, problem, warning.
            ``problem`` says why a study cannot be read and is empty otherwise; a study with a
            problem has no rows in the other frames but lengths, and model and task only if
            study.yaml has them. ``warning`` says what else of it is left out.
        lengths: one row a (study, T) that is configured or has trials.
        trials, progress, best, confirmations, generalization: columns and units as in
            :mod:`studies.format`; numbers are float64, or Int64 if whole.
        events: what began and ended when, see :func:`analysis.reading.events.read_milestones`.
        configs: study -> the section ``config`` of its study.yaml.
    """

    studies: pd.DataFrame
    lengths: pd.DataFrame
    trials: pd.DataFrame
    progress: pd.DataFrame
    best: pd.DataFrame
    confirmations: pd.DataFrame
    generalization: pd.DataFrame
    events: pd.DataFrame
    configs: dict[str, dict[str, Any]]

    def warnings(self) -> list[str]:
        """One line for each study of which something is left out: its path and what."""
        told = self.studies[self.studies["warning"] != ""]
        return [f"{path}: {warning}" for path, warning in told[["path", "warning"]].values]


class _Tables(NamedTuple):
    trials: pd.DataFrame
    progress: pd.DataFrame
    best: pd.DataFrame
    confirmations: pd.DataFrame
    generalization: pd.DataFrame
    events: pd.DataFrame


_COLUMNS: tuple[Sequence[str], ...] = (
    files.TRIALS_COLUMNS,
    files.PROGRESS_COLUMNS,
    files.BEST_COLUMNS,
    files.CONFIRM_COLUMNS,
    files.GENERALIZATION_COLUMNS,
    EVENT_COLUMNS,
)
"""Of each field of :class:`_Tables`."""


def load_studies(paths: str | StudyPath | Iterable[str | StudyPath]) -> Studies:
    """Read the studies in ``paths``: one path or several, each a study or a folder of studies.

    A study that cannot be read is kept, with its problem. Names are those of
    :func:`studies.finding.find_studies`.

    Raises:
        InputError: a path does not exist, or holds no study.
    """
    several = [paths] if isinstance(paths, str | StudyPath) else paths
    studies, lengths, tables = [], [], []
    configs = {}
    for folder, name in find_studies(several).items():
        config, problem, warning = None, "", ""
        try:
            config = _read_config(folder / files.STUDY_FILE)
            read, warning = _read_tables(folder)
        except ProblemError as error:
            problem = str(error)
        else:
            tables.append(_Tables(*(_with_study(frame, name) for frame in read)))
        studies.append(
            {
                "study": name,
                "path": str(folder),
                "model": files.model_label(str(config["model"])) if config else None,
                "task": str(config["task"]) if config else None,
                "problem": problem,
                "warning": warning,
            }
        )
        if config:
            configs[name] = config
            lengths.append(pd.DataFrame({"study": name, "T": pd.array(config["T"], dtype="Int64")}))
    stacked = _Tables(
        *(
            _stack([read[index] for read in tables], columns)
            for index, columns in enumerate(_COLUMNS)
        )
    )
    # A study that was resumed with other T keeps the results of the earlier ones.
    lengths += [frame[["study", "T"]] for frame in (stacked.trials, stacked.best)]
    return Studies(
        studies=pd.DataFrame(studies),
        lengths=_stack(lengths, ("T",)).drop_duplicates(ignore_index=True),
        **stacked._asdict(),
        configs=configs,
    )


def _read_config(path: StudyPath) -> dict[str, Any]:
    try:
        document = yaml.safe_load(read_bytes(path).decode())
    except FileNotFoundError:
        raise ProblemError(f"{path.name} is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(f"{path.name} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        # Of a long message over many lines, what is wrong and where.
        problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: {problem}" if mark else _one_line(error)
        raise ProblemError(f"{path.name} is not YAML: {where}") from None
    if not isinstance(document, dict):
        raise ProblemError(f"{path.name} has no keys")
    version = _key(path, document, "schema_version")
    if version != files.SCHEMA_VERSION:
        raise ProblemError(
            f"{path.name} has schema version {version}; this program reads {files.SCHEMA_VERSION}"
        )
    config = _key(path, document, "config")
    if not isinstance(config, dict):
        raise ProblemError(f"{path.name}: config has no keys")
    config = files.recorded_values(config)
    _, _, lengths = (_key(path, config, name) for name in ("model", "task", "T"))
    for section in ("search", "space"):
        if not isinstance(config.setdefault(section, {}), dict):
            raise ProblemError(f"{path.name}: {section} has no keys")
    valid = isinstance(lengths, list) and all(isinstance(T, int) and T >= 1 for T in lengths)
    if not valid or not lengths:
        raise ProblemError(f"{path.name}: T must be a list of lengths >= 1, but is {lengths!r}")
    return config


def _key(path: StudyPath, mapping: dict[str, Any], name: str) -> Any:
    if name not in mapping:
        raise ProblemError(f"{path.name} lacks the key {name}")
    return mapping[name]


def _read_tables(folder: StudyPath) -> tuple[_Tables, str]:
    """The tables of a study, and what else of it is left out, or does not fit together."""
    trials = _read_table(folder / files.TRIALS_FILE, files.TRIALS_COLUMNS)
    unknown = set(trials["status"]) - set(files.STATUSES)
    if unknown:
        raise ProblemError(f"{files.TRIALS_FILE}: unknown status {unknown.pop()!r}")
    progress = _read_table(folder / files.PROGRESS_FILE, files.PROGRESS_COLUMNS)
    warnings = [_lacking_evaluations(trials, progress)]
    milestones: list[dict[str, Any]] = []
    try:
        milestones = read_milestones(folder)
    except FileNotFoundError:
        pass  # made before there was such a file
    except (OSError, ValueError) as error:
        warnings.append(f"what happened when is not known: {_one_line(error)}")
    events = pd.DataFrame(milestones, columns=list(EVENT_COLUMNS))
    generalization = pd.DataFrame({name: _empty(name) for name in files.GENERALIZATION_COLUMNS})
    try:
        generalization = _read_table(
            folder / files.GENERALIZATION_FILE, files.GENERALIZATION_COLUMNS, optional=True
        )
    except ProblemError as error:
        warnings.append(f"{error}; make it again by python -m search.generalize")
    tables = _Tables(
        trials=trials,
        progress=progress,
        best=_read_table(folder / files.BEST_FILE, files.BEST_COLUMNS),
        confirmations=_read_table(
            folder / files.CONFIRM_FILE, files.CONFIRM_COLUMNS, optional=True
        ),
        generalization=generalization,
        events=events.astype({name: _empty(name).dtype for name in EVENT_COLUMNS}),
    )
    return tables, "; ".join(filter(None, warnings))


def _lacking_evaluations(trials: pd.DataFrame, progress: pd.DataFrame) -> str:
    """A warning if the curves of trials that have ended stop before the trials do."""
    ended = trials[trials["status"] != files.INTERRUPTED].set_index("trial_id")["tokens"].dropna()
    last = progress.groupby("trial_id")["tokens"].max().reindex(ended.index).fillna(0)
    lacking = int((last < ended).sum())
    if not lacking:
        return ""
    return f"{files.PROGRESS_FILE} lacks evaluations of {lacking} of {len(ended)} ended trials"


def _read_table(path: StudyPath, columns: Sequence[str], optional: bool = False) -> pd.DataFrame:
    """A CSV file with at least these columns; further ones are kept. No rows if it is optional
    and not there."""
    if optional and not path.exists():
        return pd.DataFrame({name: _empty(name) for name in columns})
    numbers = dict.fromkeys((name for name in columns if name not in TEXT_COLUMNS), "float64")
    try:
        try:
            frame = _read_csv(path, defaultdict(lambda: "str", numbers))
        except ValueError:  # a bad cell, which is named below, where reading takes longer
            frame = _read_csv(path, str)
    except FileNotFoundError:
        raise ProblemError(f"{path.name} is missing") from None
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise ProblemError(f"{path.name} cannot be read: {_one_line(error)}") from None
    if "stage" in columns:  # a trial made before there was a choice has none
        frame["stage"] = frame["stage"].fillna(files.SEARCH) if "stage" in frame else files.SEARCH
    for name in set(files.PLACE_COLUMNS) & set(columns) - set(frame):  # nor does it say where
        frame[name] = pd.Series(index=frame.index, dtype="object")
    lacking = [name for name in columns if name not in frame]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise ProblemError(f"{path.name} lacks the column {lacking[0]}{more}")
    for name in frame.columns:
        if name not in TEXT_COLUMNS:
            frame[name] = _numbers(path, frame[name], name, required=name in columns)
    for name in ("T", "trial_id", "status"):
        if name in columns and frame[name].isna().any():
            raise ProblemError(f"{path.name}: a row has no {name}")
    return frame


def _read_csv(path: StudyPath, dtype: Any) -> pd.DataFrame:
    """Only an empty cell means "no value": a user's cell may well be called NA."""
    frame: pd.DataFrame = pd.read_csv(
        io.BytesIO(read_bytes(path)), dtype=dtype, keep_default_na=False, na_values=[""], **EXACTLY
    )
    return frame


def _numbers(path: StudyPath, cells: pd.Series, name: str, required: bool) -> pd.Series:
    try:
        # Not pd.to_numeric, which before pandas 3 is off by the last digit.
        numbers = cells.astype("float64")
        return numbers.astype("Int64" if name in WHOLE_COLUMNS else "float64")
    except (ValueError, TypeError) as error:
        if not required:  # a searched hyperparameter may be a word
            return cells
        raise ProblemError(f"{path.name}: column {name}: {_one_line(error)}") from None


def _with_study(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    frame.insert(0, "study", name)
    if "model" in frame:
        frame["model"] = frame["model"].map(files.model_label, na_action="ignore")
    return frame


def _stack(frames: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The frames below each other; typed as they are if there is no row at all."""
    filled = [frame for frame in frames if not frame.empty]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return pd.DataFrame({name: _empty(name) for name in ("study", *columns)})


def _empty(name: str) -> pd.Series:
    if name == "study" or name in TEXT_COLUMNS:
        return pd.Series(dtype=object)
    return pd.Series(dtype="Int64" if name in WHOLE_COLUMNS else "float64")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
