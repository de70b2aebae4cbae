"""What every protocol of the copy task shares: alphabet, layout and sampling.

Shapes: L tokens in a sequence, S symbols in a payload, B sequences in a batch.
"""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

PAYLOAD_SYMBOLS = 10
"""K: the symbols 0..9 that a payload is made of. Chance accuracy is 1/K."""

BLANK = PAYLOAD_SYMBOLS
DELIMITER = PAYLOAD_SYMBOLS + 1
ALPHABET_SIZE = PAYLOAD_SYMBOLS + 2

CHANCE_ACCURACY = 1 / PAYLOAD_SYMBOLS
CHANCE_CROSS_ENTROPY = math.log(PAYLOAD_SYMBOLS)
"""Cross-entropy, in nats a symbol, of a uniform guess over the payload symbols."""


class Batch(NamedTuple):
    """A batch of the copy task; the targets belong to the last S positions."""

    tokens: Tensor  # (L, B), int64 in 0..11
    targets: Tensor  # (S, B), int64 in 0..9


class Task(ABC):
    """A protocol of the copy task: payload, gap of blanks, delimiter, blanks to fill in.

    A subclass says only how long the payload and the gap are. With a payload of
    three symbols and a gap of two blanks (``_`` blank, ``>`` delimiter)::

        tokens    3  1  4  _  _  >  _  _  _
        targets                     3  1  4

    Positions without a target are not scored.
    """

    @abstractmethod
    def payload_length(self, T: int) -> int:
        """Number S of payload symbols when the task is asked at length T."""

    @abstractmethod
    def gap(self, T: int) -> int:
        """Number of blanks between payload and delimiter at length T."""

    def length(self, T: int) -> int:
        """Number L of tokens in a whole sequence at length T."""
        return 2 * self.payload_length(T) + self.gap(T) + 1

    def encode(self, payload: Tensor, T: int) -> Batch:
        """Lay payloads, shape (S, B), out as sequences, shape (L, B)."""
        S, B = payload.shape
        tokens = payload.new_full((self.length(T), B), BLANK)
        tokens[:S] = payload
        tokens[S + self.gap(T)] = DELIMITER
        return Batch(tokens, payload)

    def sample_batch(
        self,
        generator: torch.Generator,
        batch_size: int,
        T: int,
        device: torch.device | str = "cpu",
    ) -> Batch:
        """Draw fresh uniform payloads and lay them out on ``device``.

        Args:
            generator: on the CPU, so that the payloads are the same for every device.

        Raises:
            ValueError: T or batch_size is below 1.
        """
        if T < 1 or batch_size < 1:
            raise ValueError(
                f"T >= 1 and batch_size >= 1 must hold, but got T={T}, batch_size={batch_size}"
            )
        payload = torch.randint(
            PAYLOAD_SYMBOLS,
            (self.payload_length(T), batch_size),
            generator=generator,
        )
        return self.encode(payload.to(device, non_blocking=True), T)
