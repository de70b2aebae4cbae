"""The phases of a clock that a gate can set back.

Shapes: L steps, B sequences, F frequencies. The last dimension of a complex tensor is 2F: real
parts, then imaginary ones.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from copytask.engine import kernels
from copytask.engine.scan import doubling_scan


def rotate(x: Tensor, phases: Tensor) -> Tensor:
    """Multiply complex tensors."""
    re, im = x.chunk(2, -1)
    c, s = phases.chunk(2, -1)
    return torch.cat((c * re - s * im, s * re + c * im), -1)


def clock_phases(f: Tensor, angles: Tensor, z0: Tensor) -> tuple[Tensor, Tensor]:
    """Run z_t = f_t e^{iw} z_{t-1} + (1 - f_t) over a sequence.

    On the CPU, in float32, by a compiled kernel, which has no gradients of gradients; elsewhere by
    torch's operations, as a scan.

    Args:
        f: the gate, in 0..1, shape (L, B).
        angles: w in radians a step, shape (F), float64: in float32 the angles of a thousand steps
            would be off.
        z0: z before the first step, shape (B, 2F).

    Returns:
        The phases z_t / |z_t|, shape (L, B, 2F), and the last z, shape (B, 2F).
    """
    if f.numel() and all(kernels.has_kernels(t) for t in (f, z0)):
        phases, last = _Phases.apply(f, angles.double(), z0)  # type: ignore[no-untyped-call]
        return phases, last
    return scanned_phases(f, angles, z0)


def scanned_phases(f: Tensor, angles: Tensor, z0: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`clock_phases` in torch's operations: any device and type, differentiable twice."""
    if len(f) == 0:
        return z0.new_zeros(0, *z0.shape), z0
    # In a frame that turns with the clock the recurrence is real: y_t = e^{-iwt} z_t.
    turns = torch.arange(1, len(f) + 1, device=f.device)[:, None] * angles
    c, s = turns.cos()[:, None].to(f.dtype), turns.sin()[:, None].to(f.dtype)
    f = f[..., None]
    y = doubling_scan(f, (1 - f) * torch.cat((c, -s), -1), z0)
    z = rotate(y, torch.cat((c, s), -1))
    re, im = z.chunk(2, -1)
    scale = (re.square() + im.square()).clamp_min(1e-12).rsqrt()
    return torch.cat((re * scale, im * scale), -1), z[-1]


class _Phases(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, f: Tensor, angles: Tensor, z0: Tensor) -> tuple[Tensor, Tensor]:
        f, z0 = f.contiguous(), z0.contiguous()
        turn = angles.cos(), angles.sin()
        phases, last = z0.new_empty(len(f), *z0.shape), torch.empty_like(z0)
        inverse = z0.new_empty(*f.shape, len(angles))
        kernels.clock_forward(turn, f, z0, phases, inverse, last)
        ctx.save_for_backward(*(t.float() for t in turn), f, z0, phases, inverse)
        return phases, last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_last: Tensor) -> tuple[Tensor, None, Tensor]:
        c, s, f, z0, phases, inverse = ctx.saved_tensors
        carry, grad_f = kernels.writable(grad_last), torch.empty_like(f)
        kernels.clock_backward((c, s), f, z0, phases, inverse, grad.contiguous(), carry, grad_f)
        return grad_f, None, carry
