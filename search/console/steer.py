"""Asks something of a search: ``--enqueue``, ``--stop-trial`` and ``--next-T``."""

import argparse

from rich.console import Console

from copytask.error_lines import reason_line
from search.console.commands import resume_command
from search.errors import UserError
from search.storage.store import parse_storage
from search.study.history import History
from search.study.inbox import Enqueue, NextT, Request, StopTrial, leave
from search.study.overview import RUNNING, look, study_named
from search.study.steering import check, described, parse_configuration, searched_length


def asks(args: argparse.Namespace) -> bool:
    """Whether the command line asks something of a search."""
    return bool(args.enqueue or args.stop_trial or args.next_T)


def steer(args: argparse.Namespace, console: Console) -> None:
    """Leave the request with the study, and say what will happen.

    Raises:
        UserError: there is no such study, or it cannot do this.
    """
    if args.name is None:
        raise UserError("of which study? Add --name NAME, as --list shows it")
    path = study_named(parse_storage(args.storage), args.name)
    study = look(path)
    if study.seconds is None:
        raise UserError(f"{path}: an early version made it, and it cannot be resumed")
    request = requested(args, study.history)
    check(study.history, request)
    try:
        leave(path, request)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {reason_line(error)}") from None
    then = ""
    if study.state != RUNNING:
        resume = resume_command(path, study.history.config)
        then = f", when the search is resumed: {resume}"
    console.print(f"{path.name}: {described(request)}{then}", soft_wrap=True)


def requested(args: argparse.Namespace, history: History) -> Request:
    """The request of the command line.

    Raises:
        UserError: it cannot be read, or no T is searched any more.
    """
    if args.stop_trial:
        return StopTrial(args.stop_trial)
    if args.next_T:
        return NextT(searched_length(history))
    if args.T is not None and len(args.T) != 1:
        raise UserError("--enqueue: give one --T, or none for the T that is searched now")
    T = args.T[0] if args.T else searched_length(history)
    return Enqueue(T, parse_configuration(history.config, args.enqueue))
