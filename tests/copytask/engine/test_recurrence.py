"""The fused recurrences against their equations, torch.nn and finite differences."""

import subprocess
import sys
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recurrences import (
    CELLS,
    ENGINES,
    FACTORS,
    VARIATIONS,
    make_operands,
    make_tokens,
    set_engine,
    values_and_gradients,
)

from copytask.engine import GATES, Operands, builds, fused, kernels, reference
from copytask.models import MODELS


@pytest.mark.parametrize("engine", ENGINES)
@given(data=st.data())
def test_values_and_gradients_are_those_of_the_plain_loop(engine, data):
    draw = data.draw
    cell, (multiplicative, input_gated) = (
        draw(st.sampled_from(sorted(GATES))),
        draw(st.sampled_from(FACTORS)),
    )
    L, B, H = draw(st.integers(1, 9)), draw(st.integers(1, 19)), draw(st.integers(1, 50))
    recalled = draw(st.none() | st.integers(1, L))
    tokens = draw(st.booleans())
    rows = 5 if tokens else (L, B)
    operands = make_operands(cell, multiplicative, rows, B, H, input_gated=input_gated)
    index = make_tokens(5, L, B) if tokens else None
    with pytest.MonkeyPatch.context() as patch:
        set_engine(engine, patch)
        found = values_and_gradients(fused, cell, operands, index, recalled)
    expected = values_and_gradients(reference, cell, operands, index, recalled)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("multiplicative", "input_gated"), FACTORS)
@pytest.mark.parametrize("cell", sorted(GATES))
@pytest.mark.parametrize("run", [fused, reference])
def test_gradients_are_those_of_finite_differences(run, cell, multiplicative, input_gated):
    operands = make_operands(
        cell, multiplicative, rows=4, B=3, H=5, dtype=torch.float64, input_gated=input_gated
    )
    index = make_tokens(4, 6, 3)
    given = [t for t in operands if t is not None]

    def function(*tensors: torch.Tensor):
        rest = iter(tensors)
        again = Operands(*(None if t is None else next(rest) for t in operands))
        outputs, (h, c) = run(cell, again, index, 4)
        return (outputs, h) if c is None else (outputs, h, c)

    assert torch.autograd.gradcheck(function, given)


@pytest.mark.parametrize(("multiplicative", "input_gated"), FACTORS)
@pytest.mark.parametrize("cell", sorted(GATES))
def test_long_sequences_keep_the_precision(cell, multiplicative, input_gated):
    operands = make_operands(cell, multiplicative, rows=12, B=8, H=32, input_gated=input_gated)
    index = make_tokens(12, 300, 8)
    found = values_and_gradients(fused, cell, operands, index, 10)
    exact = Operands(*(t if t is None else t.detach().double().requires_grad_() for t in operands))
    expected = values_and_gradients(reference, cell, exact, index, 10)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", [-1e30, -200.0, -1e-4, 0.0, 1e-4, 200.0, 1e30])
@pytest.mark.parametrize("engine", ENGINES)
def test_activations_hold_at_the_extremes(engine, value, use_engine):
    use_engine(engine)
    for cell in GATES:
        operands = make_operands(cell, False, rows=1, B=1, H=16)
        operands = operands._replace(inputs=torch.full_like(operands.inputs, value))
        index = torch.zeros(3, 1, dtype=torch.int64)
        found, _ = fused(cell, operands, index)
        expected, _ = reference(cell, operands, index, None)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_number_that_is_none_is_not_hidden(engine, use_engine):
    use_engine(engine)
    operands = make_operands("lstm", False, rows=2, B=1, H=16)
    with torch.no_grad():
        operands.weight_hh[3, 3] = torch.nan
    outputs, _ = fused("lstm", operands, torch.zeros(4, 1, dtype=torch.int64))
    assert outputs[-1].isnan().all()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_call_gives_the_same_bits(engine, use_engine):
    use_engine(engine)
    operands = make_operands("gru", True, rows=12, B=9, H=40)
    index = make_tokens(12, 20, 9)
    one, other = (values_and_gradients(fused, "gru", operands, index, 10) for _ in range(2))
    assert all(a.equal(b) for a, b in zip(one, other, strict=True))


def test_the_plain_loop_gives_the_same_bits_on_two_threads(use_threads):
    use_threads(2)
    # Torch shares out 32768 numbers and more, here those of inputs and of mx.
    operands, index = make_operands("gru", True, 5, 32, 32), make_tokens(5, 40, 32)
    first, *others = (values_and_gradients(reference, "gru", operands, index, 4) for _ in range(4))
    for other in others:
        assert all(map(torch.equal, first, other))


@pytest.mark.parametrize("engine", ENGINES)
def test_without_gradients_the_outputs_are_the_same(engine, use_engine):
    use_engine(engine)
    for cell in GATES:
        operands = make_operands(cell, True, rows=12, B=3, H=16)
        index = make_tokens(12, 7, 3)
        outputs, (h, c) = fused(cell, operands, index, 4)
        with torch.no_grad():
            again, (h_again, c_again) = fused(cell, operands, index, 4)
        assert outputs.equal(again)
        assert h.equal(h_again)
        assert c is c_again is None or c.equal(c_again)


def test_two_sequences_at_once_do_not_share_memory():
    operands = make_operands("lstm", False, rows=12, B=2, H=16)
    generator = torch.Generator().manual_seed(1)
    indexes = [torch.randint(12, (9, 2), generator=generator) for _ in range(2)]
    apart = [values_and_gradients(fused, "lstm", operands, index, None) for index in indexes]
    outputs = [fused("lstm", operands, index)[0] for index in indexes]
    assert all(a.equal(b[0]) for a, b in zip(outputs, apart, strict=True))
    gradient = torch.autograd.grad(outputs[0].sum() + outputs[1].sum(), operands.inputs)[0]
    each = [torch.autograd.grad(fused("lstm", operands, i)[0].sum(), operands.inputs)[0]
            for i in indexes]  # fmt: skip
    torch.testing.assert_close(gradient, each[0] + each[1])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_way_back_gives_the_same(engine, use_engine):
    use_engine(engine)
    operands = make_operands("gru", True, rows=12, B=2, H=16)
    outputs, _ = fused("gru", operands, torch.zeros(3, 2, dtype=torch.int64))
    first, second = (
        torch.autograd.grad(outputs.sum(), operands.weight_hh, retain_graph=True) for _ in range(2)
    )
    assert first[0].equal(second[0])


def test_a_weight_that_was_changed_before_the_way_back_is_noticed():
    cell = MODELS["mlstm"](12, 32)
    outputs, _ = cell(torch.zeros(3, 2, dtype=torch.int64))
    with torch.no_grad():
        cell.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_a_state_that_does_not_fit_is_refused():
    cell = MODELS["lstm"](12, 16)
    tokens = torch.zeros(4, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match="do not fit a state of batch 2"):
        cell(tokens, (torch.zeros(1, 2, 16), torch.zeros(1, 2, 16)))
    with pytest.raises(ValueError, match=r"h must have shape \(3, 16\), but has \(3, 8\)"):
        cell(tokens, (torch.zeros(1, 3, 8), torch.zeros(1, 3, 16)))
    with pytest.raises(RuntimeError, match=r"dtype|type"):
        cell(tokens, (torch.zeros(1, 3, 16).double(), torch.zeros(1, 3, 16).double()))


@pytest.mark.parametrize("implementation", ["torch", "fused"])
@pytest.mark.parametrize(
    "input", [torch.zeros(4, dtype=torch.int64), torch.zeros(4, 3), torch.zeros(4, 3, 11)]
)
def test_an_input_that_does_not_fit_is_refused(implementation, input):
    cell = MODELS["gru"](12, 16, implementation=implementation)
    with pytest.raises(ValueError, match=r"the shape \(L, B\) of token ids or \(L, B, 12\)"):
        cell(input)


@pytest.mark.parametrize("name", ["exprnn", "goru"])
@pytest.mark.parametrize("engine", ENGINES)
def test_units_that_get_nothing_stay_at_zero(name, engine, use_engine):
    """modReLU(0) = 0, whatever its offset."""
    use_engine(engine)
    torch.manual_seed(0)
    cell = MODELS[name](12, hidden_size=16)
    results = []
    for implementation in ("reference", "auto"):
        cell.set_implementation(implementation)
        cell.zero_grad()
        outputs, _ = cell(torch.zeros(3, 2, 12))
        outputs.sin().sum().backward()
        results.append([outputs.detach(), *(p.grad.clone() for p in cell.parameters())])
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "gru"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("with_state", [False, True])
def test_the_plain_cells_are_torch_s(name, dtype, with_state):
    torch.manual_seed(0)
    L, B, H = 11, 4, 24
    cell = MODELS[name](12, H).to(dtype)
    state = torch.randn(1, B, H, dtype=dtype)
    state = ((state, state.flip(0)) if name == "lstm" else state) if with_state else None
    tokens = torch.randint(12, (L, B))
    dense = torch.nn.functional.one_hot(tokens, 12).to(dtype)
    results = []
    for implementation in ("torch", "fused", "reference"):
        for input in (tokens, dense):
            cell.set_implementation(implementation)
            outputs, last = cell(input, state)
            cell.zero_grad()
            outputs.sin().sum().backward()
            gradients = [p.grad.clone() for p in cell.parameters()]
            last = last if isinstance(last, tuple) else (last,)
            results.append([outputs, *last, *gradients])
    for other in results[1:]:
        torch.testing.assert_close(other, results[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "variation"), [*((name, {}) for name in CELLS), *VARIATIONS.values()]
)
def test_parameters_fit_every_implementation(name, variation):
    torch.manual_seed(0)
    one, other = (
        MODELS[name](12, 20, **variation, implementation=implementation)
        for implementation in ("reference", "auto")
    )
    other.load_state_dict(one.state_dict())
    tokens = torch.randint(12, (6, 3))
    torch.testing.assert_close(one(tokens)[0], other(tokens)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "implementation"), [("mgru", "torch"), ("mlstm", "torch"), ("lstm", "fast")]
)
def test_an_implementation_that_is_not_there_is_refused(name, implementation):
    with pytest.raises(ValueError, match="implementation must be one of auto, fused"):
        MODELS[name](12, 8, implementation=implementation)


def test_without_kernels_it_runs_and_says_so_once(monkeypatch):
    monkeypatch.setattr(builds, "load", lambda build: None)
    kernels.library.cache_clear()
    operands = make_operands("lstm", False, rows=12, B=2, H=16)
    index = torch.zeros(3, 2, dtype=torch.int64)
    try:
        with pytest.warns(UserWarning, match="install a C compiler"):
            found, _ = fused("lstm", operands, index)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fused("lstm", operands, index)
    finally:
        kernels.library.cache_clear()
    torch.testing.assert_close(found, reference("lstm", operands, index, None)[0])


MEMORY_SCRIPT = """
import sys, torch
from copytask import Trainer, TrainingConfig
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * 4096
trainer = Trainer(TrainingConfig(model=sys.argv[1], T=100, curriculum_length=0, hidden_size=32,
                  batch_size=32, max_tokens=10**9, stop_when_solved=False, device='cpu'))
steps = lambda n: [trainer._train_step() for _ in range(n)]
steps(20); before = resident(); steps(40); print(resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("name", ["lstm", "mgru"])
def test_memory_does_not_grow(name):
    run = subprocess.run(
        [sys.executable, "-c", MEMORY_SCRIPT, name], capture_output=True, text=True, check=True
    )
    # A step's buffers are 2.6 MB for the LSTM: 40 of them would be 100 MB.
    assert int(run.stdout) < 5_000_000
