"""The results of the search at one T in the order in which they came, in little memory.

The decisions of ASHA and Hyperband follow from them.
"""

from array import array
from collections.abc import Iterator

import numpy as np


class Arrivals:
    """One entry a result: which trial reported it, when in its life, and how good it was."""

    def __init__(self) -> None:
        self._trials = array("i")
        self._iterations = array("i")
        self._values = array("d")
        self._restarts: list[tuple[int, int]] = []  # how many entries there were, and the trial

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
        self._restarts.append((len(self._trials), trial))

    def columns(self, count: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Trials, iterations and values, each in the order in which the results came.

        Args:
            count: as it was when so many results had come, those included that were forgotten
                later; all of them by default.
        """
        count = len(self._trials) if count is None else count
        trials = np.array(self._trials[:count])
        since = np.zeros(trials.max(initial=-1) + 1, dtype=int)  # what each reported before is out
        for before, trial in self._restarts:
            if before <= count:
                since[trial] = before
        kept = np.arange(count) >= since[trials]
        iterations, values = np.array(self._iterations[:count]), np.array(self._values[:count])
        return trials[kept], iterations[kept], values[kept]

    def count_to(self, trial: int) -> int:
        """How many results had come when this trial's last one came, without that one."""
        return len(self._trials) - 1 - self._trials[::-1].index(trial)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arrivals) and list(self) == list(other)

    def __len__(self) -> int:
        return len(self.columns()[0]) if self._restarts else len(self._trials)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(*(column.tolist() for column in self.columns()), strict=True)
