"""The multiplicative GRU."""

import torch
from torch import Tensor
from torch.nn import functional as F

from copytask.models.gates import MultiplicativeCore, set_gate_bias


class MultiplicativeGRU(MultiplicativeCore):
    """A GRU in which m_t = (W_mx x_t) * (W_mh h_{t-1}) replaces h_{t-1} in its gates.

    The reset gate acts as in torch.nn.GRU, after the product with the recurrent weights, so
    that with m = h this is torch.nn.GRU. The state is still carried by h: h_t = (1 - z) n +
    z h_{t-1}.

    Source: Maupome & Meurs, "Multiplicative Models for Recurrent Language Modeling", 2019,
    arXiv 1907.00455.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        initialization: str = "near_plain",
    ):
        super().__init__(input_size, hidden_size, initialization)
        set_gate_bias(self, 1, forget_bias)  # order of the gates: r, z, n

    def forward(self, input: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over a sequence.

        Args:
            input: shape (L, B, I).
            state: h, shape (1, B, H); zeros if not given.

        Returns:
            The outputs h_1..h_L, shape (L, B, H), and the last state h.
        """
        h = (self.zero_state(input) if state is None else state)[0]
        H = self.hidden_size
        from_input = F.linear(input, self.weight_ih_l0, self.bias_ih_l0)
        factors = F.linear(input, self.weight_mx_l0)
        outputs = []
        # unbind: see MultiplicativeLSTM.forward
        for gates_t, factor_t in zip(from_input.unbind(0), factors.unbind(0), strict=True):
            m = factor_t * F.linear(h, self.weight_mh_l0)
            recurrent = F.linear(m, self.weight_hh_l0, self.bias_hh_l0)
            r, z = (gates_t[:, : 2 * H] + recurrent[:, : 2 * H]).sigmoid().chunk(2, dim=1)
            n = torch.addcmul(gates_t[:, 2 * H :], r, recurrent[:, 2 * H :]).tanh()
            h = torch.lerp(n, h, z)
            outputs.append(h)
        return torch.stack(outputs), h[None]
