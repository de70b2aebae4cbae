"""What the two multiplicative architectures share: the multiplicative intermediate state m."""

import math

import torch
from torch import nn

from copytask.engine import GATES
from copytask.models.recurrent import RecurrentCell

INITIALIZATIONS = ("near_plain", "published")
"""How W_mx and W_mh may start, see :class:`MultiplicativeCell`."""


class MultiplicativeCell(RecurrentCell):
    """A cell in which m_t = (W_mx x_t) * (W_mh h_{t-1}) replaces h_{t-1} in the gates.

    So each input token selects its own transition. In addition to the parameters of a plain cell
    there are ``weight_mx_l0``, shape (H, I), and ``weight_mh_l0``, shape (H, H).

    Args:
        input_size: I.
        hidden_size: H.
        forget_bias: initial bias of the gate that keeps the state.
        initialization: how W_mx and W_mh start. ``near_plain``: W_mx uniform on [0.8, 1.2] and W_mh
            orthogonal. For one-hot inputs m is then nearly a rotation of h, the cell starts nearly
            as a plain one, and it learns in fewer tokens. ``published``: W_mx uniform on [-1, 1],
            W_mh uniform like every other weight of torch's cells.
        implementation: see :class:`copytask.models.RecurrentCell`.

    Raises:
        ValueError: ``initialization`` or ``implementation`` is unknown.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        initialization: str = "near_plain",
        implementation: str = "auto",
    ):
        super().__init__()
        if initialization not in INITIALIZATIONS:
            raise ValueError(
                f"initialization must be one of {', '.join(INITIALIZATIONS)}, "
                f"but got {initialization!r}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = GATES[self.cell] * hidden_size
        bound = 1 / math.sqrt(hidden_size)

        def uniform(*shape: int, low: float = -bound, high: float = bound) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).uniform_(low, high))

        self.weight_ih_l0 = uniform(rows, input_size)
        self.weight_hh_l0 = uniform(rows, hidden_size)
        self.bias_ih_l0 = uniform(rows)
        self.bias_hh_l0 = uniform(rows)
        self.weight_mx_l0 = uniform(hidden_size, input_size, low=-1.0, high=1.0)
        self.weight_mh_l0 = uniform(hidden_size, hidden_size)
        if initialization == "near_plain":
            nn.init.uniform_(self.weight_mx_l0, 0.8, 1.2)
            nn.init.orthogonal_(self.weight_mh_l0)
        self.set_implementation(implementation)
        self.set_forget_bias(forget_bias)
