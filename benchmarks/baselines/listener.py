"""Follows this project's search in a race: a listener of ``search.loggers``."""

from benchmarks.baselines.results import note
from search.study.listener import Listener
from search.study.records import TrialRecord
from search.study.study import Study


class RaceListener(Listener):
    """Notes every result, as the other sides do."""

    def __init__(self, study: Study):
        pass

    def trial_reported(self, trial: TrialRecord) -> None:
        """See :class:`search.study.listener.Listener`."""
        assert trial.tokens is not None
        note(trial.id, trial.tokens, trial.tokens_to_solve is not None)
