"""Spikes of the gradient, which come where a training that is almost done falls back."""

from typing import Any

import torch

SMOOTHING = 0.02
"""Weight of a step in the running mean of the norm: the mean is over about 50 steps."""

FIRST_STEPS = 20
"""Steps before a norm can be a spike."""

LOWEST_RATE = 1 / 8


class SpikeGuard:
    """Tells which optimizer steps to skip, and by how much to lower the learning rate.

    Over hundreds of steps, a gradient grows without bound as soon as the network's dynamics are
    chaotic, and clipping mends its size, but not its direction. So a step is skipped if the norm of
    its gradient is many times the running mean: a spike. It may say that the learning rate is too
    high for how far the training is. So after an iteration with a spike, the rate is halved, down
    to an eighth. Whether this helps is not shown (benchmarks/spikes.csv). A gradient that is not
    finite cannot be clipped at all: it would turn every weight into NaN.

    What it counts stays on the device: a step does not wait for a GPU.

    Args:
        spike_norm: from how many times the running mean a norm is a spike; 0: only norms that are
            not finite are spikes, and the rate stays.
        device: of the norms.

    Attributes:
        rate: factor of the learning rate.
    """

    def __init__(self, spike_norm: float, device: torch.device | str = "cpu"):
        self.rate = 1.0
        self._spike_norm = spike_norm
        self._steps = 0
        self._mean_norm = torch.zeros((), device=device)
        self._seen = torch.zeros((), dtype=torch.bool, device=device)  # in this iteration

    def is_spike(self, norm: torch.Tensor) -> torch.Tensor:
        """Take note of a step; whether to skip it.

        Args:
            norm: of the step's gradient before clipping, shape ().

        Returns:
            A bool on the device, shape ().
        """
        if self._spike_norm == 0:
            return ~norm.isfinite()
        self._steps += 1
        mean = self._mean_norm
        if self._steps > FIRST_STEPS:
            limit = torch.where(mean > 0, self._spike_norm * mean, torch.inf)
            weight = SMOOTHING
        else:
            limit, weight = torch.full_like(mean, torch.inf), 1 / self._steps
        counted = torch.where(norm.isfinite(), torch.minimum(norm, limit), mean)
        self._mean_norm = mean + weight * (counted - mean)
        spike = ~(norm.isfinite() & (norm <= limit))
        self._seen |= spike
        return spike

    def end_iteration(self) -> None:
        """Halve the learning rate if there was a spike."""
        if self._seen:
            self.rate = max(LOWEST_RATE, self.rate / 2)
            self._seen.zero_()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint between two iterations needs."""
        return {"rate": self.rate, "steps": self._steps, "mean_norm": float(self._mean_norm)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; {}, as of an earlier version, is the start."""
        self.rate = state.get("rate", 1.0)
        self._steps = state.get("steps", 0)
        self._mean_norm.fill_(state.get("mean_norm", 0.0))
