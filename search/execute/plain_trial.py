"""A trial of Ray Tune that costs the driver little."""

from pathlib import Path
from typing import Any

from ray.tune.experiment import Trial

from search.cluster.ray_compat import set_last_result
from search.execute.trainable import METRICS, CopyTrainable


class PlainTrial(Trial):
    """A trial of :class:`CopyTrainable` without what a search has no use for.

    - It knows its class, which Tune would ask Ray's head for.
    - Tune keeps its last result, but no statistics of every number in it: they would take 20 kB of
      memory, and the study has the curve.
    - Tune would ask each worker twice a trial for a result without numbers, in case that the first
      one never comes.
    - Tune would make a folder for each trial. Only one that fails needs it, for its error.
    """

    def __init__(self, **settings: Any):
        super().__init__(CopyTrainable.__name__, stub=True, **settings)  # do not look its class up

    def get_trainable_cls(self) -> type[CopyTrainable]:
        return CopyTrainable

    def update_last_result(self, result: dict[str, Any]) -> None:
        set_last_result(self, {k: v for k, v in result.items() if k != METRICS})

    def set_ray_actor(self, ray_actor: Any) -> None:
        self.temporary_state.ray_actor = ray_actor

    def init_local_path(self) -> None:
        self.relative_logdir = self.storage.trial_dir_name = self.trial_id

    def handle_error(self, exc: Exception | None = None) -> None:
        Path(self.local_path).mkdir(parents=True, exist_ok=True)
        super().handle_error(exc)
