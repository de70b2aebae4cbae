"""What the two multiplicative architectures share: the multiplicative intermediate state m."""

import math

import torch
from torch import nn

from copytask.models.gates import FORMS
from copytask.models.recurrent import RecurrentCell
from copytask.models.stack import check_choice

INITIALIZATIONS = ("near_plain", "published")
"""How W_mx and W_mh may start, see :class:`MultiplicativeCell`."""


class MultiplicativeCell(RecurrentCell):
    """A cell in which m_t = (W_mx x_t) * (W_mh h_{t-1}) replaces h_{t-1} in the gates.

    So each input token selects its own transition. In addition to the parameters of a plain cell
    there are ``weight_mx_l0``, shape (H, I), and ``weight_mh_l0``, shape (H, H).

    Args:
        input_size: I.
        hidden_size: H.
        forget_bias: initial bias of the gate that keeps the state; or ``chrono`` or ``uniform``,
            see :func:`copytask.models.gates.start_biases`.
        longest: longest time constant that ``chrono`` starts with, in steps.
        gates: their form, see :class:`copytask.models.RecurrentCell`.
        input_gated: let m_t replace x_t, not h_{t-1}: the gates are W_ih m_t + W_hh h_{t-1} + b,
            with ``weight_ih_l0`` of shape (G H, H).
        initialization: how W_mx and W_mh start. ``near_plain``: W_mx uniform on [0.8, 1.2] and W_mh
            orthogonal. For one-hot inputs m is then nearly a rotation of h, the cell starts nearly
            as a plain one, and it learns in fewer tokens. ``published``: W_mx uniform on [-1, 1],
            W_mh uniform like every other weight of torch's cells. With ``input_gated`` W_mx is
            uniform on [-1, 1] either way: near 1 all tokens would look alike to the gates.
        implementation: see :class:`copytask.models.RecurrentCell`.

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
        input_gated: bool = False,
        initialization: str = "near_plain",
        implementation: str = "auto",
    ):
        super().__init__()
        check_choice("initialization", initialization, INITIALIZATIONS)
        check_choice("gates", gates, tuple(FORMS[self.cell]))
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.gates, self.input_gated = gates, input_gated
        self.draw_weights(hidden_size if input_gated else input_size)
        self.weight_mx_l0 = nn.Parameter(torch.empty(hidden_size, input_size).uniform_(-1.0, 1.0))
        bound = 1 / math.sqrt(hidden_size)
        self.weight_mh_l0 = nn.Parameter(
            torch.empty(hidden_size, hidden_size).uniform_(-bound, bound)
        )
        if initialization == "near_plain":
            if not input_gated:
                nn.init.uniform_(self.weight_mx_l0, 0.8, 1.2)
            nn.init.orthogonal_(self.weight_mh_l0)
        self.set_implementation(implementation)
        self.set_forget_bias(forget_bias, longest)
