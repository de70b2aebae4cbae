"""The linear scan h_t = a_t * h_{t-1} + b_t, in parallel over all that is not time.

Shapes: L steps, B sequences, D channels, N complex units. The last dimension of a complex tensor is
2N: real parts, then imaginary ones.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from copytask.engine import kernels


def linear_scan(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """Run h_t = a_t * h_{t-1} + b_t over a sequence.

    On the CPU, in float32, by a compiled kernel, one step after the other; it has no gradients of
    gradients. Elsewhere by torch's operations in log2(L) doublings (Blelloch, "Prefix Sums and
    Their Applications", 1990).

    Args:
        a: the decay, shape (L, B, D), or (L, B, 1) for all channels alike; any sign.
        b: the input, shape (L, B, D).
        h0: the state before the first step, shape (B, D).

    Returns:
        h_1..h_L, shape (L, B, D).

    Raises:
        ValueError: the shapes do not fit together.
    """
    steps, batch, channels = b.shape
    if a.shape not in ((steps, batch, channels), (steps, batch, 1)) or h0.shape != b.shape[1:]:
        raise ValueError(
            f"a must have the shape {tuple(b.shape)} or (L, B, 1), and h0 (B, D), but got "
            f"a {tuple(a.shape)}, b {tuple(b.shape)}, h0 {tuple(h0.shape)}"
        )
    if steps and batch and channels and all(kernels.has_kernels(t) for t in (a, b, h0)):
        scanned: Tensor = _Scan.apply(a, b, h0)  # type: ignore[no-untyped-call]
        return scanned
    return doubling_scan(a, b, h0)


def doubling_scan(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """:func:`linear_scan` in torch's operations: any device and type, differentiable twice."""
    if len(b) == 0:
        return b
    h = torch.cat((a[:1] * h0 + b[:1], b[1:]))
    reach = 1  # h_t holds what the last `reach` inputs have left
    while reach < len(h):
        h = torch.cat((h[:reach], h[reach:] + a[reach:] * h[:-reach]))
        if 2 * reach < len(h):
            a = torch.cat((a[:reach], a[reach:] * a[:-reach]))
        reach *= 2
    return h


def complex_scan(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """Run h_t = a * h_{t-1} + b_t of complex numbers, with the same a at every step.

    On the CPU, in float32, by a compiled kernel, which has no gradients of gradients; elsewhere as
    :func:`doubling_scan`.

    Args:
        a: the factor, shape (2N).
        b: the input, shape (L, B, 2N).
        h0: the state before the first step, shape (B, 2N).

    Returns:
        h_1..h_L, shape (L, B, 2N).

    Raises:
        ValueError: the shapes do not fit together.
    """
    if a.shape != b.shape[2:] or h0.shape != b.shape[1:] or len(a) % 2:
        raise ValueError(
            f"a must have the shape (2N), b (L, B, 2N) and h0 (B, 2N), but got "
            f"a {tuple(a.shape)}, b {tuple(b.shape)}, h0 {tuple(h0.shape)}"
        )
    if b.numel() and all(kernels.has_kernels(t) for t in (a, b, h0)):
        scanned: Tensor = _ComplexScan.apply(a, b, h0)  # type: ignore[no-untyped-call]
        return scanned
    factors = _complex(a).expand(len(b), 1, -1)
    h = doubling_scan(factors, _complex(b), _complex(h0))
    return torch.cat((h.real, h.imag), -1).to(b.dtype)


def _complex(parts: Tensor) -> Tensor:
    wide = torch.promote_types(parts.dtype, torch.float32)  # torch has no complex bfloat16
    return torch.complex(*parts.to(wide).chunk(2, -1))


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        a, b, h0 = a.contiguous(), b.contiguous(), h0.contiguous()
        h = torch.empty_like(b)
        kernels.scan_forward(a, b, h0, h)
        ctx.save_for_backward(a, h0, h)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, h0, h = ctx.saved_tensors
        grad_a, grad_b, carry = torch.empty_like(a), torch.empty_like(h), torch.zeros_like(h0)
        kernels.scan_backward(a, h0, h, grad.contiguous(), grad_b, grad_a, carry)
        return grad_a, grad_b, carry


class _ComplexScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        a, b, h0 = a.contiguous(), b.contiguous(), h0.contiguous()
        h = torch.empty_like(b)
        kernels.complex_scan_forward(a, b, h0, h)
        ctx.save_for_backward(a, h0, h)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, h0, h = ctx.saved_tensors
        grad_a, grad_b = torch.zeros_like(a, dtype=torch.float64), torch.empty_like(h)
        carry = torch.zeros_like(h0)
        kernels.complex_scan_backward(a, h0, h, grad.contiguous(), grad_b, grad_a, carry)
        return grad_a.to(a.dtype), grad_b, carry
