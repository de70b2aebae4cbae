"""The cells as their equations are written, in a plain loop. The engines are tested against it."""

import itertools
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from copytask.engine.operand_checks import check_operands
from copytask.engine.unrolled import (
    GATES,
    LSTMS,
    Operands,
    modrelu,
    recalled_steps,
    refine,
)

State = tuple[Tensor, Tensor | None]


def reference(
    cell: str, operands: Operands, index: Tensor | None, recalled: int | None
) -> tuple[Tensor, State]:
    """As :func:`copytask.engine.fused`, but autograd differentiates the loop."""
    check_operands(cell, operands, index)
    inputs, mx, weight_hh, weight_mh, bias, h, c, weight_im = operands
    if index is not None:
        index = index.long()
        # On several threads the way back of inputs[index] sums gradients in any order.
        inputs = F.embedding(index, inputs)
        mx = None if mx is None else F.embedding(index, mx)
    # Indexing a tensor that needs a gradient inside the loop would make the backward pass
    # quadratic in L; unbind's is linear.
    x = inputs.unbind(0)
    all_mx: Iterable[Tensor | None] = itertools.repeat(None) if mx is None else mx.unbind(0)
    outputs = []
    for x_t, mx_t in zip(x, all_mx, strict=False):
        m = h if mx_t is None or weight_mh is None else mx_t * F.linear(h, weight_mh)
        if weight_im is not None:  # the factor is on the side of the input
            x_t, m = x_t + F.linear(m, weight_im), h
        if cell in LSTMS:
            assert c is not None
            i, f, g, o = (x_t + F.linear(m, weight_hh)).chunk(4, dim=1)
            keep, take = f.sigmoid(), i.sigmoid()
            if cell == "refined_lstm":
                keep = refine(keep, take)
                take = 1 - keep
            c = keep * c + take * g.tanh()
            h = o.sigmoid() * c.tanh()
        elif cell == "orthogonal":
            assert bias is not None
            h = modrelu(x_t + F.linear(m, weight_hh), bias)
        else:  # GRU or GORU
            *x_gates, x_n = x_t.chunk(GATES[cell], dim=1)
            *m_gates, m_n = F.linear(m, weight_hh).chunk(GATES[cell], dim=1)
            r, z, *s = ((x + m).sigmoid() for x, m in zip(x_gates, m_gates, strict=True))
            if cell == "goru":
                assert bias is not None
                n = modrelu(x_n + r * m_n, bias)
            else:
                n = (x_n + r * (m_n if bias is None else m_n + bias)).tanh()
            keep = refine(z, *s) if s else z
            h = (1 - keep) * n + keep * h
        outputs.append(h)
    kept = outputs[len(outputs) - recalled_steps(recalled, len(outputs)) :]
    return torch.stack(kept) if kept else h.new_empty(0, *h.shape), (h, c)
