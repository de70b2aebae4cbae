"""Fast weights: an outer-product memory, written and read in chunks.

S_t = al_t S_{t-1} + k_t r_t^T and y_t = S_t^T q_t. Without the delta rule r_t = v_t; with it
r_t = beta_t (v_t - al_t S_{t-1}^T k_t), which replaces what the key k_t held.

Shapes: L steps, B sequences, D numbers in a key, V in a value, C steps in a chunk.
"""

from itertools import repeat
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from copytask.engine import kernels
from copytask.engine.scan import linear_scan

CHUNK = 32


def chunked_memory(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    state: Tensor,
    *,
    log_decay: Tensor | None = None,
    beta: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Run the memory over a sequence, in chunks of products instead of step by step.

    On the CPU, in float32, by a compiled kernel, which has no gradients of gradients; elsewhere by
    torch's operations. Source of the chunked delta rule: Yang et al. 2024, arXiv 2406.06484, and
    with decay arXiv 2412.06464.

    Args:
        q: queries of the last S steps, shape (S, B, D); S <= L.
        k: keys, shape (L, B, D).
        v: values, shape (L, B, V).
        state: before the first step, shape (B, D, V).
        log_decay: log al_t <= 0, shape (L, B); None: no decay.
        beta: the strength of the delta rule, in 0..1, shape (L, B); None: without the rule.

    Returns:
        y of the last S steps, shape (S, B, V), and the last state, shape (B, D, V).

    Raises:
        ValueError: the shapes do not fit together.
    """
    L, S = len(k), len(q)
    given = (q, k, v, state, *(t for t in (log_decay, beta) if t is not None))
    _check_shapes(q, k, v, state, log_decay, beta)
    if L == 0:
        return v.new_zeros(0, *v.shape[1:]), state
    if S == 0 and log_decay is None and beta is None:  # nothing is read: a product for all steps
        last = torch.baddbmm(state.transpose(1, 2), v.permute(1, 2, 0), k.transpose(0, 1))
        return v.new_zeros(0, *v.shape[1:]), last.transpose(1, 2)
    if state.numel() and all(map(kernels.has_kernels, given)):
        keep = torch.is_grad_enabled() and any(t.requires_grad for t in given)
        y, last = _FastWeights.apply(keep, *given[:4], log_decay, beta)  # type: ignore[no-untyped-call]
        return y, last
    return memory_by_operations(q, k, v, state, log_decay=log_decay, beta=beta)


def memory_by_operations(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    state: Tensor,
    *,
    log_decay: Tensor | None = None,
    beta: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`chunked_memory` in torch's operations, for L > 0: any device and type, differentiable
    twice."""
    L, S = len(k), len(q)
    extra = -L % CHUNK  # empty steps in front, so that chunks end with the sequence
    n = (L + extra) // CHUNK
    first = (L + extra - S) // CHUNK  # the chunk in which the queries begin

    def chunks(t: Tensor, front: int = extra) -> Tensor:
        """(L, B, ...) as (n, B, C, ...)."""
        if front:
            t = torch.cat((t.new_zeros(front, *t.shape[1:]), t))
        return t.view(len(t) // CHUNK, CHUNK, *t.shape[1:]).transpose(1, 2)

    K, V = chunks(k), chunks(v)
    Q = chunks(q, (n - first) * CHUNK - S)
    G = None if log_decay is None else chunks(log_decay).cumsum(2)  # (n, B, C)
    if beta is None:
        R = V
        keys = K if G is None else K * (G[..., -1:] - G).exp()[..., None]
        written = keys.transpose(2, 3) @ R  # (n, B, D, V)
        decay = k.new_ones(n, k.shape[1], 1) if G is None else G[..., -1:].exp()
        states = linear_scan(decay, written.flatten(2), state.flatten(1)).view_as(written)
        before = torch.cat((state[None], states[:-1]))
        last = states[-1]
    else:
        R, before, last = _delta_rule(K, V, chunks(beta), G, state)
    Kq, Rq, before = K[first:], R[first:], before[first:]
    scores = (Q @ Kq.transpose(2, 3)).tril()
    if G is not None:
        Gq = G[first:]
        scores = scores * (Gq[..., None] - Gq[..., None, :]).tril().exp()
        Q = Q * Gq.exp()[..., None]
    y = (scores @ Rq + Q @ before).transpose(1, 2).flatten(0, 1)
    return y[len(y) - S :], last


def _delta_rule(
    K: Tensor, V: Tensor, beta: Tensor, G: Tensor | None, state: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What each step writes, (n, B, C, V), the state before each chunk, and the last state."""
    C = K.shape[2]
    A = (K @ K.transpose(2, 3)) * beta[..., None]
    W, U = K * beta[..., None], V * beta[..., None]
    if G is not None:
        A = A * (G[..., None] - G[..., None, :]).tril().exp()
        W = W * G.exp()[..., None]
    A = A.tril(-1) + torch.eye(C, dtype=K.dtype, device=K.device)
    right = torch.cat((W, U), -1)
    wide = torch.promote_types(right.dtype, torch.float32)  # torch solves none of 16 bits
    solved = torch.linalg.solve_triangular(
        A.to(wide), right.to(wide), upper=False, unitriangular=True
    ).to(right.dtype)
    W, U = solved.split((K.shape[-1], V.shape[-1]), -1)
    keys = K if G is None else K * (G[..., -1:] - G).exp()[..., None]
    decays = repeat(None) if G is None else G[..., -1:, None].exp().unbind()
    written, before = [], []
    # Parts are taken out at once: the gradient of W[i] would be a tensor of the size of W.
    for w, u, key, decay in zip(
        W.unbind(), U.unbind(), keys.transpose(2, 3).unbind(), decays, strict=False
    ):
        before.append(state)
        r = torch.baddbmm(u, w, state, alpha=-1)
        written.append(r)
        state = torch.baddbmm(state if decay is None else state * decay, key, r)
    return torch.stack(written), torch.stack(before), state


class _FastWeights(torch.autograd.Function):
    """The kernel has the state as (B, V, D)."""

    @staticmethod
    def forward(
        ctx: Any, keep: bool, q: Tensor, k: Tensor, v: Tensor, state: Tensor,
        log_decay: Tensor | None, beta: Tensor | None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        given = {"q": q, "k": k, "v": v, "log_decay": log_decay, "beta": beta}
        operands = {name: t.contiguous() for name, t in given.items() if t is not None}
        memory, y = kernels.writable(state.transpose(1, 2)), v.new_empty(len(q), *v.shape[1:])
        kept = {}
        if keep:
            kept["kept_states"] = v.new_empty(kernels.count_chunks(len(k)), *memory.shape)
            if beta is not None:
                kept["kept_p"] = torch.empty_like(operands["v"])
            ctx.names = (*operands, *kept)
            ctx.save_for_backward(*operands.values(), *kept.values())
        kernels.fast_weights_forward(operands, kept, memory, y)
        return y, memory.transpose(1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        saved = dict(zip(ctx.names, ctx.saved_tensors, strict=True))
        kept = {name: saved.pop(name) for name in ctx.names if name.startswith("kept")}
        of = {name: torch.empty_like(t) for name, t in saved.items()}
        memory = kernels.writable(grad_state.transpose(1, 2))
        gradients = {f"grad_{name}": t for name, t in of.items()}
        gradients |= {"grad_y": grad_y.contiguous(), "grad_state": memory}
        kernels.fast_weights_backward(saved, kept, gradients)
        return (
            None, of["q"], of["k"], of["v"], memory.transpose(1, 2), of.get("log_decay"),
            of.get("beta"),
        )  # fmt: skip


def _check_shapes(
    q: Tensor, k: Tensor, v: Tensor, state: Tensor, log_decay: Tensor | None, beta: Tensor | None
) -> None:
    (L, B, D), V = k.shape, v.shape[-1]
    shapes = tuple(None if t is None else tuple(t.shape) for t in (q, v, state, log_decay, beta))
    of_steps = (None, (L, B))
    if (
        shapes[:3] != ((len(q), B, D), (L, B, V), (B, D, V))
        or shapes[3] not in of_steps
        or shapes[4] not in of_steps
        or len(q) > L
    ):
        raise ValueError(
            f"q, v, state, log_decay, beta must have the shapes (S, B, D), (L, B, V), (B, D, V), "
            f"(L, B), (L, B), with S <= L and k of shape (L, B, D) = {(L, B, D)}, but got {shapes}"
        )
