"""A cell of your own: the minimal gated unit (Zhou, Wu, Zhang & Zhou 2016, arXiv 1603.09420).

A GRU with one gate instead of two::

    f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)
    n_t = tanh(W_n x_t + U_n (f_t * h_{t-1}) + b_n)
    h_t = (1 - f_t) * h_{t-1} + f_t * n_t

Search its hyperparameters and compare it with the others::

    python -m search.run --model examples/minimal_gated_unit.py:factory --name mgu
    python -m analysis.compare
"""

import torch
from torch import Tensor, nn


class MinimalGatedUnit(nn.Module):
    """A cell needs the interface of ``torch.nn.GRU`` and nothing else.

    Args:
        input_size: features of an input, I.
        hidden_size: units, H.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        self.input = nn.Linear(input_size, 2 * hidden_size)
        self.forget = nn.Linear(hidden_size, hidden_size, bias=False)
        self.new = nn.Linear(hidden_size, hidden_size, bias=False)
        with torch.no_grad():
            # Start with small gates, so that the state keeps what it holds.
            self.input.bias[:hidden_size] -= 2

    def forward(self, input: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the cell over a sequence.

        Args:
            input: shape (L, B, I).
            state: shape (1, B, H); zeros if None.

        Returns:
            The states of all steps, shape (L, B, H), and the last one, shape (1, B, H).
        """
        h = input.new_zeros(input.shape[1], self.hidden_size) if state is None else state[0]
        states = []
        for x in self.input(input):  # one product for all inputs
            x_forget, x_new = x.chunk(2, dim=-1)
            f = torch.sigmoid(x_forget + self.forget(h))
            n = torch.tanh(x_new + self.new(f * h))
            h = h + f * (n - h)
            states.append(h)
        return torch.stack(states), h[None]


factory = MinimalGatedUnit
"""The name that ``--model`` gives; called with (input_size, hidden_size)."""
