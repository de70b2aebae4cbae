"""What every architecture of the registry must do, and what the four are equal to."""

import pytest
import torch
from recurrences import CELLS, VARIATIONS
from torch import nn
from torch.nn import functional as F

from copytask import MODELS, build_model, check_cell
from copytask.models import (
    MultiplicativeGRU,
    MultiplicativeLSTM,
    architecture_keywords,
    find_factory,
    linear_attention,
)
from copytask.models.model import count_floats
from copytask.tasks import TASKS

SYMBOLS = TASKS["delay"].symbols

H, B, L = 6, 3, 7

SWITCHED = {
    f"linear_attention-{'-'.join(switches.values())}": ("linear_attention", switches)
    for switches in (
        {"rule": "delta"},
        {"decay": "constant"},
        {"addressing": "content"},
        {"addressing": "content", "rule": "delta", "decay": "gated"},
    )
}
"""A label -> linear attention by torch's operations, which its default does without."""

OTHERS = VARIATIONS | SWITCHED

every_name = pytest.mark.parametrize("name", sorted(MODELS))
every_model = pytest.mark.parametrize("name", [*sorted(MODELS), *OTHERS])
every_model_and_a_users = pytest.mark.parametrize("name", [*sorted(MODELS), "torch.nn:GRU"])


@pytest.fixture(autouse=True)
def _gates_without_noise(monkeypatch):
    """In training a clock draws noise: the same step would not give the same twice."""
    monkeypatch.setattr("copytask.models.clock.NOISE", 0.0)


def make_model(name: str, seed: int = 0, **options):
    torch.manual_seed(seed)
    model, variation = OTHERS.get(name, (name, {}))
    return build_model(model, H, **variation, **options)


def random_tokens(length: int = L) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(SYMBOLS, (length, B), generator=generator)


@every_model
def test_shapes(name):
    model = make_model(name)
    assert model(random_tokens()).shape == (L, B, 10)
    assert model(random_tokens(), recalled=2).shape == (2, B, 10)


@pytest.mark.parametrize("recalled", [0, 2, L])
@every_model_and_a_users
def test_recall_scores_the_last_positions(name, recalled):
    model = make_model(name)
    expected = model(random_tokens())[L - recalled :]
    torch.testing.assert_close(model(random_tokens(), recalled=recalled), expected)


@every_model_and_a_users
def test_tokens_outside_of_the_alphabet_are_refused(name):
    tokens = random_tokens()
    tokens[2, 1] = -1
    with pytest.raises(IndexError, match=r"token ids must be in 0\.\.11"):
        make_model(name)(tokens)


@every_model_and_a_users
def test_an_empty_batch_gives_no_logits_and_no_gradient(name):
    model = make_model(name)
    logits = model(random_tokens()[:, :0], recalled=2)
    assert logits.shape == (2, 0, 10)
    logits.sum().backward()
    assert not any(parameter.grad.any() for parameter in model.parameters())


@every_model
def test_no_steps_leave_the_state_as_it_was(name):
    core = make_model(name).core
    _, state = core(random_tokens())
    outputs, after = core(random_tokens(0), state)
    assert outputs.shape == (0, B, H)
    torch.testing.assert_close(after, state)


@every_model
def test_every_parameter_gets_a_finite_gradient(name):
    model = make_model(name)
    model(random_tokens()).square().sum().backward()
    for label, parameter in model.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.isfinite().all(), label
        assert parameter.grad.abs().sum() > 0, label


@every_model
def test_the_same_seed_gives_the_same_model(name):
    one, same, other = make_model(name), make_model(name), make_model(name, seed=1)
    tokens = random_tokens()
    assert one(tokens).equal(same(tokens))
    assert not one(tokens).equal(other(tokens))


@every_model
def test_stepping_token_by_token_equals_the_whole_sequence(name):
    core = make_model(name).core.eval()
    tokens = random_tokens(150)  # longer than a chunk of the memory
    whole, last = core(tokens)
    outputs, state = [], None
    for t in range(len(tokens)):
        output, state = core(tokens[t : t + 1], state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs), whole, rtol=1e-4, atol=2e-5)
    torch.testing.assert_close(state, last, rtol=1e-4, atol=2e-5)


@every_model
def test_a_passed_state_matters(name):
    core = make_model(name).core
    _, state = core(random_tokens())
    assert not core(random_tokens(), state)[0].equal(core(random_tokens())[0])


@every_model
def test_the_whole_sequence_equals_itself_in_float64_gradients_too(name):
    torch.manual_seed(0)
    single, double = make_model(name), make_model(name).double()
    tokens, weights = random_tokens(150), torch.randn(40, B, 10)
    values = []
    for model, weight in ((single, weights), (double, weights.double())):
        logits = model(tokens, recalled=40)
        (logits * weight).sum().backward()
        values.append([logits, *(p.grad for p in model.parameters())])
    for one, other in zip(*values, strict=True):
        scale = float(other.detach().abs().max()) + 1e-3
        torch.testing.assert_close(one.double() / scale, other / scale, rtol=1e-3, atol=1e-4)


@every_model
def test_nothing_looks_ahead(name):
    core = make_model(name).core
    tokens, changed = random_tokens(150), random_tokens(150)
    changed[100:] = (changed[100:] + 1) % SYMBOLS
    torch.testing.assert_close(core(tokens)[0][:100], core(changed)[0][:100], rtol=1e-4, atol=1e-5)


@every_model
def test_parts_of_a_long_sequence_score_as_the_whole(name, monkeypatch):
    model = make_model(name).eval()
    tokens = random_tokens(150)
    whole = model(tokens, recalled=70)
    monkeypatch.setattr("copytask.models.model.PART", 32)
    with torch.no_grad():
        torch.testing.assert_close(model(tokens, recalled=70), whole, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", SWITCHED)
def test_a_memory_with_too_many_keys_to_keep_makes_them_again(name, monkeypatch):
    values = []
    for kept in (linear_attention.KEPT, 1):
        monkeypatch.setattr(linear_attention, "KEPT", kept)
        model = make_model(name).double()
        logits = model(random_tokens(150), recalled=40)
        logits.square().sum().backward()
        values.append([logits, *(p.grad for p in model.parameters())])
    torch.testing.assert_close(*values)


@every_model
def test_the_state_is_counted(name):
    core = make_model(name).core
    assert core.state_floats(L) * B == count_floats(core(random_tokens())[1])


def test_a_state_in_bfloat16_is_read_as_its_numbers():
    """As a step under autocast leaves it: a kernel must not take it for float32."""
    core = make_model("linear_attention").core.eval()
    tokens = random_tokens(40)
    _, ((memory, z),) = core(tokens)
    rounded = memory.bfloat16()
    found, _ = core(tokens, [(rounded, z)])
    expected, _ = core(tokens, [(rounded.float(), z)])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("clock", ["reset", "absolute"])
@pytest.mark.parametrize("name", ["linear_attention", "transformer"])
def test_the_state_is_counted_with_addressing_by_content(name, clock):
    core = make_model(name, addressing="content", clock=clock, layers=2).core
    assert core.state_floats(L) * B == count_floats(core(random_tokens())[1])


@pytest.mark.parametrize("name", CELLS)
def test_the_keeping_gate_starts_at_the_forget_bias(name):
    cell = make_model(name, forget_bias=1.5).core
    gate = slice(H, 2 * H)
    total = cell.bias_ih_l0[gate] + cell.bias_hh_l0[gate]
    assert total.eq(1.5).all()


@every_name
def test_every_model_passes_the_check_for_user_cells(name):
    check_cell(name, H)


def copy_shared_parameters(plain: nn.Module, cell: nn.Module) -> None:
    """Give a multiplicative cell the weights of a plain one, and m = h for one-hot inputs."""
    with torch.no_grad():
        for label, parameter in plain.named_parameters():
            cell.get_parameter(label).copy_(parameter)
        cell.weight_mx_l0.fill_(1.0)
        cell.weight_mh_l0.copy_(torch.eye(H))


@pytest.mark.parametrize(
    ("plain", "multiplicative"), [(nn.GRU, MultiplicativeGRU), (nn.LSTM, MultiplicativeLSTM)]
)
def test_with_m_equal_to_h_it_is_the_plain_cell(plain, multiplicative):
    torch.manual_seed(0)
    expected_cell, cell = plain(SYMBOLS, H), multiplicative(SYMBOLS, H)
    copy_shared_parameters(expected_cell, cell)
    inputs = F.one_hot(random_tokens(), SYMBOLS).float()
    zero = torch.randn(1, B, H)
    state = (zero, torch.randn(1, B, H)) if plain is nn.LSTM else zero
    expected, expected_state = expected_cell(inputs, state)
    outputs, last = cell(inputs, state)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(last, expected_state, rtol=1e-5, atol=1e-6)

    expected.square().sum().backward()
    outputs.square().sum().backward()
    for label, parameter in expected_cell.named_parameters():
        torch.testing.assert_close(
            cell.get_parameter(label).grad, parameter.grad, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", ["mgru", "mlstm"])
def test_initializations_of_the_multiplicative_cores(name):
    near_plain = make_model(name, initialization="near_plain").core
    assert (near_plain.weight_mx_l0 - 1).abs().max() <= 0.2
    W = near_plain.weight_mh_l0
    torch.testing.assert_close(W @ W.T, torch.eye(H), rtol=1e-5, atol=1e-5)
    on_the_input = make_model(name, input_gated=True).core
    assert on_the_input.weight_mx_l0.min() < 0  # else all symbols look alike
    published = make_model(name, initialization="published").core
    assert published.weight_mx_l0.min() < 0
    assert published.weight_mh_l0.abs().max() <= H**-0.5


def test_unknown_model_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'lstm'"):
        find_factory("lstmm")


class NoTuple(nn.Linear):
    """A cell with the wrong interface."""


class WrongWidth(nn.GRU):
    """A cell that ignores the hidden size asked for."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size + 1)


def test_a_users_cell_is_found_by_import_path():
    check_cell("torch.nn:GRU", H)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_package.cells:Cell", "cannot be imported: ModuleNotFoundError"),
        ("torch.nn:NoSuchCell", "cannot be imported: AttributeError"),
        ("torch:pi", "is a float; it must be a class or a function"),
        (f"{__name__}:NoTuple", r"must return \(outputs, state\)"),
        (f"{__name__}:WrongWidth", r"shape \(5, 3, 6\).*returned \(5, 3, 7\)"),
        ("torch.nn:Softmax", "failed as factory"),
    ],
)
def test_a_users_cell_with_a_fault_is_refused_with_the_reason(name, reason):
    with pytest.raises(ValueError, match=reason):
        check_cell(name, H)


class Forgetful(nn.GRU):
    """A cell that cannot continue: it takes no state, and returns none."""

    def forward(self, x):
        return super().forward(x)[0], None


@torch.no_grad()
def test_a_cell_that_cannot_continue_is_run_over_the_whole_sequence(monkeypatch):
    torch.manual_seed(0)
    model = build_model(Forgetful, H)
    expected = model(random_tokens())
    monkeypatch.setattr("copytask.models.model.PART", 3)
    torch.testing.assert_close(model(random_tokens()), expected)


class Normalized(nn.GRU):
    def __init__(self, symbols: int, hidden_size: int):
        super().__init__(symbols, hidden_size)
        self.norm = nn.BatchNorm1d(symbols)

    def forward(self, x, state=None):
        return super().forward(self.norm(x.transpose(1, 2)).transpose(1, 2), state)


def test_to_ask_for_the_size_of_its_state_leaves_a_model_as_it_is():
    model = build_model(Normalized, H).train()
    assert model.core.state_floats(100) == H
    assert model.core.cell.norm.num_batches_tracked == 0
    assert model.core.cell.training


@pytest.mark.parametrize("name", ["mingru", "minlstm"])
def test_the_time_constants_of_minimal_cells_start_up_to_the_longest(name):
    torch.manual_seed(0)
    mixer = build_model(name, 512, layers=1, longest=1000).core.blocks[0].mixer
    keep, take = mixer.weights(mixer.project.bias[mixer.units :])
    torch.testing.assert_close(keep + take, torch.ones(mixer.units))
    steps = 1 / take - 1
    assert 1 <= steps.min() < 1.1
    assert 900 < steps.max() <= 1001


@pytest.mark.parametrize(
    ("name", "keyword", "told"),
    [
        ("mingru", {"layers": 0}, "layers must be >= 1"),
        ("mingru", {"mlp_ratio": -1.0}, "mlp_ratio must be >= 0"),
        ("lru", {"mlp_ratio": 0.01}, "mlp_ratio x hidden_size must be >= 1, but got 0"),
        (
            "transformer",
            {"addressing": "content", "gate": "firm"},
            "gate must be one of hard",
        ),
        (
            "linear_attention",
            {"addressing": "content", "clock": "foo"},
            "clock must be one of",
        ),
        ("mingru", {"expansion": 0.01}, "expansion x hidden_size must be >= 1, but got 0"),
        ("minlstm", {"longest": 0}, "longest must be >= 1, but got 0"),
        ("lru", {"units": 0}, "units must be >= 1, but got 0"),
        ("lru", {"radius": 2.0}, r"radius must be in 0\.\.1, but got 2"),
        ("linear_attention", {"key_size": 7}, "key_size must be even"),
        ("linear_attention", {"value_size": 0}, "value_size must be >= 1, but got 0"),
        ("transformer", {"frequencies": 0}, "frequencies must be >= 1, but got 0"),
        ("transformer", {"heads": 0}, "heads must be >= 1, but got 0"),
        ("transformer", {"heads": 2, "addressing": "content"}, "a multiple of 2 x heads"),
    ],
)
def test_a_shape_that_cannot_be_is_told(name, keyword, told):
    with pytest.raises(ValueError, match=told):
        build_model(name, H, **keyword)


def test_a_memory_that_erases_by_the_clock_stays_finite():
    """Its keys have length 1: with longer ones, to erase would overshoot more with each step."""
    model = make_model("linear_attention", rule="delta", key_size=64, value_size=4)
    logits = model.eval()(random_tokens(300))
    assert logits.isfinite().all()
    assert logits.abs().max() < 100


def test_heads_that_are_addressed_by_the_clock_need_not_divide_the_width():
    assert build_model("transformer", 7, heads=3)(random_tokens()).shape == (L, B, 10)


def test_a_step_of_a_users_cell_has_a_number_for_each_symbol():
    """So an evaluation takes as few sequences at once as its memory allows."""
    assert build_model("torch.nn:GRU", H, task="recall").core.step_floats == 1011


@pytest.mark.parametrize(
    ("name", "floats"),
    [
        ("transformer", 65),
        ("mingru", 2 * 2 * H),
        ("minlstm", 3 * 2 * H),
        ("lru", 512),
        ("linear_attention", 1024),
    ],
)
def test_a_step_of_a_stack_has_the_numbers_of_its_largest_buffer(name, floats):
    assert build_model(name, H).core.step_floats == floats
    assert build_model(name, 200, mlp_ratio=10).core.step_floats == 2000


def test_no_hidden_units_are_refused():
    for name in MODELS:
        with pytest.raises(ValueError, match="hidden_size must be >= 1, but got 0"):
            build_model(name, 0)


@pytest.mark.parametrize("name", ["transformer", "linear_attention"])
def test_the_clock_keeps_its_angles_in_a_model_of_bfloat16(name):
    model = make_model(name)
    before = [b.clone() for n, b in model.named_buffers() if n.endswith("angles")]
    model.bfloat16().float()
    after = [b for n, b in model.named_buffers() if n.endswith("angles")]
    assert before
    assert all(a.equal(b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize(
    ("name", "keywords"), [("lru", {}), ("linear_attention", {"rule": "delta", "key_size": 64})]
)
def test_sixteen_bits_are_enough_for_a_forward_and_backward_pass(name, keywords):
    model = make_model(name, **keywords).bfloat16()
    logits = model(random_tokens())
    assert logits.dtype == torch.bfloat16
    logits.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("name", ["transformer", "linear_attention"])
def test_the_clock_runs_on_after_a_conversion_of_the_model(name):
    model = make_model(name).eval()
    tokens = random_tokens(50)
    before = model(tokens)
    assert torch.allclose(model.float()(tokens), before, atol=1e-4)
    assert torch.allclose(model.double().float()(tokens), before, atol=1e-4)


class Units(nn.RNN):
    """The size of its state has another name, and a default."""

    def __init__(self, symbols, units=128, bias=True):
        super().__init__(symbols, units, bias=bias)


def test_the_second_parameter_is_the_hidden_size_whatever_its_name():
    assert set(architecture_keywords(Units)) == {"bias"}
    assert build_model(Units, H, bias=False).core.cell.hidden_size == H
