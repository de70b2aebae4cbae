"""The multiplicative LSTM (not the matrix-memory mLSTM of xLSTM)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from copytask.models.gates import MultiplicativeCore, set_gate_bias


class MultiplicativeLSTM(MultiplicativeCore):
    """An LSTM in which m_t = (W_mx x_t) * (W_mh h_{t-1}) replaces h_{t-1} in all four gates.

    With m = h it is torch.nn.LSTM.

    Source: Krause, Lu, Murray & Renals, "Multiplicative LSTM for sequence modelling", 2016,
    arXiv 1609.07959.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        initialization: str = "near_plain",
    ):
        super().__init__(input_size, hidden_size, initialization)
        set_gate_bias(self, 1, forget_bias)  # order of the gates: i, f, g, o

    def forward(
        self, input: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run over a sequence.

        Args:
            input: shape (L, B, I).
            state: (h, c), each of shape (1, B, H); zeros if not given.

        Returns:
            The outputs h_1..h_L, shape (L, B, H), and the last state (h, c).
        """
        if state is None:
            state = (self.zero_state(input), self.zero_state(input))
        h, c = state[0][0], state[1][0]
        # Indexing a tensor that needs a gradient inside the loop would make the backward
        # pass quadratic in L; unbind's is linear.
        from_input = F.linear(input, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        factors = F.linear(input, self.weight_mx_l0)
        outputs = []
        for gates_t, factor_t in zip(from_input.unbind(0), factors.unbind(0), strict=True):
            m = factor_t * F.linear(h, self.weight_mh_l0)
            i, f, g, o = torch.addmm(gates_t, m, self.weight_hh_l0.t()).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])
