"""A stack of residual blocks, as today's sequence models have it.

Shapes: L steps, B sequences, D width of the stack, S recalled steps, N rows.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from copytask.engine import check_tokens, recalled_steps
from copytask.models.model import SequenceModel


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a hyperparameter that is none of its choices.

    Raises:
        ValueError: it is none of them.
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, but got {value!r}")


def check_least(name: str, value: float, least: float) -> None:
    """Refuse a hyperparameter that is too small.

    Raises:
        ValueError: it is below ``least``.
    """
    if value < least:
        raise ValueError(f"{name} must be >= {least}, but got {value}")


@dataclass(frozen=True)
class Steps:
    """The stack's values at each step of a sequence.

    In the first block steps with the same token have the same values. So what a block computes of
    one step alone is computed once a token, and then brought to all steps:
    ``at_steps(function(rows))``, where the function mixes nothing but the last dimension.

    Attributes:
        rows: the values, shape (L, B, D), or (N, D) if steps share rows.
        row_of: the row of each step, shape (L, B), int64; None if each has its own.
    """

    rows: Tensor
    row_of: Tensor | None = None

    def at_steps(self, y: Tensor) -> Tensor:
        """What was computed of the rows, shape (..., Y), at each step: (L, B, Y)."""
        return y if self.row_of is None else F.embedding(self.row_of, y)

    def last(self, steps: int) -> Tensor:
        """The values of the last steps, shape (steps, B, D)."""
        if self.row_of is None:
            return self.rows[len(self.rows) - steps :]
        return F.embedding(self.row_of[len(self.row_of) - steps :], self.rows)

    def split(self, steps: int) -> "list[Steps]":
        """Parts of so many steps; the last one may have fewer."""
        if self.row_of is None:
            return [Steps(part) for part in torch.split(self.rows, steps)]
        return [Steps(self.rows, part) for part in torch.split(self.row_of, steps)]


class Mixer(nn.Module, ABC):
    """The part of a block that carries something from one step to a later one."""

    streams = True
    """Whether what is carried is bounded, whatever the length."""

    step_floats = 128
    """See :class:`SequenceModel`."""

    @abstractmethod
    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """Mix the steps of a sequence.

        Args:
            x: the stack's values, normalized.
            tokens: the input, shape (L, B), int64.
            state: what an earlier part of the sequence left; None at its beginning.
            last: how many steps the output is needed of, the last ones.

        Returns:
            What is added to the stack's values, shape (last, B, D), and the state after step L.
        """

    @abstractmethod
    def state_floats(self, steps: int) -> int:
        """How many numbers are carried on after so many steps of one sequence."""


class MLP(nn.Module):
    """Two layers with a GELU between them, on each step alone.

    Args:
        ratio: width of the layer between them, in widths of the stack.
    """

    def __init__(self, width: int, ratio: float):
        super().__init__()
        between = round(ratio * width)
        check_least("mlp_ratio x hidden_size", between, 1)
        self.up = nn.Linear(width, between)
        self.down = nn.Linear(between, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(F.gelu(self.up(x)))
        return y


class Block(nn.Module):
    """x += Mixer(RMSNorm x), then x += MLP(RMSNorm x): pre-norm.

    Source: Xiong et al. 2020, arXiv 2002.04745; RMSNorm: Zhang & Sennrich 2019, arXiv 1910.07467.
    """

    def __init__(self, width: int, mixer: Mixer, mlp_ratio: float):
        super().__init__()
        self.mixer = mixer
        self.norm = nn.RMSNorm(width)
        self.mlp = MLP(width, mlp_ratio) if mlp_ratio > 0 else None
        self.mlp_norm = nn.RMSNorm(width) if mlp_ratio > 0 else None

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """As :meth:`Mixer.forward`, of the stack's values themselves."""
        y, state = self.mixer(replace(x, rows=self.norm(x.rows)), tokens, state, last)
        y = x.last(last) + y
        if self.mlp is not None and self.mlp_norm is not None:
            y = y + self.mlp(self.mlp_norm(y))
        return y, state


class Stack(SequenceModel):
    """Token embedding, blocks, and a last normalization."""

    def __init__(self, symbols: int, width: int, mixers: list[Mixer], mlp_ratio: float):
        super().__init__()
        if not mixers:
            raise ValueError("layers must be >= 1")
        check_least("mlp_ratio", mlp_ratio, 0)
        self.width = width
        self.streams = all(mixer.streams for mixer in mixers)
        self.step_floats = max(
            width, round(mlp_ratio * width), *(mixer.step_floats for mixer in mixers)
        )
        self.embedding = nn.Embedding(symbols, width)
        self._mixers = tuple(mixers)
        self.blocks = nn.ModuleList(Block(width, mixer, mlp_ratio) for mixer in mixers)
        self.norm = nn.RMSNorm(width)

    def forward(
        self, tokens: Tensor, state: Any = None, recalled: int | None = None
    ) -> tuple[Tensor, list[Any]]:
        """See :class:`SequenceModel`.

        Raises:
            ValueError: tokens and weights are on different devices, or ``recalled`` is negative.
            IndexError: a token is unknown.
        """
        check_tokens(tokens, self.embedding.num_embeddings, self.embedding.weight)
        tokens = tokens.long()
        rows = self.embedding.weight
        x = Steps(rows, tokens) if len(rows) < tokens.numel() else Steps(self.embedding(tokens))
        states = [None] * len(self.blocks) if state is None else state
        after = []
        for i, (block, before) in enumerate(zip(self.blocks, states, strict=True), start=1):
            # The last block mixes for the outputs that are returned, and for no other.
            last = len(tokens)
            if i == len(self.blocks):
                last = recalled_steps(recalled, last)
            y, carried = block(x, tokens, before, last)
            x = Steps(y)
            after.append(carried)
        outputs: Tensor = self.norm(x.rows)
        return outputs, after

    def state_floats(self, steps: int) -> int:
        """See :meth:`SequenceModel.state_floats`."""
        return sum(mixer.state_floats(steps) for mixer in self._mixers)
