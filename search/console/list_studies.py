"""Lists all studies of a storage in one table: ``python -m search.run --list``."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from search.console.tables import plain_table
from search.errors import UserError
from search.study.overview import (
    BROKEN,
    FINISHED,
    INTERRUPTED,
    RUNNING,
    Overview,
    find_studies,
    look,
)
from studies.finding import make_a_study
from studies.format import model_label
from studies.paths import StudyPath

STATE_STYLES = {RUNNING: "cyan", FINISHED: "green", INTERRUPTED: "yellow", BROKEN: "red"}

CELL = 5
"""Width of an accuracy in the terminal, with the gap beside it."""


class Broken(NamedTuple):
    """A study that cannot be read, and why."""

    path: StudyPath
    reason: str


def found_in(storage: StudyPath) -> list[Overview | Broken]:
    """The studies in the storage, the newest last, and after them those that cannot be read.

    Raises:
        UserError: there is no such storage, or it cannot be read.
    """
    studies: list[Overview] = []
    broken: list[Broken] = []
    for path in find_studies(storage):
        try:
            studies.append(look(path))
        except UserError as error:
            broken.append(Broken(path, str(error)))
    studies.sort(key=lambda study: str(study.provenance.get("created", "")))
    return [*studies, *broken]


def print_list(found: Sequence[Overview | Broken], storage: StudyPath, console: Console) -> None:
    """Print a line for each of these studies in the storage."""
    studies = [study for study in found if isinstance(study, Overview)]
    broken = [study for study in found if isinstance(study, Broken)]
    if not found:
        console.print(f"no study in {storage}; {make_a_study(storage)}", soft_wrap=True)
        return
    print_table(studies, broken, console)
    for entry in broken:
        console.print(f"{entry.path.name} is broken: {entry.reason}", soft_wrap=True)


def print_table(studies: Sequence[Overview], broken: Sequence[Broken], console: Console) -> None:
    """Print the table, fitted to the width of the console."""
    fixed = [
        (
            study.path.name,
            model_label(study.history.config.model),
            model_label(study.history.config.task),
            f"{sum(map(study.is_done, study.history.lengths))}/{len(study.history.lengths)}",
            study.state,
            made(study),
        )
        for study in studies
    ] + [(entry.path.name, "", "", "", BROKEN, "") for entry in broken]
    longest = [max(len(row[k]) for row in fixed) for k in range(6)]
    taken = sum(longest[2:]) + sum(min(18, length) for length in longest[:2]) + 7
    lengths = sorted({T for study in studies for T in study.history.lengths})
    shown = lengths[-max(1, (console.width - taken) // CELL) :]
    table = plain_table(
        "", "study", "model", "task", "T", "state", *map(str, shown), "made",
        left=("study", "model", "task", "state", "made"),
    )  # fmt: skip
    table.title = None
    for name in (0, 1):
        table.columns[name].no_wrap, table.columns[name].overflow = False, "fold"
    for index, row in enumerate(fixed):
        best = [best_so_far(studies[index], T) if index < len(studies) else Text() for T in shown]
        *head, state, date = row
        table.add_row(*map(Text, head), Text(state, STATE_STYLES[state]), *best, date)
    console.print(table)
    console.print("T: done of all. Below each T: test accuracy of its best, ~ validation so far.")
    if lengths != shown:
        hidden = ", ".join(str(T) for T in lengths if T not in shown)
        console.print(f"No room for T = {hidden}: see --show NAME.", soft_wrap=True)


def best_so_far(study: Overview, T: int) -> Text:
    """The accuracy of the best trial at T in four characters."""
    history = study.history
    if best := history.best.get(T):
        return Text(short(best.accuracy))
    if ranked := history.ranked(T):
        return Text(f"~{short(ranked[0].validation_accuracy or 0.0)[:3]}", "dim")
    return Text("")


def short(accuracy: float) -> str:
    """Format a share in four characters, such as .997; 1.00 only if it rounds to 1.000."""
    return "1.00" if accuracy >= 0.9995 else f"{accuracy:.3f}"[1:]


def created(study: Overview) -> datetime | None:
    """When a study was made; None if it does not tell."""
    try:
        return datetime.fromisoformat(str(study.provenance.get("created"))).astimezone()
    except (ValueError, OverflowError):
        return None


def made(study: Overview) -> str:
    """Format when a study was made, as ls -l does."""
    time = created(study)
    if time is None:
        return ""
    now = datetime.now().astimezone()
    if time.date() == now.date():
        return f"{time:%H:%M}"
    return f"{time:%b} {time.day}" if time.year == now.year else f"{time:%b %Y}"
