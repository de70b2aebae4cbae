"""A task of your own: the running sum of digits, modulo five.

Search it with any model, and compare the models::

    python -m search.run --model gru --task examples/running_sum.py:RunningSum --T 16
    python -m search.run --model mingru --task examples/running_sum.py:RunningSum --T 16
    python -m analysis.compare
"""

import torch

from copytask import Batch, Task

DIGITS = 5


class RunningSum(Task):
    """Say after each digit what the sum of all digits so far is, modulo five::

        tokens    3  1  4  2
        targets   3  4  3  0

    A network must track a state that every input changes, instead of holding what it has read.
    T is the number of digits.

    Source: the word problem of a cyclic group, as in Merrill, Petty & Sabharwal 2024, "The Illusion
    of State in State-Space Models", arXiv 2404.08819.
    """

    symbols = DIGITS
    outputs = DIGITS  # so guessing has an accuracy of 0.2

    def length(self, T: int) -> int:
        return T

    def recalled(self, T: int) -> int:
        return T  # every position is scored

    def draw(self, generator: torch.Generator, batch_size: int, T: int) -> Batch:
        digits = torch.randint(DIGITS, (T, batch_size), generator=generator)
        return Batch(digits, digits.cumsum(0) % DIGITS)
