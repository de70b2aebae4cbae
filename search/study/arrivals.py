"""The results of the search at one T in the order in which they came, in little memory.

The decisions of ASHA and Hyperband follow from them.
"""

from array import array
from collections.abc import Iterator


class Arrivals:
    """One entry a result: which trial reported it, when in its life, and how good it was."""

    def __init__(self) -> None:
        self._trials = array("i")
        self._iterations = array("i")
        self._values = array("d")
        self._forgotten: dict[int, int] = {}  # trial -> its entries before this place are left out

    def add(self, trial: int, iteration: int, value: float) -> None:
        """A trial has reported.

        Args:
            trial: its number among those of the search at T.
            iteration: of its training.
            value: of the search metric.
        """
        self._trials.append(trial)
        self._iterations.append(iteration)
        self._values.append(value)

    def forget(self, trial: int) -> None:
        """Leave out what a trial has reported: it starts again."""
        self._forgotten[trial] = len(self._trials)

    def columns(self) -> "tuple[array[int], array[int], array[float]]":
        """Trials, iterations and values, each in the order in which the results came."""
        if self._forgotten:  # once for all trials: many may start again together
            forgotten, self._forgotten = self._forgotten, {}
            kept = [n for n, trial in enumerate(self._trials) if n >= forgotten.get(trial, 0)]
            self._trials = array("i", [self._trials[n] for n in kept])
            self._iterations = array("i", [self._iterations[n] for n in kept])
            self._values = array("d", [self._values[n] for n in kept])
        return self._trials, self._iterations, self._values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arrivals) and self.columns() == other.columns()

    def __len__(self) -> int:
        return len(self.columns()[0])

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(*self.columns(), strict=True)
