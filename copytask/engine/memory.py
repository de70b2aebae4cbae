"""An outer-product memory, written and read in chunks.

S_t = al_t S_{t-1} + k_t r_t^T and y_t = S_t^T q_t. Without the delta rule r_t = v_t; with it
r_t = beta_t (v_t - al_t S_{t-1}^T k_t), which replaces what the key k_t held.

Shapes: L steps, B sequences, D numbers in a key, V in a value, C steps in a chunk.
"""

import torch
from torch import Tensor

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
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor]:
    """Run the memory over a sequence, in chunks of products instead of step by step.

    Source of the chunked delta rule: Yang et al. 2024, arXiv 2406.06484, and with decay arXiv
    2412.06464.

    Args:
        q: queries of the last S steps, shape (S, B, D); S <= L.
        k: keys, shape (L, B, D).
        v: values, shape (L, B, V).
        state: before the first step, shape (B, D, V).
        log_decay: log al_t <= 0, shape (L, B); None: no decay.
        beta: the strength of the delta rule, in 0..1, shape (L, B); None: without the rule.
        chunk: C.

    Returns:
        y of the last S steps, shape (S, B, V), and the last state, shape (B, D, V).
    """
    L, S = len(k), len(q)
    if L == 0:
        return v.new_zeros(0, *v.shape[1:]), state
    if S == 0 and log_decay is None and beta is None:  # nothing is read: a product for all steps
        last = torch.baddbmm(state.transpose(1, 2), v.permute(1, 2, 0), k.transpose(0, 1))
        return v.new_zeros(0, *v.shape[1:]), last.transpose(1, 2)
    extra = -L % chunk  # empty steps in front, so that chunks end with the sequence
    n = (L + extra) // chunk
    first = (L + extra - S) // chunk  # the chunk in which the queries begin

    def chunks(t: Tensor, front: int = extra) -> Tensor:
        """(L, B, ...) as (n, B, C, ...)."""
        if front:
            t = torch.cat((t.new_zeros(front, *t.shape[1:]), t))
        return t.view(len(t) // chunk, chunk, *t.shape[1:]).transpose(1, 2)

    K, V = chunks(k), chunks(v)
    Q = chunks(q, (n - first) * chunk - S)
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
    solved = torch.linalg.solve_triangular(
        A, torch.cat((W, U), -1), upper=False, unitriangular=True
    )
    W, U = solved.split((K.shape[-1], V.shape[-1]), -1)
    keys = K if G is None else K * (G[..., -1:] - G).exp()[..., None]
    written, before = [], []
    for i in range(len(K)):
        before.append(state)
        r = U[i] - W[i] @ state
        written.append(r)
        kept = state if G is None else state * G[i, :, -1:].exp()[..., None]
        state = kept + keys[i].transpose(1, 2) @ r
    return torch.stack(written), torch.stack(before), state
