"""A recurrent cell unrolled over a sequence: what goes in, what is kept, what comes back.

Shapes: L steps, B sequences, H units, G gates, S recalled steps. There are two cells, ``lstm``
(gates i, f, g, o) and ``gru`` (r, z, n), each with the recurrent input m_t = h_{t-1}, or with
m_t = factor_t * (W_mh h_{t-1}) in the multiplicative architectures.
"""

import copy
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

GATES = {"lstm": 4, "gru": 3}


class Operands(NamedTuple):
    """What a sequence is computed from; a gradient flows to each."""

    inputs: Tensor  # W_ih x + b: (tokens, G H) for every token, or (L, B, G H) for every position
    factors: Tensor | None  # W_mx x: (tokens, H) or (L, B, H); None: m = h
    weight_hh: Tensor  # (G H, H)
    weight_mh: Tensor | None  # (H, H), with factors
    bias: Tensor | None  # (H): GRU, the bias inside the product that the reset gate scales
    h: Tensor  # (B, H): initial state
    c: Tensor | None  # (B, H): LSTM, initial cell


def recalled_steps(recalled: int | None, steps: int) -> int:
    """S: how many of L = ``steps`` outputs are returned, the last ones; all, if not given.

    Raises:
        ValueError: less than none.
    """
    if recalled is not None and recalled < 0:
        raise ValueError(f"recalled >= 0 must hold, but got recalled={recalled}")
    return steps if recalled is None else min(recalled, steps)


@dataclass
class Gradients:
    """Gradients of the loss, named as the operands. The engines add to those of the operands."""

    outputs: Tensor  # (S, B, H)
    h: Tensor  # (B, H): before the way back, of the final state; after it, of the initial one
    c: Tensor | None  # likewise
    inputs: Tensor
    factors: Tensor | None
    weight_hh: Tensor
    weight_mh: Tensor | None
    bias: Tensor | None

    @classmethod
    def start(cls, operands: Operands, outputs: Tensor) -> "Gradients":
        """Those of the outputs, and zero for all operands."""
        zeros: dict[str, Any] = {
            name: None if operand is None else torch.zeros_like(operand)
            for name, operand in operands._asdict().items()
        }
        return cls(outputs=outputs, **zeros)

    def part(self, steps: slice, recalled: slice) -> "Gradients":
        """Those of a part of the sequence, on the same memory: see :meth:`Unrolled.parts`."""
        part = replace(self, outputs=self.outputs[recalled])
        if self.inputs.dim() == 3:
            part.inputs = self.inputs[steps]
            part.factors = None if self.factors is None else self.factors[steps]
        return part


class Unrolled:
    """The operands and buffers of one sequence.

    With ``keep`` the buffers hold every step, as the way back needs. Without, two rows of
    states alternate and there is one row of activations.

    Attributes:
        index: shape (L, B), rows of ``inputs`` and ``factors``; None: these are by position.
        h, c: shape (L + 1, B, H), states; ``h[0]`` is the initial one. c: LSTM only.
        gates: shape (L, B, G H), activations; the GRU's last gate is W_hn m + bias.
        u: shape (L, B, H), W_mh h; with factors only.
        steps, recalled: L and S.
        bf16: whether the factors of matrix products may be rounded to bfloat16.
    """

    def __init__(
        self,
        cell: str,
        operands: Operands,
        index: Tensor | None,
        recalled: int | None,
        keep: bool,
        bf16: bool,
    ):
        self.cell = cell
        self.operands = operands
        self.index = index
        self.keep = keep
        self.bf16 = bf16
        batch, units = operands.h.shape
        self.steps = len(operands.inputs) if index is None else len(index)
        rows = self.steps if keep else 1
        shapes = [
            (rows + 1, batch, units),
            (rows + 1, batch, units if operands.c is not None else 0),
            (rows, batch, GATES[cell] * units),
            (rows, batch, units if operands.factors is not None else 0),
        ]
        sizes = [math.prod(shape) for shape in shapes]
        self._memory = _Memory(sum(sizes), operands.h)
        parts = torch.split(self._memory.tensor[: sum(sizes)], sizes)
        self.h, self.c, self.gates, self.u = (
            part.view(shape) for part, shape in zip(parts, shapes, strict=True)
        )
        self.recalled = recalled_steps(recalled, self.steps)
        self.h[0] = operands.h
        if operands.c is not None:
            self.c[0] = operands.c

    def state_row(self, step: int) -> int:
        """The row of ``h`` and ``c`` that holds the state before ``step``."""
        return step if self.keep else step % 2

    def buffers(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The buffers, in a fixed order."""
        return self.h, self.c, self.gates, self.u

    def parts(self, size: int) -> Iterator[tuple["Unrolled", slice, slice]]:
        """Cut the sequence into parts of ``size`` steps, an even number, and a shorter last one.

        Yields:
            The part, on the same buffers; its steps; its rows of the recalled outputs.
        """
        first = self.steps - self.recalled
        for start in range(0, self.steps, size):
            stop = min(start + size, self.steps)
            steps = slice(start, stop)
            recalled = slice(max(start - first, 0), max(stop - first, 0))
            part = copy.copy(self)
            part.steps = stop - start
            part.recalled = recalled.stop - recalled.start
            if self.index is not None:
                part.index = self.index[steps]
            else:
                inputs, factors = self.operands.inputs, self.operands.factors
                part.operands = self.operands._replace(
                    inputs=inputs[steps], factors=None if factors is None else factors[steps]
                )
            if self.keep:
                part.h, part.c = self.h[start : stop + 1], self.c[start : stop + 1]
                part.gates, part.u = self.gates[steps], self.u[steps]
            yield part, steps, recalled


class _Memory:
    """Memory of sequences. It is handed on to the next sequence when the last user is gone.

    Asked from the system at every training step, it would have to be cleared and mapped by
    the kernel every time. Lengths grow with the curriculum, so twice the size is asked for:
    pages that are never touched cost nothing. On a GPU torch keeps memory by itself.
    """

    # Of one sequence, the last; taking and giving it back are one operation each, as several
    # threads need.
    _free: ClassVar[deque[Tensor]] = deque(maxlen=1)

    def __init__(self, size: int, like: Tensor):
        # What is made in inference mode could not be written to in a training step later.
        with torch.inference_mode(False):
            if like.device.type != "cpu":
                self.tensor = like.new_empty(size)
                return
            try:
                self.tensor = self._free.pop()
            except IndexError:
                self.tensor = like.new_empty(0)
            if self.tensor.dtype != like.dtype or len(self.tensor) < size:
                self.tensor = like.new_empty(2 * size)

    def __del__(self) -> None:
        if self.tensor.device.type == "cpu":
            self._free.append(self.tensor)
