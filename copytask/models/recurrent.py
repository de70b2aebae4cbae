"""What the four architectures share: their input, and the choice of how they are computed."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from copytask.engine import (
    Operands,
    check_tokens,
    fused,
    has_kernels,
    recalled_steps,
    reference,
)
from copytask.models.model import SequenceModel


def implementations(factory: Callable[..., nn.Module]) -> tuple[str, ...]:
    """Names of the implementations of a factory's cells; only ``auto`` for a user's own."""
    if not (isinstance(factory, type) and issubclass(factory, RecurrentCell)):
        return ("auto",)
    if issubclass(factory, nn.RNNBase):
        return ("auto", "fused", "torch", "reference")
    return ("auto", "fused", "reference")


KEEPING_GATE = 1
"""The gate that keeps the state: f of an LSTM's i, f, g, o; z of a GRU's r, z, n."""


class RecurrentCell(SequenceModel):
    """A one-layer cell with the interface of torch.nn.GRU, which takes token ids as well.

    Shapes: L steps, B sequences, I inputs, H hidden units, G gates. Parameters are named as in
    torch.nn and do not depend on the implementation, so a checkpoint fits every implementation.

    Attributes:
        cell: whose gates it has, a key of ``copytask.engine.GATES``: ``lstm`` or ``gru``.
        hidden_size: H.
        implementation: how it is computed. ``fused``: one operation with a hand-written backward
            pass, see :func:`copytask.engine.fused`. ``torch``: by torch.nn, for the architectures
            that it has; on a GPU that is cuDNN, which rounds the operands of products to TF32
            unless ``torch.backends.cudnn.allow_tf32`` is off. ``reference``: the equations in a
            plain loop. ``auto``: the fastest for this device and type.
        weight_ih_l0: shape (G H, I).
        weight_hh_l0: shape (G H, H).
        bias_ih_l0: shape (G H).
        bias_hh_l0: shape (G H).
    """

    cell: str
    hidden_size: int
    implementation: str
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    @property
    def width(self) -> int:  # type: ignore[override]
        """H."""
        return self.hidden_size

    def state_floats(self, steps: int) -> int:
        """See :meth:`SequenceModel.state_floats`."""
        return self.hidden_size * (2 if self.cell == "lstm" else 1)

    def set_implementation(self, implementation: str) -> None:
        """Choose how the cell is computed.

        Raises:
            ValueError: this architecture has no such implementation.
        """
        choices = implementations(type(self))
        if implementation not in choices:
            raise ValueError(
                f"implementation must be one of {', '.join(choices)}, but got {implementation!r}"
            )
        self.implementation = implementation

    def set_forget_bias(self, value: float) -> None:
        """Set the bias (bias_ih + bias_hh) of the gate that keeps the state to ``value``."""
        rows = slice(KEEPING_GATE * self.hidden_size, (KEEPING_GATE + 1) * self.hidden_size)
        with torch.no_grad():
            self.bias_ih_l0[rows] = value
            self.bias_hh_l0[rows] = 0.0

    def forward(
        self, input: Tensor, state: Any = None, recalled: int | None = None
    ) -> tuple[Tensor, Any]:
        """Run over a sequence.

        Args:
            input: token ids below I, shape (L, B), int64, which stand for one-hot vectors; or
                any vectors, shape (L, B, I). L and B may be 0.
            state: h, or (h, c) for an LSTM, each of shape (1, B, H); None starts from zeros.
            recalled: return only this many outputs, the last ones; None returns all.

        Returns:
            The outputs h_1..h_L, shape (L or recalled, B, H), and the final state.

        Raises:
            ValueError: input or state do not fit the cell, or are on another device.
            IndexError: a token id is not in 0..I - 1.
        """
        index = None if input.is_floating_point() else input
        if self._runs_on_torch(len(input)):
            if index is not None:
                weight = self.weight_ih_l0
                check_tokens(index, weight.shape[1], weight)
                one_hot = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
                input = one_hot[index.long()]
            outputs, state = super().forward(input, state)
            return outputs[len(outputs) - recalled_steps(recalled, len(outputs)) :], state
        operands = self._operands(input if index is None else None, input.shape[1], state)
        run = reference if self.implementation == "reference" else fused
        outputs, (h, c) = run(self.cell, operands, index, recalled)
        return outputs, (h[None] if c is None else (h[None], c[None]))

    def _runs_on_torch(self, steps: int) -> bool:
        if not isinstance(self, nn.RNNBase) or steps == 0:  # torch.nn refuses 0 steps
            return False
        if self.implementation == "auto":
            return not has_kernels(self.weight_hh_l0)
        return self.implementation == "torch"

    def _operands(self, input: Tensor | None, batch: int, state: Any) -> Operands:
        """Project the input vectors on gates and mx; None stands for one vector for each token."""
        weight_mx: Tensor | None = getattr(self, "weight_mx_l0", None)
        inner_bias = None
        bias = self.bias_ih_l0 + self.bias_hh_l0
        if self.cell == "gru":  # the reset gate scales the recurrent bias of n as well
            H = self.hidden_size
            inner_bias = self.bias_hh_l0[2 * H :]
            bias = self.bias_ih_l0 + F.pad(self.bias_hh_l0[: 2 * H], (0, H))
        mx = None
        if input is None:
            inputs = self.weight_ih_l0.t() + bias
            if weight_mx is not None:
                mx = weight_mx.t()
        else:
            inputs = F.linear(input, self.weight_ih_l0, bias)
            if weight_mx is not None:
                mx = F.linear(input, weight_mx)
        if state is None:
            h = inputs.new_zeros(batch, self.hidden_size)
            c = h if self.cell == "lstm" else None
        elif self.cell == "lstm":
            h, c = state[0][0], state[1][0]
        else:
            h, c = state[0], None
        return Operands(
            inputs, mx, self.weight_hh_l0, getattr(self, "weight_mh_l0", None), inner_bias,
            h, c,
        )  # fmt: skip


class TorchCell(RecurrentCell):
    """A cell with the parameters of a class of torch.nn, the second base of each subclass."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        implementation: str = "auto",
    ):
        super().__init__(input_size, hidden_size)
        self.set_implementation(implementation)
        self.set_forget_bias(forget_bias)
