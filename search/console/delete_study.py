"""Asks, and deletes a study: ``python -m search.run --delete NAME``."""

import sys

from rich.console import Console

from search.console.formats import clock
from search.errors import UserError
from search.study.deletion import delete_study
from search.study.overview import RUNNING, look
from studies.format import model_label
from studies.paths import StudyPath
from studies.wording import counted


def ask_and_delete(path: StudyPath, console: Console, yes: bool) -> None:
    """Show what is deleted, ask, and delete it.

    Args:
        yes: do not ask.

    Raises:
        UserError: it is in use, it cannot be deleted, or there is nobody to ask.
    """
    what = described(path)
    if not yes and not sys.stdin.isatty():
        raise UserError(f"--delete {path.name}: nobody can be asked here; add --yes to delete it")
    console.print(what, soft_wrap=True)
    if not yes and not confirmed(console):
        console.print("nothing is deleted")
        return
    delete_study(path)
    console.print(f"deleted {path}", soft_wrap=True)


def confirmed(console: Console) -> bool:
    """Ask whether to delete; anything but yes means no, and so does the end of the input."""
    question = "Delete it with all its files? [y/N] "
    try:
        return console.input(question, markup=False).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def described(path: StudyPath) -> str:
    """The study in a line: its model and task, how far it is, and what it took.

    Raises:
        UserError: a process searches in it.
    """
    try:
        study = look(path)
    except UserError as error:
        return f"{path}: broken: {error}"
    if study.state == RUNNING:
        raise UserError(f"another process is searching in {path}: wait for it, or end it first")
    history = study.history
    done = sum(map(study.is_done, history.lengths))
    took = f" after {clock(study.seconds)}" if study.seconds else ""
    return (
        f"{path}: {model_label(history.config.model)} on {model_label(history.config.task)}, "
        f"{study.state}{took}, {done} of {len(history.lengths)} T done, "
        f"{counted(len(history.trials), 'trial')}"
    )
