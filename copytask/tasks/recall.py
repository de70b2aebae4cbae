"""The recall protocol: T pairs of a key and a value, and each key asked for once."""

import torch

from copytask.tasks.task import Batch, Task

KEYS = 1000
VALUES = 10
DELIMITER = KEYS + VALUES


class Recall(Task):
    """T different keys, each followed by a value; then all keys in another order. With T = 3::

        tokens    k7 2  k4 0  k9 2  >  k4 k9 k7
        targets                        0  2  2

    T measures how many associations a network holds.

    Source: multi-query associative recall, Arora et al. 2023, "Zoology", arXiv 2312.04927, with
    every key asked for once. There are 1000 keys, so T is at most 1000.
    """

    symbols = KEYS + VALUES + 1
    outputs = VALUES

    def length(self, T: int) -> int:
        """See :meth:`Task.length`."""
        return 3 * T + 1

    def recalled(self, T: int) -> int:
        """See :meth:`Task.recalled`."""
        return T

    def draw(self, generator: torch.Generator, batch_size: int, T: int) -> Batch:
        """See :meth:`Task.draw`.

        Raises:
            ValueError: T is above the number of keys.
        """
        if T > KEYS:
            raise ValueError(f"the task recall has {KEYS} keys, so T <= {KEYS}, but got T={T}")
        keys = torch.rand(KEYS, batch_size, generator=generator).argsort(0)[:T]
        values = torch.randint(VALUES, (T, batch_size), generator=generator)
        order = torch.rand(T, batch_size, generator=generator).argsort(0)
        tokens = keys.new_full((self.length(T), batch_size), DELIMITER)
        tokens[0 : 2 * T : 2] = keys
        tokens[1 : 2 * T : 2] = KEYS + values
        tokens[2 * T + 1 :] = keys.gather(0, order)
        return Batch(tokens, values.gather(0, order))
