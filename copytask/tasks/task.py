"""What every task is: sequences of symbols, and what is to be recalled at their last positions.

Shapes: L positions in a sequence, S recalled positions, B sequences in a batch.
"""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Batch(NamedTuple):
    """A batch of sequences and what to recall from them.

    Attributes:
        tokens: the input, shape (L, B), int64 in 0..symbols - 1.
        targets: what is to be recalled at the last S positions, shape (S, B), int64 in
            0..outputs - 1.
    """

    tokens: Tensor
    targets: Tensor


class Task(ABC):
    """A task. Only the last S positions of a sequence are scored.

    T is what makes the task hard; a task says what depends on it. A subclass sets ``symbols`` and
    ``outputs`` and draws batches; everything else follows.

    Attributes:
        symbols: number of different input tokens.
        outputs: number of classes of a target; guessing has an accuracy of 1 / outputs.
    """

    symbols: int
    outputs: int

    @abstractmethod
    def length(self, T: int) -> int:
        """Number L of tokens in a sequence at length T."""

    @abstractmethod
    def recalled(self, T: int) -> int:
        """Number S of scored positions at length T, the last ones."""

    @abstractmethod
    def draw(self, generator: torch.Generator, batch_size: int, T: int) -> Batch:
        """Draw a batch on the CPU; T and batch_size are at least 1.

        Args:
            generator: the only source of randomness, on the CPU.
        """

    def sample_batch(
        self,
        generator: torch.Generator,
        batch_size: int,
        T: int,
        device: torch.device | str = "cpu",
    ) -> Batch:
        """Draw a batch.

        Args:
            generator: a generator on the CPU, so that batches do not depend on the device.
            batch_size: number B of sequences.
            T: the length at which the task is asked.
            device: where the batch is returned.

        Raises:
            ValueError: T or batch_size is below 1, or the task draws other shapes than it says.
        """
        if T < 1 or batch_size < 1:
            raise ValueError(
                f"T >= 1 and batch_size >= 1 must hold, but got T={T}, batch_size={batch_size}"
            )
        batch = Batch(*self.draw(generator, batch_size, T))
        for name, steps in (("tokens", self.length(T)), ("targets", self.recalled(T))):
            expected, found = (steps, batch_size), tuple(getattr(batch, name).shape)
            if found != expected:
                of = "length" if name == "tokens" else "recalled"
                raise ValueError(
                    f"draw must return {name} of shape {expected}, ({of}, batch), but at T={T} "
                    f"returned {found}"
                )
        return Batch(*(t.to(device, non_blocking=True) for t in batch))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss that is trained: cross-entropy in nats, the mean over targets.

        Args:
            logits: shape (S, B, outputs).
            targets: shape (S, B).
        """
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def right(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Which positions are recalled rightly, bool, shape (S, B); arguments as for loss."""
        return logits.argmax(dim=-1) == targets

    @property
    def chance_accuracy(self) -> float:
        """Accuracy of guessing."""
        return 1 / self.outputs

    @property
    def chance_cross_entropy(self) -> float:
        """Cross-entropy of a uniform guess, in nats per symbol."""
        return math.log(self.outputs)
