"""The gated orthogonal recurrent unit."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from copytask.engine import Operands
from copytask.models.exprnn import ExpRNN
from copytask.models.gates import start_biases


class GORU(ExpRNN):
    """A GRU whose candidate state is that of an orthogonal network:
    h_t = z h_{t-1} + (1 - z) modReLU(U x_t + r (W h_{t-1})) with an orthogonal W.

    The gates r and z are those of a GRU. Unlike :class:`ExpRNN` it can keep the state as it is.

    Source: Jing et al. 2017, "Gated Orthogonal Recurrent Units: On Learning to Forget",
    arXiv 1706.02761. W is made as in :class:`ExpRNN`, not of the rotations of the paper.

    Args:
        symbols: I.
        hidden_size: H.
        forget_bias: initial bias of z, which keeps the state; or ``chrono`` or ``uniform``, see
            :func:`copytask.models.gates.start_biases`.
        longest: longest time constant that ``chrono`` starts with, in steps.
        map, start, orthogonal_rate: see :class:`ExpRNN`.
        implementation: see :class:`copytask.models.RecurrentCell`.

    Raises:
        ValueError: an argument is unknown or out of range.
    """

    cell = "goru"
    gates_ih: Tensor
    gates_hh: Tensor

    def __init__(
        self,
        symbols: int,
        *,
        hidden_size: int = 128,
        forget_bias: float | str = 1.0,
        longest: int = 1000,
        map: str = "matrix_exp",
        start: str = "henaff",
        orthogonal_rate: float = 0.1,
        implementation: str = "auto",
    ):
        super().__init__(
            symbols,
            hidden_size=hidden_size,
            map=map,
            start=start,
            orthogonal_rate=orthogonal_rate,
            implementation=implementation,
        )
        bound = 1 / math.sqrt(hidden_size)
        for name, inputs in (("gates_ih", symbols), ("gates_hh", hidden_size)):
            weight = torch.empty(2 * hidden_size, inputs).uniform_(-bound, bound)
            setattr(self, name, nn.Parameter(weight))
        z = start_biases(forget_bias, hidden_size, longest)
        self.gates_bias = nn.Parameter(torch.cat((torch.zeros(hidden_size), z)))

    def _operands(self, input: Tensor | None, batch: int, state: Any) -> Operands:
        of_candidate = super()._operands(input, batch, state)
        bias, weight = self.gates_bias, self.gates_ih
        gates = weight.t() + bias if input is None else F.linear(input, weight, bias)
        return of_candidate._replace(
            inputs=torch.cat((gates, of_candidate.inputs), -1),
            weight_hh=torch.cat((self.gates_hh, of_candidate.weight_hh)),
        )
