"""What every protocol of the copy task shares: alphabet, layout and sampling.

Shapes: L tokens in a sequence, S symbols in a payload, B sequences in a batch. The last S positions
of a sequence are the recalled ones: only they are scored.
"""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

PAYLOAD_SYMBOLS = 10
"""Number K of different symbols in a payload; their token ids are 0..9."""

BLANK = PAYLOAD_SYMBOLS
"""Token id of a blank, 10."""

DELIMITER = PAYLOAD_SYMBOLS + 1
"""Token id of the delimiter, 11, which asks for the payload."""

ALPHABET_SIZE = PAYLOAD_SYMBOLS + 2
"""Number of different tokens, 12: payload symbols, blank and delimiter."""

CHANCE_ACCURACY = 1 / PAYLOAD_SYMBOLS
"""Accuracy of guessing, 0.1."""

CHANCE_CROSS_ENTROPY = math.log(PAYLOAD_SYMBOLS)
"""Cross-entropy of a uniform guess over the payload symbols, ln 10 nats per symbol."""


class Batch(NamedTuple):
    """A batch of sequences and what to recall from them.

    Attributes:
        tokens: the input, shape (L, B), int64 in 0..11.
        targets: the payload, which is to be recalled at the last S positions, shape (S, B), int64
            in 0..9.
    """

    tokens: Tensor
    targets: Tensor


class Task(ABC):
    """A protocol of the copy task: a payload, a gap of blanks, the delimiter, blanks to fill in.

    A subclass only says how long the payload and the gap are. With a payload of three symbols and a
    gap of two blanks (``_`` blank, ``>`` delimiter)::

        tokens    3  1  4  _  _  >  _  _  _
        targets                     3  1  4

    Positions without a target are not scored. T is what makes the task hard: a protocol says how
    payload and gap depend on it.
    """

    @abstractmethod
    def payload_length(self, T: int) -> int:
        """Number S of payload symbols at length T."""

    @abstractmethod
    def gap(self, T: int) -> int:
        """Number of blanks between the payload and the delimiter at length T."""

    def length(self, T: int) -> int:
        """Number L of tokens in a sequence at length T."""
        return 2 * self.payload_length(T) + self.gap(T) + 1

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

    def sample_batch(
        self,
        generator: torch.Generator,
        batch_size: int,
        T: int,
        device: torch.device | str = "cpu",
    ) -> Batch:
        """Draw payloads uniformly and lay them out as sequences.

        Args:
            generator: a generator on the CPU, so that payloads do not depend on the device.
            batch_size: number B of sequences.
            T: the length at which the task is asked.
            device: where the batch is returned.

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
