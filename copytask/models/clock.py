"""A clock: where in a sequence a step is, as angles that rotate, and that a token can set back.

Shapes: L steps, B sequences, F frequencies.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from copytask.engine.phases import clock_phases, rotate
from copytask.models.stack import check_choice

KINDS = ("reset", "absolute")
GATES = ("hard", "soft")
SPECTRA = ("uniform", "random", "geometric", "mixed")

SLOW = 4
"""Slow angles in the mixed spectrum: 1, 0.1, 0.01 and 0.001 radians a step."""

START = math.log(10)
"""b, from which the gates start: a clock forgets within about ten steps. So it has to learn which
tokens let it run. Started at log(1e4), it runs, and has to learn which token sets it back: on the
first, short sequences that may as well be the blanks, and then it is too late."""

EARLIER_START = math.log(1e4)
"""b in checkpoints of earlier versions, whose gates had no noise."""

NOISE = 1.0
"""Standard deviation of what is added to the logit of a hard gate in training. A gate that is
neither open nor shut becomes useless by it, so gates learn to be what rounding makes of them.
Source: Salakhutdinov & Hinton 2009, "Semantic hashing", doi 10.1016/j.ijar.2008.11.006."""


def check_clock(kind: str, gate: str, spectrum: str, kinds: tuple[str, ...] = KINDS) -> None:
    """Refuse what no clock can be, also where a model does without one.

    Raises:
        ValueError: the kind, the gate or the spectrum is unknown.
    """
    check_choice("clock", kind, kinds)
    check_choice("gate", gate, GATES)
    check_choice("spectrum", spectrum, SPECTRA)


def make_spectrum(kind: str, frequencies: int, base: float = 1e4) -> Tensor:
    """Angles in radians a step, shape (F), float64.

    Args:
        kind: ``uniform``: pi (2f + 1) / (2F), with which 2F positions in a row are orthogonal;
            ``random``: uniform on (0, pi), drawn from torch's global generator; ``geometric``:
            base**(-f / F), those of RoPE (Su et al. 2021, arXiv 2104.09864); ``mixed``:
            uniform but for ``SLOW`` geometric ones. Slow angles make the loss smooth, so that
            the clock learns to be set back by the delimiter; without them it is often blanks
            that set it back. Few are enough, and many blur the positions.
    """
    check_choice("spectrum", kind, SPECTRA)
    index = torch.arange(frequencies, dtype=torch.float64)
    if kind == "uniform":
        return math.pi * (2 * index + 1) / (2 * frequencies)
    if kind == "random":
        return math.pi * torch.rand(frequencies, dtype=torch.float64)
    if kind == "mixed":
        slow = min(SLOW, frequencies // 2)
        uniform = make_spectrum("uniform", frequencies - slow)
        return torch.cat((uniform, make_spectrum("geometric", slow)))
    return base ** (-index / frequencies)


def _take(numbers: Tensor, tokens: Tensor) -> Tensor:
    """The number of each token, in the shape of the tokens.

    On the way back the gradients of a token are summed. On several threads of a CPU ``[tokens]``
    sums them in any order, and so does ``index_select`` on a GPU.
    """
    if numbers.device.type == "cpu":
        return numbers.index_select(0, tokens.flatten()).view(tokens.shape)
    return numbers[tokens]


class Clock(nn.Module):
    """Phases z_t = f_t e^{iw} z_{t-1} + (1 - f_t) with z_{-1} = 1, scaled to |z| = 1.

    f_t = sigmoid(5 a[x_t] + b) with a learned number a for each token, 0 at the start. A token with
    f = 0 sets the clock back to 0; one with f = 1 lets it run. What is gated is the amplitude, not
    the angle, so the loss is smooth in a.

    Args:
        symbols: tokens.
        frequencies: F.
        spectrum: of w, see :func:`make_spectrum`.
        kind: ``reset``, or ``absolute``: f = 1 for all tokens.
        gate: ``hard``: f is rounded in evaluation, which makes phases exact at every length, and
            noisy in training, see :data:`NOISE`; ``soft``: neither.
    """

    angles: Tensor
    anchor: Tensor
    bias: Tensor
    noise: Tensor

    def __init__(self, symbols: int, frequencies: int, spectrum: str, kind: str, gate: str):
        super().__init__()
        check_clock(kind, gate, spectrum)
        self.frequencies, self.gate = frequencies, gate
        self.register_buffer("angles", make_spectrum(spectrum, frequencies))
        self.register_buffer("anchor", torch.zeros(()), persistent=False)
        self.resets: nn.Parameter | None = None
        if kind == "reset":
            self.resets = nn.Parameter(torch.zeros(symbols))
            self.register_buffer("bias", torch.tensor(START))
            self.register_buffer("noise", torch.tensor(NOISE))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Clock":
        """Move the clock; another type is for its other numbers, not for the angles."""
        angles = self.angles
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.angles.dtype != angles.dtype:
            self.angles = angles.to(self.angles.device)
        return self

    def identity(self, heads: int) -> nn.Parameter:
        """A rotation and scaling of each frequency, one for each head: none at the start."""
        one = torch.zeros(heads, 2 * self.frequencies)
        one[:, : self.frequencies] = 1
        return nn.Parameter(one)

    def turn(self, query: Tensor, key: Tensor) -> Tensor:
        """What turns phases into queries, if the phases themselves are the keys.

        (R_q phi_t) . (R_k phi_s) / F = (R_k* R_q phi_t / F) . phi_s, for R_q and R_k as
        :meth:`identity` returns them.
        """
        re, im = key.chunk(2, -1)
        return rotate(query, torch.cat((re, -im), -1)) / self.frequencies

    def gates(self, tokens: Tensor) -> Tensor:
        """f of each token, in its shape: (L, B)."""
        if self.resets is None:
            return self.anchor.new_ones(tokens.shape)
        logits = 5 * self.resets + self.bias
        if self.gate == "soft":
            return _take(logits.sigmoid(), tokens)
        if not self.training:
            return (logits > 0).to(logits.dtype)[tokens]
        logits = _take(logits, tokens)
        return (logits + self.noise * torch.randn_like(logits)).sigmoid()

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *arguments: Any
    ) -> None:
        """Checkpoints of earlier versions go on with the start that they had, and without noise."""
        names = {name for name in ("resets", "bias", "noise") if f"{prefix}{name}" in state_dict}
        if names == {"resets"}:
            state_dict[f"{prefix}bias"] = torch.tensor(EARLIER_START)
            state_dict[f"{prefix}noise"] = torch.tensor(0.0)
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def forward(self, f: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Phases of each step.

        Args:
            f: the gates of its tokens, shape (L, B).
            before: z before the first step, shape (B, 2F); None at the beginning of a sequence.

        Returns:
            The phases, shape (L, B, 2F), and the last z, shape (B, 2F).
        """
        return clock_phases(f, self.angles, self.start(f) if before is None else before)

    def start(self, f: Tensor) -> Tensor:
        """z before the first step of sequences with these gates, shape (B, 2F)."""
        z = f.new_zeros(f.shape[1], 2 * self.frequencies)
        z[:, : self.frequencies] = 1
        return z
