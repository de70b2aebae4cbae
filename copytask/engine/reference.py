"""The cells as their equations are written, in a plain loop. The engines are tested against it."""

import itertools
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from copytask.engine.operand_checks import check_operands
from copytask.engine.unrolled import Operands, recalled_steps

State = tuple[Tensor, Tensor | None]


def reference(
    cell: str, operands: Operands, index: Tensor | None, recalled: int | None
) -> tuple[Tensor, State]:
    """As :func:`copytask.engine.fused`, but autograd differentiates the loop."""
    check_operands(cell, operands, index)
    inputs, mx, weight_hh, weight_mh, bias, h, c = operands
    if index is not None:
        index = index.long()
        inputs = inputs[index]
        mx = None if mx is None else mx[index]
    # Indexing a tensor that needs a gradient inside the loop would make the backward pass
    # quadratic in L; unbind's is linear.
    x = inputs.unbind(0)
    all_mx: Iterable[Tensor | None] = itertools.repeat(None) if mx is None else mx.unbind(0)
    outputs = []
    for x_t, mx_t in zip(x, all_mx, strict=False):
        m = h if mx_t is None or weight_mh is None else mx_t * F.linear(h, weight_mh)
        if c is not None:  # LSTM
            i, f, g, o = (x_t + F.linear(m, weight_hh)).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        elif cell == "orthogonal":
            assert bias is not None
            a = x_t + F.linear(m, weight_hh)
            h = a.sign() * (a.abs() + bias).relu()
        else:  # GRU
            x_r, x_z, x_n = x_t.chunk(3, dim=1)
            m_r, m_z, m_n = F.linear(m, weight_hh).chunk(3, dim=1)
            r, z = (x_r + m_r).sigmoid(), (x_z + m_z).sigmoid()
            n = (x_n + r * (m_n if bias is None else m_n + bias)).tanh()
            h = (1 - z) * n + z * h
        outputs.append(h)
    kept = outputs[len(outputs) - recalled_steps(recalled, len(outputs)) :]
    return torch.stack(kept) if kept else h.new_empty(0, *h.shape), (h, c)
