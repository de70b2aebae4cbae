"""The engine in torch's in-place operations: for any device and floating type.

It has the same equations and buffers as ``kernels.c``. The gradient of each weight is one product
after the loop.
"""

import torch
from torch import Tensor

from copytask.engine.unrolled import Gradients, UnrolledCell

_sigmoid_backward = torch.ops.aten.sigmoid_backward  # (gradient, sigmoid(x))
_tanh_backward = torch.ops.aten.tanh_backward  # (gradient, tanh(x))


def forward(unrolled: UnrolledCell, outputs: Tensor) -> None:
    """Run a sequence: fill the buffers of ``unrolled`` and ``outputs``, shape (S, B, H)."""
    operands = unrolled.operands
    step = STEPS[unrolled.cell]
    first_recalled = unrolled.steps - unrolled.recalled
    for t in range(unrolled.steps):
        h, new_h = unrolled.h[unrolled.state_row(t)], unrolled.h[unrolled.state_row(t + 1)]
        row = t if unrolled.keep else 0
        m = h
        if operands.mx is not None:
            assert operands.weight_mh is not None
            mh = torch.mm(h, operands.weight_mh.t(), out=unrolled.mh[row])
            m = mh * _rows(unrolled, operands.mx, t)
        gates = unrolled.gates[row].copy_(_rows(unrolled, operands.inputs, t))
        step(unrolled, t, gates, m, h, new_h)
        if t >= first_recalled:
            outputs[t - first_recalled] = new_h


def _lstm_step(
    unrolled: UnrolledCell, t: int, gates: Tensor, m: Tensor, h: Tensor, new_h: Tensor
) -> None:
    H = h.shape[1]
    gates.addmm_(m, unrolled.operands.weight_hh.t())
    gates[:, : 2 * H].sigmoid_()
    gates[:, 2 * H : 3 * H].tanh_()
    gates[:, 3 * H :].sigmoid_()
    i, f, g, o = gates.chunk(4, dim=1)
    c, new_c = unrolled.c[unrolled.state_row(t)], unrolled.c[unrolled.state_row(t + 1)]
    torch.mul(f, c, out=new_c).addcmul_(i, g)
    torch.tanh(new_c, out=new_h).mul_(o)


def _gru_step(
    unrolled: UnrolledCell, t: int, gates: Tensor, m: Tensor, h: Tensor, new_h: Tensor
) -> None:
    H = h.shape[1]
    operands = unrolled.operands
    assert operands.bias is not None
    gates[:, : 2 * H].addmm_(m, operands.weight_hh[: 2 * H].t()).sigmoid_()
    r, z, x_n = gates.chunk(3, dim=1)
    q = torch.addmm(operands.bias, m, operands.weight_hh[2 * H :].t())
    n = torch.addcmul(x_n, r, q).tanh_()
    torch.lerp(n, h, z, out=new_h)
    x_n.copy_(q)


def backward(unrolled: UnrolledCell, gradients: Gradients) -> None:
    """Run backward through a sequence that :func:`forward` ran and kept; fill ``gradients``."""
    operands, index = unrolled.operands, unrolled.index
    step = STEPS_BACK[unrolled.cell]
    tokens = None  # (L, B, rows): which row of the inputs each position took
    if index is not None:
        rows = torch.arange(len(operands.inputs), device=index.device)
        tokens = (index[..., None] == rows).to(operands.h.dtype)
    d = torch.empty_like(unrolled.gates)  # gradients of the products' results
    m = unrolled.h[:-1]
    if operands.mx is not None:
        m, dmh = torch.empty_like(unrolled.mh), torch.empty_like(unrolled.mh)
    first_recalled = unrolled.steps - unrolled.recalled
    for t in reversed(range(unrolled.steps)):
        if t >= first_recalled:
            gradients.h += gradients.outputs[t - first_recalled]
        dx = step(unrolled, t, gradients, d[t])
        _add_to_rows(gradients.inputs, tokens, t, dx)
        if operands.mx is None:
            gradients.h.addmm_(d[t], operands.weight_hh)
            continue
        assert operands.weight_mh is not None
        assert gradients.mx is not None
        mx, mh = _rows(unrolled, operands.mx, t), unrolled.mh[t]
        torch.mul(mh, mx, out=m[t])
        dm = d[t] @ operands.weight_hh
        _add_to_rows(gradients.mx, tokens, t, dm * mh)
        torch.mul(dm, mx, out=dmh[t])
        gradients.h.addmm_(dmh[t], operands.weight_mh)
    gradients.weight_hh.addmm_(d.flatten(0, 1).t(), m.flatten(0, 1))
    if gradients.weight_mh is not None:
        gradients.weight_mh.addmm_(dmh.flatten(0, 1).t(), unrolled.h[:-1].flatten(0, 1))
    if unrolled.cell == "gru":
        assert gradients.bias is not None
        gradients.bias += d[..., -len(gradients.bias) :].sum((0, 1))


def _lstm_step_back(unrolled: UnrolledCell, t: int, gradients: Gradients, d: Tensor) -> Tensor:
    i, f, g, o = unrolled.gates[t].chunk(4, dim=1)
    di, df, dg, do = d.chunk(4, dim=1)
    dh, dc = gradients.h, gradients.c
    assert dc is not None
    tanh_c = unrolled.c[t + 1].tanh()
    dc += _tanh_backward(dh * o, tanh_c)
    di.copy_(_sigmoid_backward(dc * g, i))
    df.copy_(_sigmoid_backward(dc * unrolled.c[t], f))
    dg.copy_(_tanh_backward(dc * i, g))
    do.copy_(_sigmoid_backward(dh * tanh_c, o))
    dc *= f
    dh.zero_()
    return d


def _gru_step_back(unrolled: UnrolledCell, t: int, gradients: Gradients, d: Tensor) -> Tensor:
    r, z, q = unrolled.gates[t].chunk(3, dim=1)
    dr, dz, dq = d.chunk(3, dim=1)
    dh = gradients.h
    x_n = _rows(unrolled, unrolled.operands.inputs, t).chunk(3, dim=1)[2]
    n = torch.addcmul(x_n, r, q).tanh_()
    dn = _tanh_backward(dh - dh * z, n)
    dr.copy_(_sigmoid_backward(dn * q, r))
    dz.copy_(_sigmoid_backward(dh * (unrolled.h[t] - n), z))
    torch.mul(dn, r, out=dq)
    dh *= z
    return torch.cat([dr, dz, dn], dim=1)


def _orthogonal_step(
    unrolled: UnrolledCell, t: int, gates: Tensor, m: Tensor, h: Tensor, new_h: Tensor
) -> None:
    bias = unrolled.operands.bias
    assert bias is not None
    gates.addmm_(m, unrolled.operands.weight_hh.t())
    torch.mul(gates.sign(), (gates.abs() + bias).relu_(), out=new_h)


def _orthogonal_step_back(
    unrolled: UnrolledCell, t: int, gradients: Gradients, d: Tensor
) -> Tensor:
    bias, a, dh = unrolled.operands.bias, unrolled.gates[t], gradients.h
    assert bias is not None
    assert gradients.bias is not None
    torch.mul(dh, a.abs() + bias > 0, out=d)
    gradients.bias += (d * a.sign()).sum(0)
    dh.zero_()
    return d


STEPS = {"lstm": _lstm_step, "gru": _gru_step, "orthogonal": _orthogonal_step}
STEPS_BACK = {
    "lstm": _lstm_step_back,
    "gru": _gru_step_back,
    "orthogonal": _orthogonal_step_back,
}


def _rows(unrolled: UnrolledCell, table: Tensor, t: int) -> Tensor:
    """The rows of ``inputs`` or ``mx`` that step t takes, shape (B, width)."""
    if unrolled.index is not None:
        return table.index_select(0, unrolled.index[t])
    return table[t]


def _add_to_rows(gradient: Tensor, tokens: Tensor | None, t: int, value: Tensor) -> None:
    """Add to the rows that step t took; by a product, because it adds in a fixed order."""
    if tokens is not None:
        gradient.addmm_(tokens[t].t(), value)
    else:
        gradient[t] = value
