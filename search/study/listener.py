"""What happens in a search, moment by moment, for whoever follows it.

Who decides and who runs trials tell a :class:`Listener`; the console and the result files are
listeners. The study itself, its events and its history, is up to date when a listener is told.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from search.study.records import TrialRecord


class Progress(NamedTuple):
    """How far a study is.

    Attributes:
        elapsed: seconds used.
        fraction: share that is done.
        left: seconds left; infinite if that cannot be estimated.
    """

    elapsed: float
    fraction: float
    left: float


class Listener:
    """Follows a search. Override the moments that matter; here they do nothing.

    A listener may raise OSError, or SearchFailedError, to end the search in an orderly way.
    """

    def length_began(self, T: int, seconds: float) -> None:
        """The search at T begins or continues, for so many seconds at most (infinite: no limit)."""

    def length_ended(self, T: int) -> None:
        """The search at T has reached a limit. Its best trial is tested next, if it has one."""

    def racing_began(self, seconds: float) -> None:
        """The candidates at each T race, or race on, for so many seconds at most (infinite: no
        limit)."""

    def race_ended(self, T: int) -> None:
        """The race at T is decided, or its time is up."""

    def trainings_began(self) -> None:
        """Search and races are over; failed trials, final trainings and confirmations follow."""

    def trial_started(self, trial: TrialRecord) -> None:
        """A worker runs the trial from now on: a new trial, or one that resumes."""

    def trial_reported(self, trial: TrialRecord) -> None:
        """The trial has reported an iteration: the last point of its curve."""

    def trial_retried(self, trial: TrialRecord, reason: str) -> None:
        """The trial lost its worker, for this reason, and will resume with another one."""

    def trial_ended(self, trial: TrialRecord) -> None:
        """The trial is over, whatever its stage and status; one that was cut off is interrupted."""

    def best_changed(self, T: int) -> None:
        """The best trial at T was tested and is in the study's ``best``."""

    def confirmed(self, trial: TrialRecord) -> None:
        """A confirmation was tested: its scores are known."""

    def slots_changed(self, slots: int) -> None:
        """So many trials can run at a time from now on."""

    def progressed(self, progress: Progress) -> None:
        """Time has passed: told several times a second while trials run."""

    def note(self, message: str) -> None:
        """Something that the user should know, in one line."""

    def nothing_left(self) -> None:
        """A resumed study has nothing left to train."""

    def run_ended(self) -> None:
        """No trial runs any more: all is done, or the user or an error ended this run."""

    def study_ended(self) -> None:
        """All is trained and tested."""


MOMENTS = tuple(name for name in vars(Listener) if not name.startswith("_"))
"""The names of all moments: the methods of :class:`Listener`."""


class Relay(Listener):
    """A listener that hands every moment to one method: :meth:`relay`, which a subclass defines."""

    def relay(self, moment: str, *what: Any) -> None:
        """A moment has come.

        Args:
            moment: one of :data:`MOMENTS`.
            what: its arguments.
        """
        raise NotImplementedError


def _relayed(moment: str) -> Callable[..., None]:
    return lambda relay, *what: relay.relay(moment, *what)


for _moment in MOMENTS:
    setattr(Relay, _moment, _relayed(_moment))


class Listeners(Relay):
    """Several listeners as one: each moment reaches them in their order."""

    def __init__(self, *listeners: Listener):
        self._listeners = listeners

    def relay(self, moment: str, *what: Any) -> None:
        """Tell each of them."""
        for listener in self._listeners:
            getattr(listener, moment)(*what)
