"""Makes suggestions in a process of its own, so that the driver of many trials does not wait."""

from collections.abc import Callable, Mapping

import ray
from optuna.trial import FrozenTrial
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.config.study_config import StudyConfig
from search.decide.suggester import Point, Suggester, SuggesterLostError, Training

AHEAD = 4
"""Trials that are requested before they are needed. On average a suggestion takes less time than
the driver needs for a trial, but some take longer."""

PATIENCE = 60.0
"""Seconds without an answer after which the process counts as lost; to start it takes a few."""


class RemoteSuggester:
    """A suggester in an actor on this host, see :class:`search.decide.suggester.Suggests`.

    The actor ends when this object is gone.
    """

    ahead = AHEAD

    def __init__(self, config: StudyConfig, T: int):
        host = ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(host, soft=True)
        actor = ray.remote(Suggester).options(num_cpus=0, scheduling_strategy=here)
        self._actor = actor.remote(config, T)

    def begin(self, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        """See :class:`search.decide.suggester.Suggests`."""
        self._actor.begin.remote(count, trials)

    def request(self, number: int, point: Point | None) -> Callable[[], Training]:
        """See :class:`search.decide.suggester.Suggests`."""
        answer = self._actor.suggest.remote(number, point)

        def wait() -> Training:
            try:
                training: Training = ray.get(answer, timeout=PATIENCE)
            except RayError as error:
                raise SuggesterLostError(str(error).partition("\n")[0]) from None
            return training

        return wait

    def update(self, number: int, trial: FrozenTrial) -> None:
        """See :class:`search.decide.suggester.Suggests`."""
        self._actor.update.remote(number, trial)
