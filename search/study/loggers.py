"""Loggers of a search: listeners that show it in software of others, and a user's own.

A logger must not harm the search: whatever it raises ends the logger alone, with one line.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from copytask.error_lines import error_line
from copytask.user_code import import_object
from search.config.loggers import LOGGERS, TENSORBOARD
from search.errors import UserError, unknown
from search.study.listener import Listener, Relay
from search.study.run_log import RunLog, RunWriter
from search.study.study import Study
from studies.paths import StudyPath, is_object_store

TRACKING_URI = "MLFLOW_TRACKING_URI"
"""The environment variable that names the MLflow server; without it, the study has a store."""


def check_loggers(names: Sequence[str], study: StudyPath) -> None:
    """Check that the loggers can be used.

    Raises:
        UserError: one is unknown, not installed, no listener, or cannot write to this study.
    """
    for name in names:
        if ":" in name:
            _import_listener(name)
            continue
        if name not in LOGGERS:
            hint = unknown("logger", name, LOGGERS)
            stop = "" if hint.endswith("?") else "."
            raise UserError(
                f"search.loggers: {hint}{stop} Your own is named path/file.py:Class or "
                "package.module:Class"
            )
        if any(find_spec(package) is None for package in LOGGERS[name]):
            raise UserError(
                f"search.loggers: {name} is not installed: pip install 'copytask-search[{name}]'"
            )
        elsewhere = name == "mlflow" and os.environ.get(TRACKING_URI)
        if is_object_store(study) and not elsewhere:
            raise UserError(
                f"search.loggers: {name} cannot append to files in {study.parent}; leave it out"
            )


def make_loggers(study: Study, warn: Callable[[str], None]) -> list[Listener]:
    """The loggers of a study that its configuration names.

    Args:
        warn: prints a line.
    """
    names = [name for name in study.config.search.loggers if name != TENSORBOARD]
    return [Guarded(name, partial(_make, name, study), warn) for name in names]


def _make(name: str, study: Study) -> Listener:
    if ":" in name:
        made: Listener = _import_listener(name)(study)
        return made
    return RunLog(name, study.history.trials.values(), lambda: _writer(name, study))


def _writer(name: str, study: Study) -> RunWriter:
    """Import what takes seconds to import, and what not everybody has."""
    if name == "mlflow":
        from search.study.mlflow_runs import MlflowRuns

        return MlflowRuns(study.path, study.history.space, os.environ.get(TRACKING_URI))
    from search.study.wandb_runs import WandbRuns

    assert isinstance(study.path, Path)  # see check_loggers
    return WandbRuns(study.path, study.history.space)


def _import_listener(name: str) -> type[Any]:
    """A user's own listener.

    Raises:
        UserError: it cannot be imported, or is no listener.
    """
    try:
        found = import_object(name, "listener")
    except ValueError as error:
        raise UserError(f"search.loggers: {error}") from None
    if not (isinstance(found, type) and issubclass(found, Listener)):
        raise UserError(
            f"search.loggers: {name} is not a listener: make it a subclass of "
            "search.study.listener.Listener"
        )
    return found


class Guarded(Relay):
    """A listener that is told nothing more once it has raised anything.

    Args:
        name: of the listener.
        make: makes it.
        warn: prints a line.
    """

    def __init__(self, name: str, make: Callable[[], Listener], warn: Callable[[str], None]):
        self._name = name
        self._warn = warn
        self._listener = Listener()
        self._attempt("__init__", lambda: setattr(self, "_listener", make()))

    def relay(self, moment: str, *what: Any) -> None:
        """Tell it, unless it has failed."""
        self._attempt(moment, lambda: getattr(self._listener, moment)(*what))

    def _attempt(self, moment: str, tell: Callable[[], object]) -> None:
        try:
            tell()
        except (Exception, SystemExit) as error:  # a user's code may raise anything
            self._listener = Listener()
            self._warn(
                f"the logger {self._name} failed in {moment}: {error_line(error)}; "
                "the search goes on without it"
            )
