"""Cells that could not learn are refused before a search, and odd ones that can are not."""

import random
from functools import partial

import pytest
import torch
from torch import nn

from copytask import SequenceModel, check_cell
from copytask.models import check_interface

H = 8


class Loop(nn.Module):
    """A plain recurrent network, step by step; what is wrong with it is a subclass's."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input = nn.Linear(input_size, hidden_size)
        self.recurrent = nn.Linear(hidden_size, hidden_size)

    def forward(self, input, state=None):
        h = input.new_zeros(input.shape[1], self.recurrent.out_features)
        h = h if state is None else state
        outputs = []
        for x in self.input(input):
            h = self.step(x, h)
            outputs.append(h)
        return torch.stack(outputs), h

    def step(self, x, h):
        return torch.tanh(x + self.recurrent(h))


BatchFirst = partial(nn.GRU, batch_first=True)


class DetachedOutputs(Loop):
    def forward(self, input, state=None):
        outputs, state = super().forward(input, state)
        return outputs.detach(), state


class DetachedState(Loop):
    def step(self, x, h):
        return super().step(x, h.detach())


class DetachedPart(Loop):
    def step(self, x, h):
        return torch.tanh(x + self.recurrent(h).detach())


class NoGradient(Loop):
    @torch.no_grad()
    def forward(self, input, state=None):
        return super().forward(input, state)


class Unused(Loop):
    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.forgotten = nn.Linear(3, 3)


class Mixing(Loop):
    def step(self, x, h):
        return super().step(x, h - h.mean(0))


class LookingAhead(Loop):
    def forward(self, input, state=None):
        return super().forward(input - input.mean(0), state)


class Keeping(Loop):
    kept = None

    def forward(self, input, state=None):
        outputs, self.kept = super().forward(input, self.kept if state is None else state)
        return outputs, self.kept


class NumbersFromElsewhere(Loop):
    def step(self, x, h):
        return super().step(x + random.random(), h)


class ForgottenState(Loop):
    def forward(self, input, state=None):
        return super().forward(input)


class HalfState(nn.LSTM):
    def forward(self, input, state=None):
        outputs, (h, _) = super().forward(input, None if state is None else (state, 0 * state))
        return outputs, h


class WrongState(Loop):
    def forward(self, input, state=None):
        outputs, state = super().forward(input, state)
        return outputs, state.T


class Doubles(Loop):
    def forward(self, input, state=None):
        outputs, state = super().forward(input, state)
        return outputs.double(), state


class NotFinite(Loop):
    def step(self, x, h):
        return super().step(x, h) * torch.inf


class FailingBackward(Loop):
    def step(self, x, h):
        return super().step(x, h).mul_(2)


class ManyLines(Loop):
    def forward(self, *_):
        raise RuntimeError("no data\nas it seems")


class Sum(SequenceModel):
    """A sequence model: the sum of what it has seen."""

    def __init__(self, symbols: int, *, hidden_size: int):
        super().__init__()
        self.width = hidden_size
        self.embedding = nn.Embedding(symbols, hidden_size)
        self.linear = nn.Linear(hidden_size, hidden_size)

    def forward(self, tokens, state=None, recalled=None):
        outputs = self.embedding(tokens).cumsum(0) + (0 if state is None else state)
        return self.linear(outputs)[len(tokens) - self.last(tokens, recalled) :], outputs[-1]

    def last(self, tokens, recalled):
        return len(tokens) if recalled is None else recalled

    def state_floats(self, steps):
        return self.width


class WithoutState(Sum):
    def forward(self, tokens, state=None, recalled=None):
        return super().forward(tokens, None, recalled)[0], None


class WholeSequences(WithoutState):
    streams = False


class AllRecalled(Sum):
    def last(self, tokens, recalled):
        return recalled or len(tokens)


class OwnRate(Sum):
    def parameter_groups(self):
        return [{"params": self.embedding.parameters()},
                {"params": self.linear.parameters(), "lr": 1e-4}]  # fmt: skip


class LeftOut(Sum):
    def parameter_groups(self):
        return [{"params": self.embedding.parameters()},
                {"params": [self.linear.weight], "lr_scale": 0.1}]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BatchFirst", "mistakes the batch for the time.*remove batch_first=True"),
        ("Mixing", "mixes the sequences of a batch.* over dimension 1"),
        ("LookingAhead", "looks ahead: a change of later inputs changes earlier outputs"),
        ("DetachedOutputs", r"returns outputs without a gradient.*remove detach\(\)"),
        ("NoGradient", r"returns outputs without a gradient.*torch.no_grad\(\)"),
        ("DetachedState", "passes no gradient back from its last output to its first input"),
        (
            "DetachedPart",
            "gives no gradient to its parameters recurrent.weight, recurrent.bias: use",
        ),
        ("Unused", "gives no gradient to its parameters forgotten.weight, forgotten.bias: use it"),
        ("Keeping", "returns different outputs when it is called again on the same input"),
        ("NumbersFromElsewhere", "draw random numbers from torch's generator"),
        ("ForgottenState", "does not continue from the state that it returns"),
        ("HalfState", "does not continue from the state.*say that it cannot: return None"),
        ("WrongState", "failed when called with the state that it returned: RuntimeError"),
        ("Doubles", "returns outputs of torch.float64 for inputs of torch.float32"),
        ("NotFinite", "returns outputs that are not finite"),
        ("FailingBackward", "failed in its backward pass: RuntimeError: one of the variables"),
        ("ManyLines", "failed as factory.*: RuntimeError: no data$"),
        ("WithoutState", "returns or takes no state, but says that it streams: .* streams = False"),
        ("AllRecalled", "called with recalled=0 must return the last 0 outputs"),
        ("OwnRate", "failed when asked for its groups.*the training sets lr; give lr_scale"),
        ("LeftOut", "failed when asked for its groups.*: linear.bias is in no group"),
    ],
)
def test_a_cell_that_cannot_learn_is_refused_with_what_to_do(name, told):
    with pytest.raises(ValueError, match=f"^the cell '{__name__}:{name}' .*{told}"):
        check_cell(f"{__name__}:{name}", H)


class Dropping(nn.Module):
    """Dropout between two layers, and noise in evaluation mode as well."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, 2, dropout=0.5)

    def forward(self, input, state=None):
        outputs, state = self.lstm(input, state)
        return outputs + torch.randn_like(outputs), state


class Normalizing(Loop):
    """Batch normalization mixes sequences, but only in training."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.norm = nn.BatchNorm1d(hidden_size)

    def step(self, x, h):
        return super().step(self.norm(x), h)


class LayerNormalizing(Loop):
    """The plain sum of its outputs is constant: it has a gradient, but not of that."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, elementwise_affine=False)

    def forward(self, input, state=None):
        outputs, state = super().forward(input, state)
        return self.norm(outputs), state


class Reservoir(Loop):
    """Weights that stay as they are: only the readout learns."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, input, state=None):
        return super().forward(input, state)


class Stateless(Loop):
    """Only its outputs are of use."""

    def forward(self, input):
        return super().forward(input)


class NoState(Loop):
    def forward(self, input, state=None):
        return super().forward(input)[0], None


class Attention(nn.Module):
    """Causal attention, whose second argument is no state."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input = nn.Linear(input_size, hidden_size)
        self.attention = nn.MultiheadAttention(hidden_size, 2)

    def forward(self, input, scale=1.0):
        x = scale * self.input(input)
        mask = nn.Transformer.generate_square_subsequent_mask(len(x))
        return self.attention(x, x, x, attn_mask=mask, need_weights=False)[0], None


class ZeroAtFirst(Loop):
    """Its state has no effect yet, and its weights have a gradient of zero."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        nn.init.zeros_(self.recurrent.weight)


class Straight(Loop):
    """A step function forward, with the gradient of another one."""

    def step(self, x, h):
        smooth = super().step(x, h)
        return smooth + (smooth.sign() - smooth).detach()


@pytest.mark.parametrize(
    "cell",
    [
        Loop, Dropping, Normalizing, LayerNormalizing, Reservoir, Stateless, NoState, Attention,
        ZeroAtFirst, Straight, Sum, WholeSequences,
    ],
)  # fmt: skip
def test_a_cell_that_can_learn_passes(cell):
    check_cell(f"{__name__}:{cell.__name__}", H)


def test_the_check_leaves_random_numbers_as_they_were():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    check_cell(f"{__name__}:Dropping", H)
    assert torch.get_rng_state().equal(before)


def test_the_interface_alone_can_be_checked():
    check_interface(f"{__name__}:DetachedOutputs", H)
