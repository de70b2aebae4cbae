"""A recurrent cell unrolled over a sequence: its operands, its buffers and its gradients.

Shapes: L steps, B sequences, H units, G gates, S recalled positions, which are the last ones. There
are two gated cells, ``lstm`` (gates i, f, g, o) and ``gru`` (r, z, n), and one without gates,
``orthogonal``, whose pre-activation counts as one. ``goru`` is a GRU with the activation of
``orthogonal``, :func:`modrelu`. In ``refined_lstm`` (s, f, g, o) and
``refined_gru`` (r, z, s, n) a gate s refines the one that keeps the state, see
:func:`refine`. The recurrent input of the gates is h_{t-1}. In the multiplicative architectures
m_t = mx_t * mh_t, with mx_t = W_mx x_t and mh_t = W_mh h_{t-1}, takes the place of h_{t-1}; with
``weight_im`` it takes the place of x_t.
"""

import copy
import math
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

GATES = {"lstm": 4, "gru": 3, "refined_lstm": 4, "refined_gru": 4, "orthogonal": 1, "goru": 3}
"""Number of gates G of each cell."""

LSTMS = ("lstm", "refined_lstm")
"""The cells with a state c."""


def refine(f: Tensor, s: Tensor) -> Tensor:
    """The share of the state that is kept: s (1 - (1 - f)^2) + (1 - s) f^2, which is f at s = 1/2.

    Source: Gu et al. 2020, "Improving the Gating Mechanism of Recurrent Neural Networks",
    arXiv 1910.09890, where s is called r.
    """
    return f * (f + 2 * s * (1 - f))


def modrelu(a: Tensor, offset: Tensor) -> Tensor:
    """sign(a) relu(|a| + offset).

    Source: Arjovsky, Shah & Bengio 2016, "Unitary Evolution Recurrent Neural Networks",
    arXiv 1511.06464.
    """
    return a.sign() * (a.abs() + offset).relu()


class Operands(NamedTuple):
    """What a sequence is computed from. Gradients flow to each of them.

    Attributes:
        inputs: W_ih x + b, shape (symbols, G H), a row for each token id, or (L, B, G H), one for
            each position; b alone with ``weight_im``.
        mx: W_mx x, shape (symbols, H) or (L, B, H); None in the plain cells, where m = h.
        weight_hh: shape (G H, H).
        weight_mh: shape (H, H); None without ``mx``.
        bias: shape (H); GRU: the bias inside the product that the reset gate scales; orthogonal
            and goru: the offset of modReLU.
        h: shape (B, H), the initial state.
        c: shape (B, H), the initial cell state; LSTM only.
        weight_im: shape (G H, H), the weight of m on the side of the input; None: m takes the place
            of h.
    """

    inputs: Tensor
    mx: Tensor | None
    weight_hh: Tensor
    weight_mh: Tensor | None
    bias: Tensor | None
    h: Tensor
    c: Tensor | None
    weight_im: Tensor | None = None


def recalled_steps(recalled: int | None, steps: int) -> int:
    """S, the number of outputs to return: ``recalled``, but at most all ``steps``.

    Raises:
        ValueError: ``recalled`` is negative.
    """
    if recalled is not None and recalled < 0:
        raise ValueError(f"recalled >= 0 must hold, but got recalled={recalled}")
    return steps if recalled is None else min(recalled, steps)


@dataclass
class Gradients:
    """Gradients of the loss, named as the operands and of their shapes.

    The engines read ``outputs``, and write or add to all others.

    Attributes:
        outputs: shape (S, B, H).
        h, c: before the backward pass, of the final state; after it, of the initial state.
    """

    outputs: Tensor
    h: Tensor
    c: Tensor | None
    inputs: Tensor
    mx: Tensor | None
    weight_hh: Tensor
    weight_mh: Tensor | None
    bias: Tensor | None
    weight_im: Tensor | None

    @classmethod
    def start(cls, operands: Operands, outputs: Tensor) -> "Gradients":
        """Take the gradient of the outputs; start with zero for all operands."""
        zeros: dict[str, Any] = {
            name: None if operand is None else torch.zeros_like(operand)
            for name, operand in operands._asdict().items()
        }
        return cls(outputs=outputs, **zeros)

    def part(self, steps: slice, recalled: slice) -> "Gradients":
        """The gradients of a part of the sequence, on the same memory.

        See :meth:`UnrolledCell.parts`.
        """
        part = replace(self, outputs=self.outputs[recalled])
        if self.inputs.dim() == 3:
            part.inputs = self.inputs[steps]
            part.mx = None if self.mx is None else self.mx[steps]
        return part


class UnrolledCell:
    """The operands and buffers of one sequence.

    With ``keep`` the buffers hold every step, for the backward pass. Without it, two rows of states
    alternate and there is one row of activations.

    Attributes:
        index: shape (L, B), rows of ``inputs`` and ``mx``; None: these are given by position.
        h, c: states, shape (L + 1, B, H); ``h[0]`` is the initial one. c: LSTM only.
        gates: activations, shape (L, B, G H); in place of the last gate of a GRU, W_hn m + bias,
            and of goru, W_hn m.
        mh: W_mh h, shape (L, B, H); multiplicative cells only.
        x: inputs + W_im m, shape (L, B, G H); with ``weight_im`` only.
        steps, recalled: L and S.
        bf16: whether the operands of matrix products may be rounded to bfloat16.
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
            (rows, batch, units if operands.mx is not None else 0),
            (rows, batch, GATES[cell] * units if operands.weight_im is not None else 0),
        ]
        sizes = [math.prod(shape) for shape in shapes]
        self._memory = _Memory(sum(sizes), operands.h)
        parts = torch.split(self._memory.tensor[: sum(sizes)], sizes)
        self.h, self.c, self.gates, self.mh, self.x = (
            part.view(shape) for part, shape in zip(parts, shapes, strict=True)
        )
        self.recalled = recalled_steps(recalled, self.steps)
        self.h[0] = operands.h
        if operands.c is not None:
            self.c[0] = operands.c

    def state_row(self, step: int) -> int:
        """The row of ``h`` and ``c`` that holds the state before ``step``."""
        return step if self.keep else step % 2

    def buffers(self) -> tuple[Tensor, ...]:
        """The buffers, in a fixed order."""
        return self.h, self.c, self.gates, self.mh, self.x

    def parts(self, size: int) -> Iterator[tuple["UnrolledCell", slice, slice]]:
        """Cut the sequence into parts of ``size`` steps, an even number, and a shorter last one.

        Yields:
            The part, on the same buffers; its steps; its rows of the outputs.
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
                inputs, mx = self.operands.inputs, self.operands.mx
                part.operands = self.operands._replace(
                    inputs=inputs[steps], mx=None if mx is None else mx[steps]
                )
            if self.keep:
                part.h, part.c = self.h[start : stop + 1], self.c[start : stop + 1]
                part.gates, part.mh, part.x = self.gates[steps], self.mh[steps], self.x[steps]
            yield part, steps, recalled


class _Memory:
    """The memory of a sequence's buffers, which the next sequence reuses.

    If every training step asked the system for memory, the system would have to map and clear it
    every time. Lengths grow with the curriculum, so we ask for twice the size: pages that are never
    touched cost nothing. On a GPU torch's own allocator does this.
    """

    # Holds the memory of the last sequence. Taking and returning it are one operation each, which
    # makes this safe for threads.
    _free: ClassVar[deque[Tensor]] = deque(maxlen=1)

    def __init__(self, size: int, like: Tensor):
        # A tensor made in inference mode cannot be written to by a later training step.
        with torch.inference_mode(False):
            self.tensor = like.new_empty(0)  # what __del__ finds if there is no memory left
            if like.device.type != "cpu":
                self.tensor = like.new_empty(size)
                return
            with suppress(IndexError):
                self.tensor = self._free.pop()
            if self.tensor.dtype != like.dtype or len(self.tensor) < size:
                self.tensor = like.new_empty(2 * size)

    def __del__(self) -> None:
        if self.tensor.device.type == "cpu":
            self._free.append(self.tensor)
