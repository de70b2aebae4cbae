"""The results of the search at one T in the order in which they came, in little memory.

The decisions of ASHA and Hyperband follow from them.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Arrivals:
    """One entry a result: which trial reported it, when in its life, and how good it was.

    Attributes:
        trials: the number of the trial among those of the search at T.
        iterations: of its training.
        values: of the search metric.
    """

    trials: "array[int]" = field(default_factory=lambda: array("i"))
    iterations: "array[int]" = field(default_factory=lambda: array("i"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, trial: int, iteration: int, value: float) -> None:
        """A trial has reported."""
        self.trials.append(trial)
        self.iterations.append(iteration)
        self.values.append(value)

    def forget(self, trial: int) -> None:
        """Leave out what a trial has reported: it starts again."""
        kept = [entry for entry in self if entry[0] != trial]
        self.trials, self.iterations = array("i"), array("i")
        self.values = array("d")
        for entry in kept:
            self.add(*entry)

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.trials, self.iterations, self.values, strict=True)
