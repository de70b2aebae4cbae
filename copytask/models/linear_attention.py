"""Linear attention: a memory of fixed size that keys write to and queries read from.

Shapes: L steps, B sequences, D width, F frequencies, V size of a value, S steps with an output.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from copytask.engine import kernels
from copytask.engine.fast_weights import CHUNK, chunked_memory
from copytask.engine.memory import clocked_memory
from copytask.engine.phases import rotate
from copytask.models.clock import Clock, check_clock
from copytask.models.stack import Mixer, Stack, Steps, check_choice, check_least

KEPT = 2**20
"""Numbers of keys that are in memory at once without the kernel. Where there are more, the backward
pass computes them again."""

OPEN = 7.0
"""Start of the gated decay: exp(-softplus(-7)) is 0.999, a memory of a thousand steps."""


def in_segments(values: Any, steps: int) -> Iterable[Any]:
    """Segments of a sequence; None in each if there is nothing to split."""
    return repeat(None) if values is None else values.split(steps)


class FastWeights(Mixer):
    """S_t = al_t S_{t-1} + k_t r_t^T, y_t = S_t^T q_t; see :mod:`copytask.engine.fast_weights`."""

    def __init__(
        self, width: int, clock: Clock | None, key_size: int, value_size: int, rule: str, decay: str
    ):
        super().__init__()
        self.clock, self.key_size, self.value_size = clock, key_size, value_size
        self.step_floats = max(2 * key_size if clock is None else key_size, value_size)
        if clock is None:
            self.content = nn.Linear(width, 2 * key_size, bias=False)
        else:
            self.query, self.key = clock.identity(1), clock.identity(1)
        self.value = nn.Linear(width, value_size, bias=False)
        self.gate = nn.Linear(width, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.ones_(self.gate.bias)
        self.rule, self.decay = rule, decay
        self._is_plain = (rule, decay) == ("add", "none")
        if rule == "delta":
            self.strength = nn.Linear(width, 1)
            nn.init.zeros_(self.strength.weight)
            nn.init.constant_(self.strength.bias, 2.0)
        if decay == "constant":
            self.forgetting = nn.Parameter(torch.tensor(-OPEN))
        elif decay == "gated":
            self.forget = nn.Linear(width, 1)
            nn.init.zeros_(self.forget.weight)
            nn.init.constant_(self.forget.bias, -OPEN)
        self.out = nn.Linear(value_size, width, bias=False)

    def forward(self, x: Steps, tokens: Tensor, state: Any, last: int) -> tuple[Tensor, Any]:
        """See :meth:`Mixer.forward`."""
        v = x.at_steps(self.gate(x.rows).sigmoid() * self.value(x.rows))
        memory, z = (None, None) if state is None else state
        if memory is None:
            memory = v.new_zeros(v.shape[1], self.key_size, self.value_size)
        f = None if self.clock is None else self.clock.gates(tokens)
        if self.clock is not None and f is not None and self._is_plain:
            z = self.clock.start(f) if z is None else z
            if all(map(kernels.has_kernels, (f, z, self.query, v, memory))):
                turn = self.clock.turn(self.query[0], self.key[0])
                y, memory, z = clocked_memory(f, self.clock.angles, z, turn, v, memory, last)
                return self.out(y), (memory, z)
        y, memory, z = self._in_segments(x, f, v, memory, z, last)
        return self.out(y), (memory, z)

    def _in_segments(
        self,
        x: Steps,
        f: Tensor | None,
        v: Tensor,
        memory: Tensor,
        z: Tensor | None,
        last: int,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """What the last steps read, shape (last, B, V), and the state after them: in torch's
        operations, for all keys, rules and decays.

        Args:
            f: the gates of the clock, shape (L, B); None without one.
            v: what is written, shape (L, B, V).
            memory, z: the state before.
        """
        L, B = v.shape[:2]
        log_decay = beta = None
        if self.decay == "constant":
            log_decay = -F.softplus(self.forgetting).expand(L, B)
        elif self.decay == "gated":
            log_decay = -F.softplus(x.at_steps(self.forget(x.rows))[..., 0])
        if self.rule == "delta":
            beta = x.at_steps(self.strength(x.rows))[..., 0].sigmoid()
        source: Steps | Tensor = x if f is None else f
        if f is None and x.row_of is not None:
            source = replace(x, rows=self._content(x.rows))
        segment = max(KEPT // max(B * self.key_size * CHUNK, 1), 1) * CHUNK
        parts = (in_segments(values, segment) for values in (source, v, log_decay, beta))
        outputs, steps = [], 0
        for given in zip(*parts, strict=False):
            size = len(given[1])
            steps += size
            wanted = min(max(steps - (L - last), 0), size)
            arguments = (*given, memory, z, wanted)
            if torch.is_grad_enabled() and segment < L:
                y, memory, z = checkpoint(
                    self._segment, *arguments, use_reentrant=False, preserve_rng_state=False
                )
            else:
                y, memory, z = self._segment(*arguments)
            outputs.append(y)
        return torch.cat(outputs), memory, z

    def _segment(
        self,
        source: Steps | Tensor,
        v: Tensor,
        log_decay: Tensor | None,
        beta: Tensor | None,
        memory: Tensor,
        z: Tensor | None,
        last: int,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Read and write one segment.

        Args:
            source: of what its keys and queries are made: the gates of the clock, or the content;
                where steps share rows, the rows are queries and keys already.
            v: what is written, shape (L, B, V).
            log_decay, beta: see :func:`chunked_memory`.
            memory, z: of the segment before.
            last: how many steps read, the last ones.

        Returns:
            What was read, shape (last, B, V), and the state after it.
        """
        if isinstance(source, Steps):
            q, k = self._from_content(source, last)
        else:
            q, k, z = self._from_clock(source, z, last)
        y, memory = chunked_memory(q, k, v, memory, log_decay=log_decay, beta=beta)
        return y, memory, z

    def _content(self, rows: Tensor) -> Tensor:
        """Queries, then keys, each of length 1; shape (..., 2D) from (..., width)."""
        both = F.silu(self.content(rows))
        return F.normalize(both.view(*both.shape[:-1], 2, self.key_size), dim=-1).flatten(-2)

    def _from_content(self, x: Steps, last: int) -> tuple[Tensor, Tensor]:
        """Queries of the last steps and all keys."""
        both = self._content(x.rows) if x.row_of is None else x.at_steps(x.rows)
        q, k = both.chunk(2, -1)
        return q[len(q) - last :], k

    def _from_clock(self, f: Tensor, z: Tensor | None, last: int) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of the last steps, all keys, and the last z, given the gates."""
        assert self.clock is not None
        k, z = self.clock(f, z)
        turn = self.clock.turn(self.query[0], self.key[0])
        if self.rule == "delta":  # it needs keys of length 1: erasing (k k^T) must not overshoot
            k, turn = k * self.clock.frequencies**-0.5, turn * self.clock.frequencies
        if not last:
            return k.new_zeros(0, *k.shape[1:]), k, z
        return rotate(k[len(k) - last :], turn), k, z

    def state_floats(self, steps: int) -> int:
        """See :meth:`Mixer.state_floats`."""
        clock = 0 if self.clock is None else 2 * self.clock.frequencies
        return self.key_size * self.value_size + clock


class LinearAttention(Stack):
    """Fast weights: linear attention, and with its switches RetNet, Mamba-2, DeltaNet and Gated
    DeltaNet in their recurrent core.

    Sources: Katharopoulos et al. 2020, arXiv 2006.16236 (``add``, no decay); Sun et al. 2023,
    arXiv 2307.08621 (RetNet: decay ``constant``); Dao & Gu 2024, arXiv 2405.21060 (Mamba-2: decay
    ``gated``); Schlag et al. 2021, arXiv 2102.11174 (DeltaNet: ``delta``); Yang et al. 2024, arXiv
    2412.06464 (Gated DeltaNet: ``delta`` and ``gated``).

    Args:
        symbols: of the input.
        hidden_size: D.
        layers: blocks.
        addressing: what keys and queries are made of: the ``clock`` alone, or the ``content``.
        clock: with ``addressing="clock"``: ``reset`` or ``absolute``, see the transformer.
        gate: of the reset clock: ``hard`` is rounded in evaluation, ``soft`` is not.
        key_size: numbers in a key, even: 2F of a clock. With the uniform spectrum the keys of so
            many positions in a row are orthonormal.
        value_size: V.
        spectrum: of the clock, see :func:`copytask.models.clock.make_spectrum`.
        rule: ``add`` writes the value, ``delta`` replaces what the key held by it.
        decay: of the memory: ``none``, ``constant`` (learned) or ``gated`` (by the content).
        mlp_ratio: width of the MLPs, in units of D; 0: none.
    """

    def __init__(
        self,
        symbols: int,
        *,
        hidden_size: int = 64,
        layers: int = 1,
        addressing: str = "clock",
        clock: str = "reset",
        gate: str = "hard",
        key_size: int = 1024,
        value_size: int = 16,
        spectrum: str = "mixed",
        rule: str = "add",
        decay: str = "none",
        mlp_ratio: float = 0.0,
    ):
        check_choice("addressing", addressing, ("clock", "content"))
        if key_size < 2 or key_size % 2:
            raise ValueError(f"key_size must be even and >= 2, but got {key_size}")
        check_least("value_size", value_size, 1)
        check_clock(clock, gate, spectrum)
        check_choice("rule", rule, ("add", "delta"))
        check_choice("decay", decay, ("none", "constant", "gated"))

        def mixer() -> Mixer:
            phases = None
            if addressing == "clock":
                phases = Clock(symbols, key_size // 2, spectrum, clock, gate)
            return FastWeights(hidden_size, phases, key_size, value_size, rule, decay)

        super().__init__(symbols, hidden_size, [mixer() for _ in range(layers)], mlp_ratio)
