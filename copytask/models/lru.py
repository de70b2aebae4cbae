"""The linear recurrent unit.

Shapes: L steps, B sequences, D width, N complex units, S steps with an output.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from copytask.engine.scan import complex_scan
from copytask.models.stack import Mixer, Stack, Steps, check_least


class LRUMixer(Mixer):
    """x_t = lam x_{t-1} + gam (B u_t), y_t = Re(C x_t) + D u_t, lam = exp(-exp(nu) + i th)."""

    def __init__(self, width: int, units: int, radius: float):
        super().__init__()
        self.units = units
        self.step_floats = 2 * units
        u = torch.rand(units)
        r2 = u * (1 - radius**2) + radius**2
        self.nu = nn.Parameter((-0.5 * r2.log()).clamp_min(1e-8).log())
        self.theta = nn.Parameter(torch.rand(units) * 2 * math.pi)
        self.scale = nn.Parameter(torch.ones(units))
        self.read = nn.Linear(width, 2 * units, bias=False)
        self.out = nn.Linear(2 * units, width, bias=False)
        self.skip = nn.Parameter(torch.zeros(width))

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """See :meth:`Mixer.forward`."""
        radius = torch.exp(-self.nu.exp())
        factor = torch.cat((radius * self.theta.cos(), radius * self.theta.sin()))
        u = x.at_steps(F.linear(x.rows, self.scale.repeat(2)[:, None] * self.read.weight))
        if state is None:
            state = u.new_zeros(tokens.shape[1], 2 * self.units)
        h = complex_scan(factor, u, state)
        y = self.out(h[len(h) - last :]) + self.skip * x.last(last)
        return y, h[-1] if len(h) else state

    def state_floats(self, steps: int) -> int:
        """See :meth:`Mixer.state_floats`."""
        return 2 * self.units


class LRU(Stack):
    """The linear recurrent unit: a diagonal, complex, linear recurrence.

    Source: Orvieto et al. 2023, arXiv 2303.06349. There gam starts at sqrt(1 - |lam|^2), which
    shuts the input out as |lam| goes to 1; here it starts at 1. It is linear and time-invariant, so
    it learns one lag: train it at T exactly.

    Args:
        symbols: of the input.
        hidden_size: D.
        layers: blocks.
        units: N.
        radius: |lam| starts uniform (in area) between this and 1.
        mlp_ratio: width of the MLPs, in units of D.
    """

    def __init__(
        self,
        symbols: int,
        *,
        hidden_size: int = 64,
        layers: int = 1,
        units: int = 256,
        radius: float = 0.999,
        mlp_ratio: float = 2.0,
    ):
        check_least("units", units, 1)
        if not 0 <= radius <= 1:
            raise ValueError(f"radius must be in 0..1, but got {radius}")
        mixers: list[Mixer] = [LRUMixer(hidden_size, units, radius) for _ in range(layers)]
        super().__init__(symbols, hidden_size, mixers, mlp_ratio)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The eigenvalues learn at a quarter of the rate."""
        slow = [p for n, p in self.named_parameters() if n.endswith((".nu", ".theta"))]
        chosen = {id(p) for p in slow}
        rest = [p for p in self.parameters() if id(p) not in chosen]
        return [{"params": rest, "lr_scale": 1.0}, {"params": slow, "lr_scale": 0.25}]
