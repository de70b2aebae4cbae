"""Does what users ask of a search while it runs: see :mod:`search.study.inbox`."""

import time
from collections.abc import Container

from search.decide.agenda import Agenda
from search.errors import UserError
from search.study.inbox import Enqueue, NextT, Request, StopTrial, waiting
from search.study.listener import Listener
from search.study.steering import check, described
from search.study.study import Study
from studies.paths import is_object_store

LOOK_SECONDS = 1.0
STORE_LOOK_SECONDS = 5.0
"""Seconds between two looks into the inbox, in a folder and in an object store."""


class Steering:
    """Takes the requests in the inbox of a study.

    A request is removed when its event is written. A search that is killed in between meets it
    again: it has happened then, and is left out.

    Args:
        running: names of the trials that have a worker.
    """

    def __init__(self, study: Study, agenda: Agenda, listener: Listener, running: Container[str]):
        self._study = study
        self._running = running
        self._agenda = agenda
        self._listener = listener
        self._next_look = 0.0
        self._pause = STORE_LOOK_SECONDS if is_object_store(study.path) else LOOK_SECONDS

    def advance(self) -> None:
        """Take what has come, if it is time to look.

        Raises:
            OSError: the study cannot be read or written.
        """
        if time.monotonic() < self._next_look:
            return
        for path, request in waiting(self._study.path):
            if path.name not in self._study.history.requests:
                self._take(path.name, request)
            path.unlink(missing_ok=True)
        self._next_look = time.monotonic() + self._pause

    def _take(self, name: str, request: Request | None) -> None:
        if request is None:
            return self._listener.note(f"the request {name} cannot be read; it is left out")
        try:
            check(self._study.history, request)
        except UserError as error:
            return self._listener.note(f"not done: {error}")
        self._listener.note(f"as asked: {described(request)}")  # before what follows from it
        match request:
            case Enqueue(T=T, configuration=configuration):
                self._study.enqueue(T, configuration, name)
            case StopTrial(trial_id=trial_id):
                trial = self._study.history.trials[trial_id]
                self._agenda.stop(trial, running=trial_id in self._running)
            case NextT():
                self._agenda.end_search()
