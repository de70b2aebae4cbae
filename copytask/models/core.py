"""What the four architectures share: how they take their input, and how they are computed."""

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


def implementations(factory: Callable[..., nn.Module]) -> tuple[str, ...]:
    """The implementations to choose from for a core; a user's own has only itself, as auto."""
    if not (isinstance(factory, type) and issubclass(factory, RecurrentCore)):
        return ("auto",)
    if issubclass(factory, nn.RNNBase):
        return ("auto", "fused", "torch", "reference")
    return ("auto", "fused", "reference")


KEEPING_GATE = 1
"""The gate that keeps the state: f of an LSTM's i, f, g, o; z of a GRU's r, z, n."""


class RecurrentCore(nn.Module):
    """A one-layer core with the interface of torch.nn.GRU, which takes token ids as well.

    Shapes: L steps, B sequences, I inputs, H hidden units, G gates. Parameters are named as
    in torch.nn, and are the same for every implementation, so that checkpoints fit all.

    ``implementation`` says how the core is computed. ``fused``: as one operation with a
    backward pass of its own, see :func:`copytask.engine.fused`; ``torch``: by torch.nn,
    where it has the architecture, and so on a GPU by cuDNN, which rounds the factors of products
    to TF32 unless ``torch.backends.cudnn.allow_tf32`` is off; ``reference``: by the equations in
    a plain loop; ``auto``: the fastest for this device and type.
    """

    cell: str  # a key of engine.GATES
    hidden_size: int
    implementation: str
    weight_ih_l0: Tensor  # (G H, I)
    weight_hh_l0: Tensor  # (G H, H)
    bias_ih_l0: Tensor  # (G H)
    bias_hh_l0: Tensor  # (G H)

    def set_implementation(self, implementation: str) -> None:
        """Choose how the core is computed.

        Raises:
            ValueError: there is no such implementation of this architecture.
        """
        choices = implementations(type(self))
        if implementation not in choices:
            raise ValueError(
                f"implementation must be one of {', '.join(choices)}, but got {implementation!r}"
            )
        self.implementation = implementation

    def set_forget_bias(self, value: float) -> None:
        """Start the gate that keeps the state with bias_ih + bias_hh equal to ``value``."""
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
            state: h, or (h, c) for an LSTM, each of shape (1, B, H); zeros if not given.
            recalled: return only the last ``recalled`` outputs.

        Returns:
            The outputs h_1..h_L, shape (L or recalled, B, H), and the final state.

        Raises:
            ValueError: input or state do not fit the core, or are on another device.
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
        if not isinstance(self, nn.RNNBase) or steps == 0:  # torch.nn refuses to do nothing
            return False
        if self.implementation == "auto":
            return not has_kernels(self.weight_hh_l0)
        return self.implementation == "torch"

    def _operands(self, input: Tensor | None, batch: int, state: Any) -> Operands:
        """The input projected on gates and factors: all vectors, or without them all tokens."""
        weight_mx: Tensor | None = getattr(self, "weight_mx_l0", None)
        inner_bias = None
        bias = self.bias_ih_l0 + self.bias_hh_l0
        if self.cell == "gru":  # the reset gate scales the recurrent bias of n as well
            H = self.hidden_size
            inner_bias = self.bias_hh_l0[2 * H :]
            bias = self.bias_ih_l0 + F.pad(self.bias_hh_l0[: 2 * H], (0, H))
        factors = None
        if input is None:
            inputs = self.weight_ih_l0.t() + bias
            if weight_mx is not None:
                factors = weight_mx.t()
        else:
            inputs = F.linear(input, self.weight_ih_l0, bias)
            if weight_mx is not None:
                factors = F.linear(input, weight_mx)
        if state is None:
            h = inputs.new_zeros(batch, self.hidden_size)
            c = h if self.cell == "lstm" else None
        elif self.cell == "lstm":
            h, c = state[0][0], state[1][0]
        else:
            h, c = state[0], None
        return Operands(
            inputs, factors, self.weight_hh_l0, getattr(self, "weight_mh_l0", None), inner_bias,
            h, c,
        )  # fmt: skip


class PlainCore(RecurrentCore):
    """A core with the parameters of a class of torch.nn, which stands after it as a base."""

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
