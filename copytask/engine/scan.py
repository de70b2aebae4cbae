"""The linear scan h_t = a_t * h_{t-1} + b_t, in parallel over all that is not time.

Shapes: L steps, B sequences, D channels.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from copytask.engine import kernels


def linear_scan(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """Run h_t = a_t * h_{t-1} + b_t over a sequence.

    On the CPU, in float32, by a compiled kernel, one step after the other; elsewhere by torch's
    operations in log2(L) doublings (Blelloch, "Prefix Sums and Their Applications", 1990).

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
        grad_b = grad.clone(memory_format=torch.contiguous_format)
        grad_a, carry = torch.empty_like(a), torch.zeros_like(h0)
        kernels.scan_backward(a, h0, h, grad_b, grad_a, carry)
        return grad_a, grad_b, carry
