"""Study directories as tidy data frames."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from analysis.reading.csv_tables import empty_frame, frame_type, read_table
from analysis.reading.events import EVENT_COLUMNS, read_milestones
from analysis.reading.problems import ProblemError, one_line
from analysis.reading.study_yaml import read_config
from studies import format as files
from studies.columns import BEST, CONFIRM, GENERALIZATION, PROGRESS, REACH, TRIALS, Column, T, text
from studies.finding import find_studies
from studies.paths import StudyPath
from studies.reserved import RESERVED

STUDY = text("study", "name of the study directory")


class Studies(NamedTuple):
    """What several study directories hold. ``study`` is the first column of every frame.

    Attributes:
        studies: one row a study: study (its name), path, model, task, problem, warning.
            ``problem`` says why a study cannot be read, and is empty otherwise. A study with a
            problem has no rows in the other frames but lengths, and has model and task only if
            study.yaml names them. ``warning`` says what else of it is left out.
        lengths: one row a (study, T) that is configured or has trials.
        trials, progress, best, confirmations, reach, generalization: the tables of
            :mod:`studies.columns`; numbers are float64, or Int64 if whole.
        events: what began and ended, and when: see :func:`analysis.reading.events.read_milestones`.
        configs: study -> the section ``config`` of its study.yaml.
        chances: study -> the accuracy of guessing in its task.
    """

    studies: pd.DataFrame
    lengths: pd.DataFrame
    trials: pd.DataFrame
    progress: pd.DataFrame
    best: pd.DataFrame
    confirmations: pd.DataFrame
    reach: pd.DataFrame
    generalization: pd.DataFrame
    events: pd.DataFrame
    configs: dict[str, dict[str, Any]]
    chances: dict[str, float]

    def warnings(self) -> list[str]:
        """One line for each study of which something is left out: its path and what."""
        told = self.studies[self.studies["warning"] != ""]
        return [f"{path}: {warning}" for path, warning in told[["path", "warning"]].values]


class _Tables(NamedTuple):
    trials: pd.DataFrame
    progress: pd.DataFrame
    best: pd.DataFrame
    confirmations: pd.DataFrame
    reach: pd.DataFrame
    generalization: pd.DataFrame
    events: pd.DataFrame


_COLUMNS: tuple[tuple[Column, ...], ...] = (
    TRIALS.columns,
    PROGRESS.columns,
    BEST.columns,
    CONFIRM.columns,
    REACH.columns,
    GENERALIZATION.columns,
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
    configs, chances = {}, {}
    for folder, name in find_studies(several).items():
        config, problem, warning = None, "", ""
        try:
            config, chances[name] = read_config(folder / files.STUDY_FILE)
            read, warnings = _read_tables(folder)
            warning = "; ".join([*warnings, *_hidden(config["space"])])
        except ProblemError as error:
            problem = str(error)
        else:
            tables.append(_Tables(*(_with_study(frame, name) for frame in read)))
        studies.append(
            {
                "study": name,
                "path": str(folder),
                "model": files.model_label(str(config["model"])) if config else None,
                "task": files.model_label(str(config["task"])) if config else None,
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
        lengths=_stack(lengths, (T,)).drop_duplicates(ignore_index=True),
        **stacked._asdict(),
        configs=configs,
        chances=chances,
    )


def _read_tables(study: StudyPath) -> tuple[_Tables, list[str]]:
    """The tables of a study, and warnings of what else of it is left out or does not fit."""
    trials = read_table(study, TRIALS)
    unknown = set(trials["status"]) - set(files.STATUSES)
    if unknown:
        raise ProblemError(f"{files.TRIALS_FILE}: unknown status {unknown.pop()!r}")
    progress = read_table(study, PROGRESS)
    warnings = _lacking_evaluations(trials, progress)
    milestones: list[dict[str, Any]] = []
    try:
        milestones = read_milestones(study)
    except FileNotFoundError:
        pass  # made before there was such a file
    except (OSError, ValueError) as error:
        warnings.append(f"what happened when is not known: {one_line(error)}")
    events = pd.DataFrame(milestones, columns=[column.name for column in EVENT_COLUMNS])
    generalization = empty_frame(GENERALIZATION.columns)
    try:
        generalization = read_table(study, GENERALIZATION, optional=True)
    except ProblemError as error:
        warnings.append(f"{error}; make it again by python -m search.generalize")
    tables = _Tables(
        trials=trials,
        progress=progress,
        best=read_table(study, BEST),
        confirmations=read_table(study, CONFIRM, optional=True),
        reach=read_table(study, REACH, optional=True),
        generalization=generalization,
        events=events.astype({column.name: frame_type(column) for column in EVENT_COLUMNS}),
    )
    return tables, warnings


def _hidden(space: Mapping[str, Any]) -> list[str]:
    """A warning for each hyperparameter of an early study whose column has another meaning."""
    return [
        f"the hyperparameter {name} is not shown: the tables have another column of that name"
        for name, dimension in space.items()
        if isinstance(dimension, Mapping) and name in RESERVED
    ]


def _lacking_evaluations(trials: pd.DataFrame, progress: pd.DataFrame) -> list[str]:
    """A warning if the curves of trials that have ended stop before the trials do."""
    ended = trials[trials["status"] != files.INTERRUPTED].set_index("trial_id")["tokens"].dropna()
    last = progress.groupby("trial_id")["tokens"].max().reindex(ended.index).fillna(0)
    lacking = int((last < ended).sum())
    if not lacking:
        return []
    return [f"{files.PROGRESS_FILE} lacks evaluations of {lacking} of {len(ended)} ended trials"]


def _with_study(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    frame.insert(0, "study", name)
    for name in {"model", "task"} & set(frame):
        frame[name] = frame[name].map(files.model_label, na_action="ignore")
    return frame


def _stack(frames: list[pd.DataFrame], columns: tuple[Column, ...]) -> pd.DataFrame:
    """The frames below each other; with the right types also if there is no row at all."""
    filled = [frame for frame in frames if not frame.empty]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return empty_frame((STUDY, *columns))
