"""Makes suggestions in a process of its own, so that the driver of many trials does not wait."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import ray
from optuna.trial import FrozenTrial
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from copytask.error_lines import error_line
from search.config.study_config import StudyConfig
from search.decide.suggester import Points, Suggester, SuggesterLostError, Training

AHEAD = 8
"""Trials that are requested before they are needed. On average a suggestion takes less time than
the driver needs for a trial, but some take longer."""

TOGETHER = 4
"""Of these, so many at a time: each request takes the driver a millisecond."""

PATIENCE = 15.0
"""Seconds without an answer, for each suggestion, after which the process counts as lost."""

Told = tuple[str, tuple[Any, ...]]
"""A method of the suggester that is to be called, and its arguments."""


class SuggesterProcess(Suggester):
    """The suggester in its process."""

    def answer(self, told: Sequence[Told], number: int, points: Points) -> list[Training]:
        """Take in what it was told, then suggest."""
        for method, arguments in told:
            getattr(self, method)(*arguments)
        return [suggested() for suggested in self.request(number, points)]


class RemoteSuggester:
    """A suggester in an actor on this host, see :class:`search.decide.suggester.Suggests`.

    The actor ends when this object is gone.
    """

    ahead = AHEAD
    together = TOGETHER

    def __init__(self, config: StudyConfig, T: int):
        host = ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(host, soft=True)
        actor = ray.remote(SuggesterProcess).options(num_cpus=0, scheduling_strategy=here)
        self._actor = actor.remote(config, T)
        self._started = self._actor.__ray_ready__.remote()
        self._told: list[Told] = []  # since the last request, which takes it along

    @property
    def ready(self) -> bool:
        """Whether the process has started; that takes seconds."""
        started, _ = ray.wait([self._started], timeout=0)
        return bool(started)

    def begin(self, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        """See :class:`search.decide.suggester.Suggests`."""
        self._told = [("begin", (count, trials))]

    def update(self, number: int, trial: FrozenTrial) -> None:
        """See :class:`search.decide.suggester.Suggests`."""
        self._told.append(("update", (number, trial)))

    def request(self, number: int, points: Points) -> list[Callable[[], Training]]:
        """See :class:`search.decide.suggester.Suggests`."""
        told, self._told = self._told, []
        try:
            answer = self._actor.answer.remote(told, number, points)
        except RayError as error:
            raise SuggesterLostError(error_line(error)) from None

        @cache
        def trainings() -> list[Training]:
            try:
                answered: list[Training] = ray.get(answer, timeout=PATIENCE * len(points))
            except RayError as error:
                cause = error.cause if isinstance(error, RayTaskError) else error
                raise SuggesterLostError(error_line(cause)) from None
            return answered

        return [partial(lambda n: trainings()[n], n) for n in range(len(points))]
