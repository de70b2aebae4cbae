"""The engine in torch's in-place operations: for any device and floating type.

It has the same equations and buffers as ``kernels.c``. The gradient of each weight is one product
after the loop.
"""

import torch
from torch import Tensor

from copytask.engine.unrolled import Gradients, UnrolledCell, modrelu, refine

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
        m, x = h, _rows(unrolled, operands.inputs, t)
        if operands.mx is not None:
            assert operands.weight_mh is not None
            mh = torch.mm(h, operands.weight_mh.t(), out=unrolled.mh[row])
            m = mh * _rows(unrolled, operands.mx, t)
        if operands.weight_im is not None:
            x, m = torch.addmm(x, m, operands.weight_im.t(), out=unrolled.x[row]), h
        gates = unrolled.gates[row].copy_(x)
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
    if unrolled.cell == "refined_lstm":
        torch.lerp(g, c, refine(f, i), out=new_c)
    else:
        torch.mul(f, c, out=new_c).addcmul_(i, g)
    torch.tanh(new_c, out=new_h).mul_(o)


def _gru_step(
    unrolled: UnrolledCell, t: int, gates: Tensor, m: Tensor, h: Tensor, new_h: Tensor
) -> None:
    H = h.shape[1]
    operands = unrolled.operands
    assert operands.bias is not None
    gates[:, :-H].addmm_(m, operands.weight_hh[:-H].t()).sigmoid_()
    r, z, *s, x_n = gates.chunk(gates.shape[1] // H, dim=1)
    if unrolled.cell == "goru":
        q = m @ operands.weight_hh[-H:].t()
        n = modrelu(torch.addcmul(x_n, r, q), operands.bias)
    else:
        q = torch.addmm(operands.bias, m, operands.weight_hh[-H:].t())
        n = torch.addcmul(x_n, r, q).tanh_()
    torch.lerp(n, h, refine(z, *s) if s else z, out=new_h)
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
    of_m, weight = d, operands.weight_hh  # gradients of the products of m, and its weight
    if operands.weight_im is not None:
        of_m, weight = torch.empty_like(d), operands.weight_im
    first_recalled = unrolled.steps - unrolled.recalled
    for t in reversed(range(unrolled.steps)):
        if t >= first_recalled:
            gradients.h += gradients.outputs[t - first_recalled]
        dx = step(unrolled, t, gradients, d[t])
        _add_to_rows(gradients.inputs, tokens, t, dx)
        if operands.mx is None or operands.weight_im is not None:
            gradients.h.addmm_(d[t], operands.weight_hh)
        if operands.mx is None:
            continue
        if operands.weight_im is not None:
            of_m[t] = dx
        assert operands.weight_mh is not None
        assert gradients.mx is not None
        mx, mh = _rows(unrolled, operands.mx, t), unrolled.mh[t]
        torch.mul(mh, mx, out=m[t])
        dm = of_m[t] @ weight
        _add_to_rows(gradients.mx, tokens, t, dm * mh)
        torch.mul(dm, mx, out=dmh[t])
        gradients.h.addmm_(dmh[t], operands.weight_mh)
    if gradients.weight_im is not None:
        gradients.weight_im.addmm_(of_m.flatten(0, 1).t(), m.flatten(0, 1))
        m = unrolled.h[:-1]
    gradients.weight_hh.addmm_(d.flatten(0, 1).t(), m.flatten(0, 1))
    if gradients.weight_mh is not None:
        gradients.weight_mh.addmm_(dmh.flatten(0, 1).t(), unrolled.h[:-1].flatten(0, 1))
    if unrolled.cell in ("gru", "refined_gru"):
        assert gradients.bias is not None
        gradients.bias += d[..., -len(gradients.bias) :].sum((0, 1))


def _lstm_step_back(unrolled: UnrolledCell, t: int, gradients: Gradients, d: Tensor) -> Tensor:
    i, f, g, o = unrolled.gates[t].chunk(4, dim=1)
    di, df, dg, do = d.chunk(4, dim=1)
    dh, dc = gradients.h, gradients.c
    assert dc is not None
    tanh_c = unrolled.c[t + 1].tanh()
    dc += _tanh_backward(dh * o, tanh_c)
    if unrolled.cell == "refined_lstm":
        keep = _refine_back(dc * (unrolled.c[t] - g), f, i, df, di)
        take = 1 - keep
    else:
        keep, take = f, i
        di.copy_(_sigmoid_backward(dc * g, i))
        df.copy_(_sigmoid_backward(dc * unrolled.c[t], f))
    dg.copy_(_tanh_backward(dc * take, g))
    do.copy_(_sigmoid_backward(dh * tanh_c, o))
    dc *= keep
    dh.zero_()
    return d


def _gru_step_back(unrolled: UnrolledCell, t: int, gradients: Gradients, d: Tensor) -> Tensor:
    dh = gradients.h
    H = dh.shape[1]
    r, z, *s, q = unrolled.gates[t].chunk(d.shape[1] // H, dim=1)
    dr, dz, *ds, dq = d.chunk(d.shape[1] // H, dim=1)
    given = unrolled.operands.weight_im is None
    x = _rows(unrolled, unrolled.operands.inputs, t) if given else unrolled.x[t]
    a = torch.addcmul(x[:, -H:], r, q)
    bias = unrolled.operands.bias
    assert bias is not None
    n = modrelu(a, bias) if unrolled.cell == "goru" else a.tanh()
    dkeep = dh * (unrolled.h[t] - n)
    if s:
        keep = _refine_back(dkeep, z, s[0], dz, ds[0])
    else:
        keep = z
        dz.copy_(_sigmoid_backward(dkeep, z))
    da = dh - dh * keep
    if unrolled.cell == "goru":
        da = _modrelu_backward(da, a, bias, gradients)
    else:
        da = _tanh_backward(da, n)
    dr.copy_(_sigmoid_backward(da * q, r))
    torch.mul(da, r, out=dq)
    dh *= keep
    return torch.cat([d[:, :-H], da], dim=1)


def _refine_back(dkeep: Tensor, f: Tensor, s: Tensor, df: Tensor, ds: Tensor) -> Tensor:
    """The gradients of what f and s are the sigmoids of; returns ``refine(f, s)``."""
    df.copy_(_sigmoid_backward(2 * dkeep * (f + s - 2 * f * s), f))
    ds.copy_(_sigmoid_backward(2 * dkeep * f * (1 - f), s))
    return refine(f, s)


def _orthogonal_step(
    unrolled: UnrolledCell, t: int, gates: Tensor, m: Tensor, h: Tensor, new_h: Tensor
) -> None:
    bias = unrolled.operands.bias
    assert bias is not None
    gates.addmm_(m, unrolled.operands.weight_hh.t())
    new_h.copy_(modrelu(gates, bias))


def _orthogonal_step_back(
    unrolled: UnrolledCell, t: int, gradients: Gradients, d: Tensor
) -> Tensor:
    bias, dh = unrolled.operands.bias, gradients.h
    assert bias is not None
    d.copy_(_modrelu_backward(dh, unrolled.gates[t], bias, gradients))
    dh.zero_()
    return d


def _modrelu_backward(grad: Tensor, a: Tensor, bias: Tensor, gradients: Gradients) -> Tensor:
    """The gradient of ``a``; that of the offset is added to ``gradients``."""
    assert gradients.bias is not None
    da = grad * ((a.abs() + bias > 0) & (a != 0))
    gradients.bias += (da * a.sign()).sum(0)
    return da


STEPS = {
    "lstm": _lstm_step,
    "refined_lstm": _lstm_step,
    "gru": _gru_step,
    "refined_gru": _gru_step,
    "orthogonal": _orthogonal_step,
    "goru": _gru_step,
}
STEPS_BACK = {
    "lstm": _lstm_step_back,
    "refined_lstm": _lstm_step_back,
    "gru": _gru_step_back,
    "refined_gru": _gru_step_back,
    "orthogonal": _orthogonal_step_back,
    "goru": _gru_step_back,
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
