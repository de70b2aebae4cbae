"""What a block computes once a token is what it would compute at each step."""

import pytest
import torch
from torch import nn

from copytask.models.stack import Steps

N, D, L, B = 5, 4, 70, 3


@pytest.fixture
def both() -> tuple[Steps, Steps]:
    """The same values: one row a token, and one a step."""
    torch.manual_seed(0)
    rows, row_of = torch.randn(N, D, requires_grad=True), torch.randint(N, (L, B))
    return Steps(rows, row_of), Steps(rows[row_of])


def test_the_values_of_the_last_steps_are_the_same(both):
    for steps in (0, 2, L):
        one, other = (x.last(steps) for x in both)
        assert one.shape == (steps, B, D)
        assert one.equal(other)


def test_a_function_of_single_steps_and_its_gradients_are_the_same(both):
    torch.manual_seed(1)
    layer, weights = nn.Linear(D, D), torch.randn(L, B, D)
    leaves = (both[0].rows, *layer.parameters())
    found = []
    for x in both:
        y = x.at_steps(layer(x.rows).tanh()) + x.last(L)
        found.append((y, *torch.autograd.grad((weights * y).sum(), leaves, retain_graph=True)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_parts_are_those_of_the_sequence(both):
    for x in both:
        parts = x.split(32)
        assert [len(part.at_steps(part.rows)) for part in parts] == [32, 32, 6]
        whole = torch.cat([part.at_steps(part.rows) for part in parts])
        assert whole.equal(x.at_steps(x.rows))
