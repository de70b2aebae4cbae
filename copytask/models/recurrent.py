"""What the gated cells and the orthogonal RNN share: their input, and how they are computed."""

import math
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
from copytask.models.gates import FORMS, KEEPING, OPPOSITE, GateForm, start_biases
from copytask.models.model import SequenceModel
from copytask.models.stack import check_choice


def implementations(factory: Callable[..., nn.Module]) -> tuple[str, ...]:
    """Names of the implementations of a factory's cells; only ``auto`` for a user's own."""
    if not (isinstance(factory, type) and issubclass(factory, RecurrentCell)):
        return ("auto",)
    if issubclass(factory, nn.RNNBase):
        return ("auto", "fused", "torch", "reference")
    return ("auto", "fused", "reference")


class RecurrentCell(SequenceModel):
    """A one-layer cell with the interface of torch.nn.GRU, which takes token ids as well.

    Shapes: L steps, B sequences, I inputs, H hidden units, G gates. Parameters are named as in
    torch.nn and do not depend on the implementation, so a checkpoint fits every implementation.

    Attributes:
        cell: whose state and equations it has: ``lstm``, ``gru``, ``orthogonal`` or ``goru``.
        hidden_size: H.
        gates: the form of its gates, a key of :data:`copytask.models.gates.FORMS` for this cell.
        input_gated: whether the multiplicative factor is on the side of the input.
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
    gates: str = "plain"
    input_gated: bool = False
    implementation: str
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    @property
    def form(self) -> GateForm:
        """The form of the gates."""
        return FORMS[self.cell][self.gates]

    @property
    def width(self) -> int:  # type: ignore[override]
        """H."""
        return self.hidden_size

    def state_floats(self, steps: int) -> int:
        """See :meth:`SequenceModel.state_floats`."""
        return self.hidden_size * (2 if self.cell == "lstm" else 1)

    def draw_weights(self, inputs: int) -> None:
        """Draw weights and biases as torch.nn does, for ``inputs`` numbers on the input side."""
        rows, bound = len(self.form.rows) * self.hidden_size, 1 / math.sqrt(self.hidden_size)
        for name, shape in (
            ("weight_ih_l0", (rows, inputs)),
            ("weight_hh_l0", (rows, self.hidden_size)),
            ("bias_ih_l0", (rows,)),
            ("bias_hh_l0", (rows,)),
        ):
            setattr(self, name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def set_implementation(self, implementation: str) -> None:
        """Choose how the cell is computed.

        Raises:
            ValueError: this architecture has no such implementation.
        """
        choices = implementations(type(self))
        check_choice("implementation", implementation, choices)
        if implementation == "torch" and self.gates != "plain":
            raise ValueError(
                f"implementation torch computes plain gates only, but gates is {self.gates!r}"
            )
        self.implementation = implementation

    def set_forget_bias(self, start: float | str, longest: int) -> None:
        """Start the bias (bias_ih + bias_hh) of the gate that keeps the state.

        Args:
            start: a number; or how it is drawn for each unit, see
                :func:`copytask.models.gates.start_biases`. Then the bias of i, or of s, starts at
                the negative.
            longest: see there.

        Raises:
            ValueError: there is no such start, or ``longest`` does not fit.
        """
        drawn = isinstance(start, str)
        biases = start_biases(start, self.hidden_size, longest)
        with torch.no_grad():
            for place, gate in enumerate(self.form.rows):
                rows = slice(place * self.hidden_size, (place + 1) * self.hidden_size)
                if gate in KEEPING or (gate in OPPOSITE and drawn):
                    self.bias_ih_l0[rows] = biases if gate in KEEPING else -biases
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
            ValueError: input or state do not fit the cell, or are on another device. For a state,
                the implementation ``torch`` raises RuntimeError.
            IndexError: a token id is not in 0..I - 1.
        """
        index = None if input.is_floating_point() else input
        inputs = getattr(self, "weight_mx_l0", self.weight_ih_l0).shape[1]
        fits = input.dim() == 3 and input.shape[2] == inputs if index is None else input.dim() == 2
        if not fits:
            raise ValueError(
                f"the input must have the shape (L, B) of token ids or (L, B, {inputs}) of "
                f"vectors, but got {tuple(input.shape)} of {input.dtype}"
            )
        if self._runs_on_torch(len(input)):
            if index is not None:
                weight = self.weight_ih_l0
                check_tokens(index, inputs, weight)
                one_hot = torch.eye(inputs, dtype=weight.dtype, device=weight.device)
                input = one_hot[index.long()]
            outputs, state = super().forward(input, state)
            return outputs[len(outputs) - recalled_steps(recalled, len(outputs)) :], state
        operands = self._operands(input if index is None else None, input.shape[1], state)
        run = reference if self.implementation == "reference" else fused
        outputs, (h, c) = run(self.form.engine, operands, index, recalled)
        return outputs, (h[None] if c is None else (h[None], c[None]))

    def _runs_on_torch(self, steps: int) -> bool:
        if not isinstance(self, nn.RNNBase) or self.gates != "plain":
            return False
        if steps == 0:  # torch.nn refuses that
            return False
        if self.implementation == "auto":
            return not has_kernels(self.weight_hh_l0)
        return self.implementation == "torch"

    def _operands(self, input: Tensor | None, batch: int, state: Any) -> Operands:
        """Project the input vectors on gates and mx; None stands for one vector for each token."""
        weight_mx: Tensor | None = getattr(self, "weight_mx_l0", None)
        weight_ih, weight_hh = self._all_rows(self.weight_ih_l0), self._all_rows(self.weight_hh_l0)
        bias_ih, bias_hh = self._all_rows(self.bias_ih_l0), self._all_rows(self.bias_hh_l0)
        inner_bias = weight_im = mx = None
        bias = bias_ih + bias_hh
        if self.cell == "gru":  # the reset gate scales the recurrent bias of n as well
            H = self.hidden_size
            inner_bias = bias_hh[-H:]
            bias = bias_ih + F.pad(bias_hh[:-H], (0, H))
        if weight_mx is not None:
            mx = weight_mx.t() if input is None else F.linear(input, weight_mx)
        if mx is not None and self.input_gated:  # the input acts through m alone
            inputs, weight_im = bias.expand(*mx.shape[:-1], len(bias)), weight_ih
        else:
            inputs = weight_ih.t() + bias if input is None else F.linear(input, weight_ih, bias)
        if state is None:
            h = inputs.new_zeros(batch, self.hidden_size)
            c = h if self.cell == "lstm" else None
        elif self.cell == "lstm":
            h, c = state[0][0], state[1][0]
        else:
            h, c = state[0], None
        return Operands(
            inputs, mx, weight_hh, getattr(self, "weight_mh_l0", None), inner_bias, h, c, weight_im
        )

    def _all_rows(self, weight: Tensor) -> Tensor:
        """Add the rows of i = 1 - f, the negative of those of f, where the gates are coupled."""
        if self.gates != "coupled":
            return weight
        return torch.cat((-weight[: self.hidden_size], weight))


class TorchCell(RecurrentCell):
    """A cell with the parameters of a class of torch.nn, the second base of each subclass.

    Args:
        input_size: I.
        hidden_size: H.
        forget_bias: initial bias of the gate that keeps the state; or ``chrono`` or ``uniform``,
            see :func:`copytask.models.gates.start_biases`.
        longest: longest time constant that ``chrono`` starts with, in steps.
        gates: their form, see :class:`RecurrentCell`.
        implementation: see :class:`RecurrentCell`.

    Raises:
        ValueError: an argument is unknown or out of range.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float | str = 1.0,
        longest: int = 1000,
        gates: str = "plain",
        implementation: str = "auto",
    ):
        super().__init__(input_size, hidden_size)
        check_choice("gates", gates, tuple(FORMS[self.cell]))
        self.gates = gates
        if gates != "plain":
            self.draw_weights(input_size)
        self.set_implementation(implementation)
        self.set_forget_bias(forget_bias, longest)

    def flatten_parameters(self) -> None:
        """Lay the weights out for cuDNN, which computes plain gates only."""
        if self.gates == "plain":
            super().flatten_parameters()  # type: ignore[misc]
