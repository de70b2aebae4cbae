"""How long the training sequences are: a geometric ramp from 2 to T."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class LengthRamp:
    """Training length as a function of the optimizer step.

    A batch's length is uniform on 1..M(step). M grows geometrically from 2 to T over
    ``curriculum_length`` steps and stays at T afterwards. Short lengths stay in the mix so
    that they are not forgotten. ``curriculum_length=0`` is no curriculum: every batch has
    length T.
    """

    T: int
    curriculum_length: int

    def max_length(self, step: int) -> int:
        """M(step), the largest length that a batch may have at this optimizer step."""
        if step >= self.curriculum_length:
            return self.T
        start = min(2, self.T)
        growth: float = (self.T / start) ** (step / self.curriculum_length)
        return round(start * growth)

    def sample_length(self, step: int, generator: torch.Generator) -> int:
        """Draw the length of the batch at this step; ``generator`` lives on the CPU."""
        if self.curriculum_length == 0:
            return self.T
        return int(torch.randint(1, self.max_length(step) + 1, (), generator=generator))
