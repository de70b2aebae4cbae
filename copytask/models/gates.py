"""What the cells share: gate biases and the multiplicative intermediate state."""

import math

import torch
from torch import Tensor, nn

INITIALIZATIONS = ("near_plain", "published")


def set_gate_bias(core: nn.Module, gate: int, value: float) -> None:
    """Start one gate with bias_ih + bias_hh equal to ``value`` in every unit."""
    hidden_size = core.get_parameter("weight_hh_l0").shape[1]
    rows = slice(gate * hidden_size, (gate + 1) * hidden_size)
    with torch.no_grad():
        core.get_parameter("bias_ih_l0")[rows] = value
        core.get_parameter("bias_hh_l0")[rows] = 0.0


class MultiplicativeCore(nn.Module):
    """Parameters and state handling of a one-layer core in which m_t replaces h_{t-1}.

    m_t = (W_mx x_t) * (W_mh h_{t-1}), so that each input token selects its own transition.
    Shapes: L steps, B sequences, I inputs, H hidden units, G gates. ``weight_ih_l0`` (G H, I),
    ``weight_hh_l0`` (G H, H), ``bias_ih_l0`` and ``bias_hh_l0`` (G H) are those of torch.nn;
    ``weight_mx_l0`` is (H, I), ``weight_mh_l0`` (H, H).

    Args:
        initialization: how W_mx and W_mh start. ``near_plain``: W_mx uniform on [0.8, 1.2],
            W_mh orthogonal, so that m is about a rotation of h and the core begins as about
            a plain one (for one-hot inputs); it learns in fewer tokens. ``published``: W_mx
            uniform on [-1, 1], W_mh uniform like every other weight of torch's cells.
    """

    gates: int

    def __init__(self, input_size: int, hidden_size: int, initialization: str):
        super().__init__()
        if initialization not in INITIALIZATIONS:
            raise ValueError(
                f"initialization must be one of {', '.join(INITIALIZATIONS)}, "
                f"but got {initialization!r}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = self.gates * hidden_size
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

    def zero_state(self, input: Tensor) -> Tensor:
        """An initial state of zeros, shape (1, B, H), for an input of shape (L, B, I)."""
        return input.new_zeros(1, input.shape[1], self.hidden_size)
