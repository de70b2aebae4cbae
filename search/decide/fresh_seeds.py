"""Seeds of trainings that are to tell whether a configuration solves its T with any seed."""

from search.decide.suggester import trial_seed
from search.study.history import History

FOR_RACES = 2**27
FOR_CONFIRMATIONS = 2**28
"""Numbers from which on :func:`trial_seed` makes the seeds of races and of confirmations. It is
one-to-one in the number, and no study has so many trials: at their T, search, races and
confirmations never share a seed."""


def fresh_seed(history: History, T: int, first: int) -> int:
    """A seed that no trial of the study has had, neither to train nor to validate.

    Args:
        first: the first number to try: ``FOR_RACES`` or ``FOR_CONFIRMATIONS``.
    """
    trainings = [trial.training for trial in history.trials.values()]
    used = {training.get(key) for training in trainings for key in ("seed", "validation_seed")}
    number = first
    while (seed := trial_seed(history.config.search.seed, T, number)) in used:
        number += 1
    return seed
