"""The orthogonal RNN."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

from copytask.engine import Operands
from copytask.models.recurrent import RecurrentCell
from copytask.models.stack import check_choice

MAPS = ("matrix_exp", "cayley", "householder")
STARTS = ("henaff", "cayley")


class ExpRNN(RecurrentCell):
    """h_t = modReLU(W h_{t-1} + U x_t) with an orthogonal W: what is in the state neither fades nor
    grows. modReLU(a) = sign(a) relu(|a| + c).

    It learns one lag, so train it at T exactly (``curriculum_length: 0``).

    Source: Lezcano-Casado & Martinez-Rubio 2019, "Cheap Orthogonal Constraints in Neural Networks",
    arXiv 1901.08428; modReLU: Arjovsky, Shah & Bengio 2016, arXiv 1511.06464.

    Args:
        symbols: I.
        hidden_size: H.
        map: how W is made of free parameters, see
            :func:`torch.nn.utils.parametrizations.orthogonal`.
        start: angles of the 2 x 2 blocks that W starts with. ``henaff``: uniform on (-pi, pi)
            (Henaff et al. 2016, arXiv 1602.06662). ``cayley``: those of the paper
            of ExpRNN, of which small ones are more likely.
        orthogonal_rate: learning rate of W, in units of that of the other parameters.
        implementation: see :class:`copytask.models.RecurrentCell`.
    """

    cell = "orthogonal"

    def __init__(
        self,
        symbols: int,
        *,
        hidden_size: int = 128,
        map: str = "matrix_exp",
        start: str = "henaff",
        orthogonal_rate: float = 0.1,
        implementation: str = "auto",
    ):
        super().__init__()
        check_choice("map", map, MAPS)
        check_choice("start", start, STARTS)
        self.hidden_size, self.orthogonal_rate = hidden_size, orthogonal_rate
        self.weight_ih_l0 = nn.Parameter(torch.empty(hidden_size, symbols))
        nn.init.kaiming_normal_(self.weight_ih_l0)
        self.bias = nn.Parameter(torch.empty(hidden_size).uniform_(-0.01, 0.01))
        self.weight_hh_l0 = nn.Parameter(rotations(hidden_size, start))
        orthogonal(self, "weight_hh_l0", orthogonal_map=map)
        self.weight_hh_l0 = rotations(hidden_size, start)
        self.set_implementation(implementation)

    def _operands(self, input: Tensor | None, batch: int, state: Any) -> Operands:
        """Project the input vectors; None stands for one vector for each token."""
        weight = self.weight_ih_l0
        inputs = weight.t().contiguous() if input is None else input @ weight.t()
        h = inputs.new_zeros(batch, self.hidden_size) if state is None else state[0]
        return Operands(inputs, None, self.weight_hh_l0, None, self.bias, h, None)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """W has a learning rate of its own, and no weight decay: W is orthogonal whatever its
        coordinates, and those of ``householder`` would lose their signs.
        """
        of_w = {n: p for n, p in self.named_parameters() if n.startswith("parametrizations.")}
        rest = [p for n, p in self.named_parameters() if n not in of_w]
        return [
            {"params": rest, "lr_scale": 1.0},
            {"params": list(of_w.values()), "lr_scale": self.orthogonal_rate, "weight_decay": 0.0},
        ]


def rotations(size: int, start: str) -> Tensor:
    """An orthogonal matrix of 2 x 2 rotations, shape (size, size)."""
    angles = torch.empty(size // 2).uniform_(-math.pi, math.pi)
    if start == "cayley":
        u = torch.empty(size // 2).uniform_(0, math.pi / 2)
        angles = -((1 - u.cos()) / (1 + u.cos())).sqrt()
    blocks = [
        torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
        for a in angles.tolist()
    ]
    matrix: Tensor = torch.block_diag(*blocks, torch.eye(size % 2))  # type: ignore[no-untyped-call]
    return matrix
