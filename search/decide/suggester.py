"""Suggests hyperparameters: asks an Optuna study in memory of the trials that it was told of."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import optuna
from optuna.trial import FrozenTrial

from search.config.algorithms import SAMPLERS
from search.config.dimensions import Scalar
from search.config.space import flat_values
from search.config.study_config import StudyConfig
from search.decide.limited_storage import LimitedStorage
from search.decide.optuna_space import OptunaSpace

Point = Mapping[str, Scalar]
Points = Sequence[Point | None]
Training = Mapping[str, Any]
"""A training config as plain values."""


class SuggesterLostError(Exception):
    """The process in which a suggester runs has failed; what it was told is lost."""


class Suggests(Protocol):
    """Suggests the trainings of trials, here or in another process.

    Attributes:
        ahead: how many trials are to be requested before they are needed, at most.
        together: how many of them at a time.
    """

    ahead: int
    together: int

    @property
    def ready(self) -> bool:
        """Whether it can be used yet."""

    def begin(self, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        """Forget what was requested and told. So many trials exist, of which these are needed."""

    def request(self, number: int, points: Points) -> list[Callable[[], Training]]:
        """Ask for the trainings of the next trials, the first of which has this number.

        Args:
            points: for each, hyperparameters that it is to have; the others are suggested.

        Returns:
            For each, what waits for the training and returns it, or raises SuggesterLostError.

        Raises:
            SuggesterLostError: its process has failed.
        """

    def update(self, number: int, trial: FrozenTrial) -> None:
        """This is what is known of the trial of this number."""


class Suggester:
    """Suggests the trainings of the trials at one T, see :class:`Suggests`. Call begin first.

    Each T has its own Optuna study, because a configuration scores lower at a larger T. Each trial
    has its own seed of the sampler, so that a restart does not change the suggestions.
    """

    ahead = 0
    together = 1
    ready = True

    def __init__(self, config: StudyConfig, T: int):
        self._config = config
        self._T = T
        self._kind = SAMPLERS[config.search.sampler]
        self._space = OptunaSpace(space := config.search_space(), self._kind)
        self._known_space = None if space.conditional else self._space.distributions
        optuna.logging.set_verbosity(optuna.logging.WARNING)

    def begin(self, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        """See :class:`Suggests`."""
        self._storage = LimitedStorage(shown_trials(self._config), self._kind.keeps_notes)
        name = f"T={self._T}"
        self._study = optuna.create_study(
            storage=self._storage, study_name=name, direction="maximize"
        )
        self._id = self._storage.get_study_id_from_name(name)
        if count:
            self._storage.fill(self._id, count, trials)

    def request(self, number: int, points: Points) -> list[Callable[[], Training]]:
        """See :class:`Suggests`."""
        return [partial(self.suggest, n, point) for n, point in enumerate(points, number)]

    def suggest(self, number: int, point: Point | None) -> Training:
        """The training of the next trial; see :meth:`request`."""
        if point is not None:
            self._study.enqueue_trial(dict(point))
        seed = trial_seed(self._config.search.seed, self._T, number)
        self._study.sampler = self._kind(
            seed=seed,
            startup_trials=self._config.search.startup_trials,
            space=self._known_space,
        )
        sample = self._space.suggested(self._study.ask())
        training = self._config.training_config(self._T, sample, seed).to_dict()
        self.correct(number, training)
        return training

    def correct(self, number: int, training: Training) -> None:
        """Replace the sampled parameters of a running trial by those that its training has."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        distributions = self._space.distributions
        for name, value in self._space.params(flat_values(training)).items():
            internal = distributions[name].to_internal_repr(value)
            self._storage.set_trial_param(trial_id, name, internal, distributions[name])

    def update(self, number: int, trial: FrozenTrial) -> None:
        """See :class:`Suggests`: adds what the trial lacks, values and its ending."""
        if not self._storage.is_live(number):
            return
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        actual = self._storage.get_trial(trial_id)
        for step, value in trial.intermediate_values.items():
            if step not in actual.intermediate_values:
                self._storage.set_trial_intermediate_value(trial_id, step, value)
        if trial.state.is_finished():
            self._storage.set_trial_state_values(trial_id, trial.state, trial.values)


def shown_trials(config: StudyConfig) -> float:
    """Finished trials that the sampler of a search is shown at most.

    If they were fewer than its startup trials, it would sample at random for good.
    """
    search = config.search
    return max(SAMPLERS[search.sampler].shown, search.startup_trials)


def trial_seed(study_seed: int, T: int, number: int) -> int:
    """A seed below 2**29 that depends on study, T and trial (a Weyl-like integer mix)."""
    return (study_seed * 1_000_003 + T * 8_191 + number * 131_071) % 2**29
