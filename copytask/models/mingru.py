"""minGRU and minLSTM: gated recurrences that are linear in the state, and so a scan.

Shapes: L steps, B sequences, D width, H units, S steps with an output.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from copytask.engine.scan import linear_scan
from copytask.models.stack import Mixer, Stack, Steps, check_least


class MinGRUMixer(Mixer):
    """h_t = (1 - z_t) h_{t-1} + z_t (W_h x_t), z_t = sigmoid(W_z x_t + b)."""

    gates = 1

    def __init__(self, width: int, expansion: float, longest: int):
        super().__init__()
        self.units = round(expansion * width)
        projected = (1 + self.gates) * self.units
        self.step_floats = projected
        self.project = nn.Linear(width, projected)
        self.out = nn.Linear(self.units, width)
        with torch.no_grad():
            self.project.bias.zero_()
            # Time constants log-uniform up to the longest, in the manner of Tallec & Ollivier 2018:
            # what is taken starts at 1 / (1 + time constant).
            spread = torch.rand(self.units) * math.log(longest)
            gates = self.project.bias[self.units :].view(self.gates, self.units)
            gates[0], gates[1:] = -spread, spread

    def weights(self, gates: Tensor) -> tuple[Tensor, Tensor]:
        """How much of the state is kept, and how much of the input is taken; (..., H) each."""
        z = gates.sigmoid()
        return 1 - z, z

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """See :meth:`Mixer.forward`."""
        projected = self.project(x.rows)
        values, gates = projected.split((self.units, self.gates * self.units), -1)
        keep, take = self.weights(gates)
        if state is None:
            state = values.new_zeros(tokens.shape[1], self.units)
        h = linear_scan(x.at_steps(keep), x.at_steps(take * values), state)
        return self.out(h[len(h) - last :]), h[-1] if len(h) else state

    def state_floats(self, steps: int) -> int:
        """See :meth:`Mixer.state_floats`."""
        return self.units


class MinLSTMMixer(MinGRUMixer):
    """h_t = f' h_{t-1} + i' (W_h x_t) with the gates f and i scaled to f' + i' = 1."""

    gates = 2

    def weights(self, gates: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`MinGRUMixer.weights`."""
        i, f = gates.chunk(2, -1)
        # f / (f + i) with f, i logistic, without a quotient of small numbers.
        keep = (torch.nn.functional.logsigmoid(f) - torch.nn.functional.logsigmoid(i)).sigmoid()
        return keep, 1 - keep


class MinGRU(Stack):
    """The minimal GRU, in a stack of residual blocks.

    Source: Feng et al. 2024, "Were RNNs All We Needed?", arXiv 2410.01201; the scan takes values of
    any sign, so there is no form in logarithms.

    Args:
        symbols: of the input.
        hidden_size: D.
        layers: blocks; one alone cannot keep the order of what it has read.
        expansion: H, in units of D.
        mlp_ratio: width of the MLPs, in units of D; 0: none.
        longest: in steps: time constants of the units start log-uniform on 1..longest.
    """

    mixer: type[MinGRUMixer] = MinGRUMixer

    def __init__(
        self,
        symbols: int,
        *,
        hidden_size: int = 64,
        layers: int = 2,
        expansion: float = 2.0,
        mlp_ratio: float = 2.0,
        longest: int = 1000,
    ):
        check_least("expansion x hidden_size", round(expansion * hidden_size), 1)
        check_least("longest", longest, 1)
        mixers = [self.mixer(hidden_size, expansion, longest) for _ in range(layers)]
        super().__init__(symbols, hidden_size, list(mixers), mlp_ratio)


class MinLSTM(MinGRU):
    """The minimal LSTM; see :class:`MinGRU`."""

    mixer = MinLSTMMixer
