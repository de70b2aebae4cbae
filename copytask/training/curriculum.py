"""Curricula: how long the training sequences are, short ones first.

A new curriculum is one class here and one line in ``CURRICULA``.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from copytask.training.config import TrainingConfig


@dataclass
class Curriculum(ABC):
    """Chooses the length of each training batch, on the way to T.

    M is the largest training length so far. Random generators are on the CPU.

    Attributes:
        T: the length that the model should solve.
    """

    T: int

    @abstractmethod
    def max_length(self, step: int) -> int:
        """The largest training length M at this optimizer step."""

    @abstractmethod
    def sample_length(self, step: int, generator: torch.Generator) -> int:
        """Draw the length of the batch at this step, at most M."""

    def sample_beyond(self, step: int, generator: torch.Generator) -> int:
        """Draw a length beyond M, log-uniform on M..T.

        A network that was trained on lengths up to M forgets everything when the payload is longer:
        it has never had to keep what it holds and ignore the rest. Log-uniform, because batches at
        T are expensive and each teaches little: here, too, long ones are learned from shorter ones.
        """
        M = self.max_length(step)
        growth: float = (self.T / M) ** float(torch.rand((), generator=generator))
        return round(M * growth)

    def observe(self, length: int, accuracy: Tensor) -> None:
        """Take note of a training batch's accuracy, a scalar tensor.

        The base class ignores it.
        """
        return

    def state_dict(self) -> dict[str, float]:
        """The state that :meth:`observe` changes, for a checkpoint."""
        return {}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Restore what :meth:`state_dict` returned."""
        return


@dataclass
class LengthRamp(Curriculum):
    """Training lengths that grow with the optimizer step.

    A batch's length is uniform on 1..M(step). M grows geometrically from 2 to T over
    ``curriculum_length`` steps and stays at T afterwards. Short lengths stay in the mix so that the
    network does not forget them.

    Attributes:
        curriculum_length: steps until M reaches T; 0 is no curriculum: every batch has length T.
    """

    curriculum_length: int

    def max_length(self, step: int) -> int:
        if step >= self.curriculum_length:
            return self.T
        start = min(2, self.T)
        growth: float = (self.T / start) ** (step / self.curriculum_length)
        return round(start * growth)

    def sample_length(self, step: int, generator: torch.Generator) -> int:
        if self.curriculum_length == 0:
            return self.T
        return _uniform(1, self.max_length(step), generator)


NEAR = 0.8
"""Lengths of at least this share of M are near M."""

AVERAGED_BATCHES = 10
"""Time constant, in batches, of the running mean of the accuracy near M."""


@dataclass
class AdaptiveLengths(Curriculum):
    """Training lengths that grow as soon as the network recalls the current ones well enough.

    M starts at 2. It grows by the share ``growth``, at least by 1, whenever the running mean of the
    accuracy on batches near M reaches ``growth_accuracy``; the mean then restarts at 0. With
    probability ``long_share`` a batch's length is uniform on the lengths near M, else on 1..M:
    without short ones the network forgets them.

    Zaremba & Sutskever, "Learning to Execute", 2014, and Graves et al., "Hybrid computing using a
    neural network with dynamic external memory", 2016, trained on algorithmic tasks with lengths
    that grow on success. The rule and its numbers are our own.

    Attributes:
        growth: share by which M grows.
        growth_accuracy: running mean of the training accuracy at which M grows.
        long_share: share of the batches whose length is near M.
    """

    growth: float
    growth_accuracy: float
    long_share: float
    _max_length: int = field(init=False)
    _accuracy: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._max_length = min(2, self.T)

    def max_length(self, step: int) -> int:
        return self._max_length

    def sample_length(self, step: int, generator: torch.Generator) -> int:
        long = float(torch.rand((), generator=generator)) < self.long_share
        return _uniform(self._near() if long else 1, self._max_length, generator)

    def observe(self, length: int, accuracy: Tensor) -> None:
        if not self._near() <= length <= self._max_length:
            return
        self._accuracy += (float(accuracy) - self._accuracy) / AVERAGED_BATCHES
        if self._accuracy >= self.growth_accuracy and self._max_length < self.T:
            grown = max(self._max_length + 1, round((1 + self.growth) * self._max_length))
            self._max_length, self._accuracy = min(grown, self.T), 0.0

    def state_dict(self) -> dict[str, float]:
        return {"max_length": self._max_length, "accuracy": self._accuracy}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        self._max_length, self._accuracy = int(state["max_length"]), state["accuracy"]

    def _near(self) -> int:
        """The shortest length near M."""
        return math.ceil(NEAR * self._max_length)


def _uniform(low: int, high: int, generator: torch.Generator) -> int:
    return int(torch.randint(low, high + 1, (), generator=generator))


CURRICULA: dict[str, Callable[["TrainingConfig"], Curriculum]] = {
    "ramp": lambda config: LengthRamp(config.T, config.curriculum_length),
    "adaptive": lambda config: AdaptiveLengths(
        config.T, config.growth, config.growth_accuracy, config.long_share
    ),
}
"""Name of each curriculum -> a function of the training config that makes it."""
