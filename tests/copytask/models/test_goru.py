"""The gated orthogonal recurrent unit."""

import torch
from torch.nn import functional as F

from copytask.models.goru import GORU

SYMBOLS, H, B = 12, 6, 3


def test_a_step_is_what_its_equations_say():
    torch.manual_seed(0)
    cell = GORU(SYMBOLS, hidden_size=H).double()
    x, h = (torch.randn(B, size, dtype=torch.float64) for size in (SYMBOLS, H))
    outputs, last = cell(x[None], h[None])
    of_gates = F.linear(x, cell.gates_ih, cell.gates_bias) + F.linear(h, cell.gates_hh)
    r, z = of_gates.sigmoid().chunk(2, dim=1)
    a = F.linear(x, cell.weight_ih_l0) + r * F.linear(h, cell.weight_hh_l0)
    expected = z * h + (1 - z) * a.sign() * (a.abs() + cell.bias).relu()
    torch.testing.assert_close(outputs[0], expected)
    torch.testing.assert_close(last[0], expected)


def test_token_ids_stand_for_one_hot_vectors():
    torch.manual_seed(0)
    cell = GORU(SYMBOLS, hidden_size=H)
    tokens = torch.randint(SYMBOLS, (5, B))
    of_ids, _ = cell(tokens)
    of_vectors, _ = cell(F.one_hot(tokens, SYMBOLS).float())
    torch.testing.assert_close(of_ids, of_vectors)


def test_only_the_orthogonal_matrix_has_a_rate_of_its_own():
    cell = GORU(SYMBOLS, hidden_size=H, orthogonal_rate=0.3)
    rest, of_w = cell.parameter_groups()
    assert len(rest["params"]) + len(of_w["params"]) == len(list(cell.parameters()))
    assert rest["lr_scale"] == 1
    assert of_w["lr_scale"] == 0.3
    assert [p.shape for p in of_w["params"]] == [(H, H)]


def test_after_a_step_of_training_the_matrix_is_still_orthogonal():
    torch.manual_seed(0)
    cell = GORU(SYMBOLS, hidden_size=H)
    before = cell.weight_hh_l0.detach()
    outputs, _ = cell(torch.randint(SYMBOLS, (9, B)))
    outputs.square().sum().backward()
    torch.optim.SGD(cell.parameters(), lr=1.0).step()
    after = cell.weight_hh_l0.detach()
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after @ after.t(), torch.eye(H))
