"""What the page shows of each study: trials, commands to reproduce it, its files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from analysis.phrases import duration, short_enumeration
from analysis.reading.studies import Studies
from analysis.reading.study_yaml import Provenance
from analysis.report.cells import PrintedColumn, Row
from analysis.report.page.columns import trial_columns
from analysis.report.page.commands import replay, search_again
from analysis.report.page.downloads import Candidate, Download, download, held
from analysis.report.page.trials import ranked_trials
from analysis.report.verdict.results import Effort
from analysis.tables.comparison import STATUS_COLUMNS, searched_hyperparameters
from analysis.tables.costs import whole_searches
from analysis.tables.records import records
from studies import format as files
from studies.paths import StudyPath, open_path

TRIALS_IN_ALL = 1000
FILES_IN_ALL = 400_000  # characters
"""The most that a page holds of all studies together, so that it stays below 5 MB."""

DATA_FILES = (
    files.BEST_FILE,
    files.CONFIRM_FILE,
    files.REACH_FILE,
    files.GENERALIZATION_FILE,
    files.TRIALS_FILE,
    files.PROGRESS_FILE,
)


class StudyPart(NamedTuple):
    """One study on the page.

    Attributes:
        label, task, path: as in the comparison.
        facts: (term, value): when, where and with what the study was made.
        best: rows of the comparison that have a best trial, with the command that trains it.
        command: what searches again, beside ``config``.
        config: the configuration that the command reads.
        columns, trials: of the table of trials, best first at each T.
        trials_left_out: number of trials that are not in the table.
        downloads: files of the study that the page holds.
        not_held: files that the page does not hold.
    """

    label: str
    task: str
    path: str
    facts: list[tuple[str, str]]
    best: list[tuple[Row, str]]
    command: str
    config: Download
    columns: list[PrintedColumn]
    trials: list[Row]
    trials_left_out: int
    downloads: list[Download]
    not_held: list[str]


def study_parts(
    studies: Studies, comparison: Sequence[Row], provenances: Mapping[str, Provenance]
) -> list[StudyPart]:
    """The studies that can be read, by task, and as they were named.

    Args:
        studies: of :func:`analysis.reading.studies.load_studies`.
        comparison: rows of :func:`analysis.tables.comparison.compare_studies`.
        provenances: study -> its provenance; of each that can be read.
    """
    readable = studies.studies[studies.studies["problem"] == ""]
    lengths = max(1, int(studies.lengths["study"].isin(readable["study"]).sum()))
    trials = ranked_trials(studies)
    by_study = trials.groupby("study").groups
    files_held = _held_files([open_path(path) for path in readable["path"]])
    return [
        _part(
            [entry for entry in comparison if entry["study"] == row["study"]],
            trials.loc[by_study.get(row["study"], [])],
            studies.configs[row["study"]],
            provenances[row["study"]],
            files_held,
            lengths,
        )
        for row in records(readable.sort_values("task", kind="stable"))
    ]


def _part(
    rows: list[Row],
    trials: pd.DataFrame,
    config: dict[str, Any],
    provenance: Provenance,
    files_held: Mapping[str, Download],
    lengths: int,
) -> StudyPart:
    """One study: its rows of the comparison, and its trials, best first at each T.

    ``lengths`` is the number of (study, T) that share the page.
    """
    study, path = rows[0]["study"], rows[0]["path"]
    folder, name = open_path(path), Path(study).name
    listed = records(trials.groupby("T").head(max(3, TRIALS_IN_ALL // lengths)))
    best = [row for row in rows if row["trial_id"] is not None]
    paths = [str(file) for file in (folder / name for name in DATA_FILES) if has_rows(file)]
    return StudyPart(
        label=rows[0]["label"],
        task=rows[0]["task"],
        path=path,
        facts=_facts(rows, trials, config, provenance),
        best=[(row, replay(path, row["trial_id"], config)) for row in best],
        command=search_again(name),
        config=config_download(name, config),
        columns=trial_columns(listed, searched_hyperparameters([config])),
        trials=listed,
        trials_left_out=len(trials) - len(listed),
        downloads=[files_held[path] for path in paths if path in files_held],
        not_held=[Path(path).name for path in paths if path not in files_held],
    )


def efforts(studies: Studies, provenances: Mapping[str, Provenance]) -> dict[str, Effort]:
    """Study -> its machines, and what the trials of its search took there."""
    spent = {row["study"]: row for row in records(whole_searches(studies))}
    finals = studies.best[studies.best["stage"] == files.FINAL].groupby("study")["T"]
    lengths = finals.apply(frozenset)
    found = {}
    for study, provenance in provenances.items():
        row = spent.get(study, {})
        found[study] = Effort(
            _machines(studies.trials.loc[studies.trials["study"] == study, "host"], provenance),
            row.get("wall_seconds"),
            row.get("search_tokens", 0),
            row.get("search_trials", 0),
            lengths.get(study, frozenset()),
        )
    return found


def _machines(hosts: pd.Series, provenance: Provenance) -> list[str]:
    """Where trials were trained, in words: a cluster's head, which is recorded, trains none.

    Args:
        hosts: of the trials. Early versions did not record them.
    """
    recorded = provenance.made.get("host")
    names = [
        provenance.machine if host == recorded else f"host {host}"
        for host in sorted(hosts.dropna().unique())
    ]
    return names or [provenance.machine]


def _facts(
    rows: Sequence[Row], trials: pd.DataFrame, config: dict[str, Any], provenance: Provenance
) -> list[tuple[str, str]]:
    counts = {
        status.replace("_", " "): sum(row[column] for row in rows)
        for status, column in STATUS_COLUMNS.items()
    }
    ended = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    made = provenance.made
    seconds = float(trials["seconds"].sum())
    return [
        ("Trials of the search", f"{sum(counts.values())} ({ended})" if ended else "none yet"),
        ("Training in all", duration(seconds)),
        ("Made", str(made.get("created", "not recorded"))),
        ("Machine", short_enumeration(_machines(trials["host"], provenance))),
        ("Precision of products", _precision(config)),
        ("System", str(made.get("platform", "not recorded"))),
        ("Seed", str(made.get("seed", "not recorded"))),
        ("Versions", ", ".join(map(" ".join, provenance.versions)) or "not recorded"),
    ]


def _precision(config: dict[str, Any]) -> str:
    """The precision that ``auto`` chose, or that the configuration names."""
    if "precision" in config["space"]:
        return "searched"
    training = config.get("training")
    return str(training.get("precision", "not recorded") if isinstance(training, dict) else "")


def config_download(name: str, config: dict[str, Any]) -> Download:
    """The configuration of a study as a file for ``--config``."""
    return download(f"{name}.yaml", yaml.safe_dump(config, sort_keys=False).encode())


def has_rows(path: StudyPath) -> bool:
    """Whether there is such a CSV file, with more than its header."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return bool(file.readline() and file.readline())


def _held_files(folders: Sequence[StudyPath]) -> dict[str, Download]:
    """Path -> download, for the files of the studies that fit on the page."""
    paths = [folder / name for folder in folders for name in DATA_FILES]
    return held(
        {
            str(path): Candidate(
                f"{path.parent.resolve().name}-{path.name}", path.stat().st_size, path.read_bytes
            )
            for path in paths
            if has_rows(path)
        },
        FILES_IN_ALL,
    )
