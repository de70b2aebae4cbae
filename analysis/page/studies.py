"""What the page says of each study: trials, curves, how to make it again, its files."""

import base64
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

import study_format as files
from analysis.page.curves import Panel, panels
from analysis.page.findings import Effort, Row
from analysis.page.table import Column, trial_columns
from analysis.page.words import duration
from analysis.provenance import Provenance
from analysis.study_data import Studies
from analysis.tables import STATUS_COLUMNS, records

CURVES_IN_ALL = 2000
TRIALS_IN_ALL = 1200
FILES_IN_ALL = 700_000  # bytes
"""What a page holds at most of all studies together, so that it stays below 5 MB."""

DATA_FILES = (files.BEST_FILE, files.CONFIRM_FILE, files.TRIALS_FILE, files.PROGRESS_FILE)


class Download(NamedTuple):
    """A file that the page holds: its name and its content as a data URI."""

    name: str
    uri: str


class StudyPart(NamedTuple):
    """One study on the page.

    Attributes:
        label, model, task, study, path: as in the comparison.
        facts: (term, value) of its making.
        best: rows of the comparison that have a best trial.
        replays: (trial, command) of each of them.
        command: what searches again, beside ``config``.
        config: the configuration that the command reads.
        columns, trials: of the table of trials, best first at each T.
        trials_left_out: how many more there are.
        panels: learning curves.
        downloads: files of the study that the page holds.
        not_held: those that it does not.
    """

    label: str
    model: str
    task: str
    study: str
    path: str
    facts: list[tuple[str, str]]
    best: list[Row]
    replays: list[tuple[str, str]]
    command: str
    config: Download
    columns: list[Column]
    trials: list[Row]
    trials_left_out: int
    panels: list[Panel]
    downloads: list[Download]
    not_held: list[str]


def study_parts(
    studies: Studies, comparison: Sequence[Row], provenances: Mapping[str, Provenance]
) -> list[StudyPart]:
    """The studies that can be read, in the order of the comparison."""
    readable = studies.studies[studies.studies["problem"] == ""]
    lengths = max(1, int(studies.lengths["study"].isin(readable["study"]).sum()))
    trials = dict(list(_ranked(studies).groupby("study")))
    progress = dict(list(studies.progress.groupby("study")))
    held = _held_files([Path(path) for path in readable["path"]])
    parts = []
    for row in readable.sort_values(["task", "model", "study"]).itertuples():
        rows = [entry for entry in comparison if entry["study"] == row.study]
        of = trials.get(row.study, _ranked(studies).iloc[:0])
        listed = records(of.groupby("T").head(max(3, TRIALS_IN_ALL // lengths)))
        best = [entry for entry in rows if entry["trial_id"] is not None]
        present = [name for name in DATA_FILES if (Path(row.path) / name).is_file()]
        parts.append(
            StudyPart(
                label=rows[0]["label"],
                model=row.model,
                task=row.task,
                study=row.study,
                path=row.path,
                facts=_facts(rows, of, provenances[row.study]),
                best=best,
                replays=[
                    (entry["trial_id"], replay(row.path, entry["trial_id"])) for entry in best
                ],
                command=_command(row.study),
                config=_config(row.study, provenances[row.study]),
                columns=trial_columns(listed),
                trials=listed,
                trials_left_out=len(of) - len(listed),
                panels=panels(
                    of[of["stage"] == files.SEARCH],
                    progress.get(row.study, studies.progress.iloc[:0]),
                    max(3, min(60, CURVES_IN_ALL // lengths)),
                ),
                downloads=[
                    Download(f"{Path(row.study).name}-{name}", csv_uri(held[Path(row.path) / name]))
                    for name in present
                    if Path(row.path) / name in held
                ],
                not_held=[name for name in present if Path(row.path) / name not in held],
            )
        )
    return parts


def efforts(studies: Studies, provenances: Mapping[str, Provenance]) -> dict[str, Effort]:
    """Study -> on which machine, and how long, the trials of its search were trained."""
    searched = studies.trials[studies.trials["stage"] == files.SEARCH]
    seconds = searched.groupby("study")["seconds"].sum()
    return {
        study: Effort(provenance.machine, float(seconds.get(study, 0.0)))
        for study, provenance in provenances.items()
    }


def replay(path: str, trial_id: str) -> str:
    """The command that trains a trial again and compares each number with its record."""
    return f"python -m search.run --replay {shlex.quote(path)} {shlex.quote(trial_id)}"


def csv_uri(content: bytes, kind: str = "text/csv") -> str:
    """A file as a data URI."""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(content).decode()}"


def _ranked(studies: Studies) -> pd.DataFrame:
    """All trials, best first at each T, with the column best: whether it is in best.csv."""
    chosen = studies.best[["study", "T", "trial_id"]].assign(best=True)
    trials = studies.trials.merge(chosen, on=["study", "T", "trial_id"], how="left")
    trials["best"] = trials["best"].eq(True)
    return trials.sort_values(
        ["study", "T", "best", "validation_accuracy", "tokens_to_solve"],
        ascending=[True, True, False, False, True],
    )


def _facts(
    rows: Sequence[Row], trials: pd.DataFrame, provenance: Provenance
) -> list[tuple[str, str]]:
    counts = {
        status.replace("_", " "): sum(row[column] for row in rows)
        for status, column in STATUS_COLUMNS.items()
    }
    ended = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    made = provenance.made
    seconds = float(trials["seconds"].sum())
    facts = [
        ("Trials of the search", f"{sum(counts.values())} ({ended})" if ended else "none yet"),
        ("Training in all", duration(seconds)),
        ("Made", str(made.get("created", "not recorded"))),
        ("Machine", provenance.machine),
        ("System", str(made.get("platform", "not recorded"))),
        ("Seed", str(made.get("seed", "not recorded"))),
        ("Versions", ", ".join(map(" ".join, provenance.versions)) or "not recorded"),
    ]
    return facts


def _command(study: str) -> str:
    name = Path(study).name
    config, again = shlex.quote(f"{name}.yaml"), shlex.quote(f"{name}-again")
    return f"python -m search.run --config {config} --name {again}"


def _config(study: str, provenance: Provenance) -> Download:
    text = yaml.safe_dump(provenance.config, sort_keys=False)
    return Download(f"{Path(study).name}.yaml", csv_uri(text.encode(), "application/yaml"))


def _held_files(folders: Sequence[Path]) -> dict[Path, bytes]:
    """The content of the studies' files, the smallest first, until the page has enough."""
    sizes = {
        folder / name: (folder / name).stat().st_size
        for folder in folders
        for name in DATA_FILES
        if (folder / name).is_file()
    }
    held: dict[Path, bytes] = {}
    total = 0
    for path in sorted(sizes, key=lambda path: (sizes[path], path)):
        total += sizes[path]
        if total > FILES_IN_ALL:
            break
        held[path] = path.read_bytes()
    return held
