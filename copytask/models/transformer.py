"""The transformer (decoder only), whose positions come from a clock.

Shapes: L steps, B sequences, D width, F frequencies, S steps with an output, P earlier steps.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from copytask.engine.phases import rotate
from copytask.models.clock import KINDS, Clock, check_clock
from copytask.models.stack import Mixer, Stack, Steps, check_choice, check_least

MASK_ELEMENTS = 1 << 22
"""Up to this size a mask is made; above, outputs are computed that nobody asked for."""

WHOLE_VECTORS = {"cuda": 4}
"""Type of a device -> in float32, the memory-efficient form takes heads whose size is a multiple of
this. For others torch would take the form that keeps all S x L scores."""


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """Causal attention of the last S of L steps, in the memory-efficient form of torch.

    Args:
        q: shape (S, B, heads, size); it belongs to the last S of the L steps.
        k, v: shape (L, B, heads, size).

    Returns:
        Shape (S, B, heads * size).
    """
    S, L, size = len(q), len(k), q.shape[-1]
    if extra := -size % WHOLE_VECTORS.get(q.device.type, 1):
        q, k, v = (F.pad(t, (0, extra)) for t in (q, k, v))  # zeros change no score
    masked = S * L <= MASK_ELEMENTS
    if not masked:
        q = F.pad(q, (0, 0, 0, 0, 0, 0, L - S, 0))
    q, k, v = (t.permute(1, 2, 0, 3) for t in (q, k, v))
    mask = torch.ones(S, L, dtype=torch.bool, device=q.device).tril(L - S) if masked else None
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=not masked, scale=scale)
    return y[..., :size].permute(2, 0, 1, 3).flatten(2)[y.shape[2] - S :]


class ContentAttention(Mixer):
    """Attention as published: queries and keys from the content, turned by the clock (RoPE).

    Source: Vaswani et al. 2017, arXiv 1706.03762; Su et al. 2021, arXiv 2104.09864.
    """

    streams = False

    def __init__(self, width: int, heads: int, clock: Clock | None):
        super().__init__()
        self.heads, self.clock = heads, clock
        self.step_floats = 3 * width
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """See :meth:`Mixer.forward`."""
        L, D = len(tokens), self.out.in_features
        projected = x.at_steps(self.project(x.rows))
        q, k, v = projected.view(*tokens.shape, self.heads, 3 * D // self.heads).chunk(3, -1)
        q, z = q[L - last :], None
        if self.clock is not None:
            phases, z = self.clock(self.clock.gates(tokens), None if state is None else state[2])
            phases = phases[:, :, None]
            q, k = rotate(q, phases[L - last :]), rotate(k, phases)
        if state is not None:
            k, v = torch.cat((state[0], k)), torch.cat((state[1], v))
        return self.out(attend(q, k, v, (D // self.heads) ** -0.5)), (k, v, z)

    def state_floats(self, steps: int) -> int:
        """See :meth:`Mixer.state_floats`."""
        clock = 0 if self.clock is None else 2 * self.clock.frequencies
        return 2 * steps * self.out.in_features + clock


class ClockAttention(Mixer):
    """Attention whose queries and keys are the clock's phases alone; the content has a say in how
    much a step is attended to at all (its salience), and is what is read (its value).

    A head's query is its phase after a learned rotation and scaling of each frequency, and so is
    its key; both start as the phase itself. The logits are tau q.k + salience.
    """

    streams = False

    def __init__(self, width: int, heads: int, clock: Clock):
        super().__init__()
        self.heads, self.clock = heads, clock
        size = 2 * clock.frequencies + 1
        self.step_floats = heads * size
        self.query, self.key = clock.identity(heads), clock.identity(heads)
        self.log_tau = nn.Parameter(torch.full((heads, 1), math.log(10.0)))
        self.salience = nn.Linear(width, heads, bias=False)
        nn.init.zeros_(self.salience.weight)
        self.value = nn.Linear(width, heads * size, bias=False)
        self.out = nn.Linear(heads * size, width, bias=False)

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """See :meth:`Mixer.forward`."""
        L, B = tokens.shape
        phases, z = self.clock(self.clock.gates(tokens), None if state is None else state[2])
        turn = self.clock.turn(self.query, self.key) * self.log_tau.exp()
        q = rotate(phases[L - last :, :, None], turn)
        q = torch.cat((q, q.new_ones(last, B, self.heads, 1)), -1)
        k = phases[:, :, None].expand(-1, -1, self.heads, -1)
        k = torch.cat((k, x.at_steps(self.salience(x.rows))[..., None]), -1)
        v = x.at_steps(self.value(x.rows)).view(L, B, self.heads, k.shape[-1])
        if state is not None:
            k, v = torch.cat((state[0], k)), torch.cat((state[1], v))
        return self.out(attend(q, k, v, 1.0)), (k, v, z)

    def state_floats(self, steps: int) -> int:
        """See :meth:`Mixer.state_floats`."""
        return 2 * steps * self.out.in_features + 2 * self.clock.frequencies


class Transformer(Stack):
    """Attention over all earlier steps.

    Args:
        symbols: of the input.
        hidden_size: D.
        layers: blocks.
        heads: of each layer.
        clock: where positions come from. ``reset``: a learned clock that tokens set back, so that
            places can be counted from the delimiter. ``absolute``: from the beginning, as in RoPE.
            ``none``: none (NoPE; Kazemnejad et al. 2023, arXiv 2305.19466).
        addressing: what queries and keys are made of: the ``clock`` alone, or the ``content``.
        gate: of the reset clock: ``hard`` is rounded in evaluation, ``soft`` is not.
        frequencies: F of the clock with ``addressing="clock"``; else half of a head's size.
        spectrum: of the clock, see :func:`copytask.models.clock.make_spectrum`.
        mlp_ratio: width of the MLPs, in units of D; 0: none.
    """

    def __init__(
        self,
        symbols: int,
        *,
        hidden_size: int = 64,
        layers: int = 1,
        heads: int = 1,
        clock: str = "reset",
        addressing: str = "clock",
        gate: str = "hard",
        frequencies: int = 32,
        spectrum: str = "random",
        mlp_ratio: float = 0.0,
    ):
        check_choice("addressing", addressing, ("clock", "content"))
        check_clock(clock, gate, spectrum, (*KINDS, "none"))
        if addressing == "clock" and clock == "none":
            raise ValueError("addressing by the clock needs a clock: 'reset' or 'absolute'")
        check_least("heads", heads, 1)
        check_least("frequencies", frequencies, 1)
        if addressing == "content" and hidden_size % (2 * heads):
            raise ValueError(
                f"hidden_size must be a multiple of 2 x heads, but got {hidden_size} and {heads}"
            )

        def mixer() -> Mixer:
            if addressing == "clock":
                return ClockAttention(
                    hidden_size, heads, Clock(symbols, frequencies, spectrum, clock, gate)
                )
            turning = None
            if clock != "none":
                turning = Clock(symbols, hidden_size // heads // 2, spectrum, clock, gate)
            return ContentAttention(hidden_size, heads, turning)

        super().__init__(symbols, hidden_size, [mixer() for _ in range(layers)], mlp_ratio)
