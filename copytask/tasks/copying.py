"""What the copying protocols share: a payload, and a delimiter that asks for it.

Shapes: L tokens in a sequence, S symbols in a payload, B sequences in a batch.
"""

from abc import abstractmethod

import torch
from torch import Tensor

from copytask.tasks.task import Batch, Task

PAYLOAD_SYMBOLS = 10
"""Number K of different symbols in a payload; their token ids are 0..9."""

BLANK = PAYLOAD_SYMBOLS
"""Token id of a blank, 10."""

DELIMITER = PAYLOAD_SYMBOLS + 1
"""Token id of the delimiter, 11, which asks for the payload."""


class CopyTask(Task):
    """A payload, a gap of blanks, the delimiter, blanks to fill in.

    A subclass only says how long the payload and the gap are. With a payload of three symbols and a
    gap of two blanks (``_`` blank, ``>`` delimiter)::

        tokens    3  1  4  _  _  >  _  _  _
        targets                     3  1  4
    """

    symbols = PAYLOAD_SYMBOLS + 2
    outputs = PAYLOAD_SYMBOLS

    @abstractmethod
    def recalled(self, T: int) -> int:
        """Number S of payload symbols at length T."""

    @abstractmethod
    def gap(self, T: int) -> int:
        """Number of blanks between the payload and the delimiter at length T."""

    def length(self, T: int) -> int:
        """See :meth:`Task.length`."""
        return 2 * self.recalled(T) + self.gap(T) + 1

    def encode(self, payload: Tensor, T: int) -> Batch:
        """Lay payloads out as sequences.

        Args:
            payload: shape (S, B), int64 in 0..9.
            T: the length that S belongs to.
        """
        S, B = payload.shape
        tokens = payload.new_full((self.length(T), B), BLANK)
        tokens[:S] = payload
        tokens[S + self.gap(T)] = DELIMITER
        return Batch(tokens, payload)

    def draw(self, generator: torch.Generator, batch_size: int, T: int) -> Batch:
        """See :meth:`Task.draw`: payloads are uniform."""
        shape = self.recalled(T), batch_size
        return self.encode(torch.randint(PAYLOAD_SYMBOLS, shape, generator=generator), T)
