"""What reaches the recurrences from outside: token ids, empty batches, settings of the process."""

import gc
import sys
import threading
import time

import pytest
import torch
from recurrences import CELLS, ENGINES, make_operands, make_tokens
from torch import nn

from copytask.engine import fused, graphs, reference
from copytask.engine.unrolled import _Memory
from copytask.models import MODELS, implementations

I, H, B, L = 12, 20, 3, 37  # noqa: E741  # two blocks of recorded steps, and a rest

every_engine = pytest.mark.parametrize("engine", ENGINES)
every_model = pytest.mark.parametrize("name", CELLS)
every_implementation = pytest.mark.parametrize(
    ("name", "implementation"),
    [(name, how) for name in CELLS for how in implementations(MODELS[name])],
)


def make_cell(name: str, implementation: str = "fused") -> nn.Module:
    torch.manual_seed(0)
    return MODELS[name](I, H, implementation=implementation)


def make_input(kind: str, length: int = L, batch: int = B) -> torch.Tensor:
    tokens = make_tokens(I, length, batch)
    return tokens if kind == "tokens" else nn.functional.one_hot(tokens, I).float()


def gradients_of(cell: nn.Module, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(cell.parameters())))


def forget_buffers() -> None:
    """Let the next sequence make all that is otherwise kept from one to the next."""
    _Memory._free.clear()
    graphs._recordings.clear()


# ---- token ids ----


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@every_engine
def test_tokens_changed_before_the_way_back_are_noticed(engine, dtype, use_engine):
    use_engine(engine)
    tokens = make_input("tokens").to(dtype)
    outputs, _ = make_cell("gru")(tokens)
    tokens.fill_(99)  # a buffer that is used again
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


@pytest.mark.parametrize("contiguous", [True, False])
@every_engine
def test_tokens_changed_without_autograd_s_notice_do_no_harm(engine, contiguous, use_engine):
    use_engine(engine)
    cell, tokens = make_cell("gru"), make_input("tokens")
    tokens = tokens if contiguous else tokens.t().contiguous().t()
    expected = gradients_of(cell, cell(tokens)[0].sum())
    outputs, _ = cell(tokens)
    tokens.numpy()[:] = 2**40
    for one, other in zip(gradients_of(cell, outputs.sum()), expected, strict=True):
        assert one.equal(other)


@pytest.mark.parametrize("token", [-1, I])
@every_implementation
def test_tokens_outside_of_the_alphabet_are_refused(name, implementation, token):
    tokens = make_input("tokens")
    tokens[5, 1] = token
    with pytest.raises(IndexError, match=r"token ids must be in 0\.\.11, but are in"):
        make_cell(name, implementation)(tokens)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
@every_implementation
def test_tokens_of_any_integer_type_are_taken(name, implementation, dtype):
    cell, tokens = make_cell(name, implementation), make_input("tokens")
    assert cell(tokens.to(dtype))[0].equal(cell(tokens)[0])


@every_implementation
def test_tokens_on_another_device_are_refused(name, implementation):
    tokens = make_input("tokens").to("meta")
    with pytest.raises(ValueError, match="token ids are on meta, but the weights are on cpu"):
        make_cell(name, implementation)(tokens)


@pytest.mark.parametrize("implementation", ["fused", "reference"])
@every_model
def test_a_state_on_another_device_is_refused(name, implementation):
    state = torch.zeros(1, B, H, device="meta")
    with pytest.raises(ValueError, match="h is on meta, but the weights are on cpu"):
        make_cell(name, implementation)(
            make_input("tokens"), (state, state) if "lstm" in name else state
        )


@pytest.mark.parametrize("run", [fused, reference])
@pytest.mark.parametrize("index", [None, make_tokens(I, L, B)], ids=["vectors", "tokens"])
@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        ("bias", lambda t: None, "the cell 'gru' needs bias, which is None"),
        ("weight_mh", lambda t: None, "the cell 'gru' needs weight_mh, which is None"),
        ("bias", lambda t: t[1:], r"bias must have shape \(20,\), but has \(19,\)"),
        ("weight_mh", lambda t: t[1:], r"weight_mh must have shape \(20, 20\), but has"),
        ("inputs", lambda t: t[..., 1:], "inputs must have shape"),
        ("inputs", lambda t: t[None], "inputs must have shape"),
        ("mx", lambda t: t[1:], "mx must have shape"),
        ("h", lambda t: t[1:], "do not fit a state of batch 2"),
    ],
)
def test_operands_that_do_not_fit_are_refused(run, index, field, change, message):
    operands = make_operands("gru", True, (L, B) if index is None else I, B, H)
    operands = operands._replace(**{field: change(getattr(operands, field))})
    with pytest.raises(ValueError, match=message):
        run("gru", operands, index, None)


# ---- nothing to do ----


@pytest.mark.parametrize(("length", "batch"), [(L, 0), (3, 0), (0, B), (0, 0)])
@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_model
@every_engine
def test_an_empty_sequence_or_batch_is_empty(engine, name, kind, length, batch, use_engine):
    use_engine(engine)
    cell = make_cell(name)
    state = torch.randn(1, batch, H)
    given = (state, state) if "lstm" in name else state
    outputs, last = cell(make_input(kind, length, batch), given)
    assert outputs.shape == (length, batch, H)
    torch.testing.assert_close(last, given)
    for gradient in gradients_of(cell, outputs.sum()):
        assert not gradient.any()


@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_implementation
def test_every_implementation_takes_an_empty_batch_as_torch_does(name, implementation, kind):
    cell = make_cell(name, implementation)
    outputs, state = cell(make_input(kind, L, 0))
    expected, expected_state = (nn.LSTM if "lstm" in name else nn.GRU)(I, H)(torch.zeros(L, 0, I))
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(state, expected_state)
    for gradient in gradients_of(cell, outputs.sum()):
        assert not gradient.any()


@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_implementation
def test_every_implementation_hands_the_state_through_a_sequence_of_no_steps(
    name, implementation, kind
):
    state = torch.randn(1, B, H)
    given = (state, state) if "lstm" in name else state
    outputs, last = make_cell(name, implementation)(make_input(kind, 0), given)
    assert outputs.shape == (0, B, H)
    torch.testing.assert_close(last, given)


@pytest.mark.parametrize("recalled", [0, 1, L, L + 1])
@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_implementation
def test_every_implementation_returns_the_last_outputs(name, implementation, kind, recalled):
    cell, input = make_cell(name, implementation), make_input(kind)
    outputs, state = cell(input)
    kept, same_state = cell(input, recalled=recalled)
    torch.testing.assert_close(kept, outputs[max(L - recalled, 0) :])
    torch.testing.assert_close(same_state, state)


@every_engine
def test_without_outputs_the_gradient_comes_from_the_state(engine, use_engine):
    use_engine(engine)
    cell, tokens = make_cell("mgru"), make_input("tokens")
    found = gradients_of(cell, cell(tokens, recalled=0)[1].sum())
    expected = gradients_of(cell, cell(tokens)[1].sum())
    torch.testing.assert_close(found, expected)


@every_implementation
def test_less_than_no_outputs_are_refused(name, implementation):
    with pytest.raises(ValueError, match="recalled >= 0 must hold, but got recalled=-1"):
        make_cell(name, implementation)(make_input("tokens"), recalled=-1)


# ---- settings of the process ----


@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_engine
def test_the_default_type_and_device_do_not_matter(engine, kind, use_engine):
    use_engine(engine)
    cell, input = make_cell("mlstm"), make_input(kind)
    outputs, _ = cell(input)
    expected = [outputs, *gradients_of(cell, outputs.sum())]
    forget_buffers()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            outputs, _ = cell(input)
            found = [outputs, *gradients_of(cell, outputs.sum())]
    finally:
        torch.set_default_dtype(before)
    for one, other in zip(found, expected, strict=True):
        assert one.equal(other)


@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_engine
def test_it_trains_after_an_evaluation_in_inference_mode(engine, kind, use_engine):
    use_engine(engine)
    forget_buffers()
    cell, input = make_cell("mlstm"), make_input(kind)
    with torch.inference_mode():
        evaluated, _ = cell(input.repeat_interleave(100, dim=1))  # more memory than a step takes
    outputs, _ = cell(input)
    torch.testing.assert_close(outputs, evaluated[:, ::100])
    assert all(g.isfinite().all() for g in gradients_of(cell, outputs.sum()))


def test_memory_that_a_device_lacks_is_one_error(monkeypatch):
    unraisable = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)
    with pytest.raises(RuntimeError, match="overflow"):  # all that the meta device refuses
        _Memory(2**62, torch.empty(1, device="meta"))
    gc.collect()
    assert not unraisable


def test_threads_do_not_take_each_other_s_memory():
    operands = make_operands("lstm", False, rows=I, B=2, H=16)
    index = make_tokens(I, 4, 2)
    expected, _ = fused("lstm", operands, index)
    results: list[object] = []

    def give_way(frame, event, arg):
        """Let the other threads run before every line of what takes memory."""
        if frame.f_code is not _Memory.__init__.__code__:
            return None
        time.sleep(1e-5)
        return give_way

    def run() -> None:
        sys.settrace(give_way)
        try:
            for _ in range(50):
                results.append(fused("lstm", operands, index)[0].detach())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 200
    assert all(torch.is_tensor(result) and result.equal(expected) for result in results)


@pytest.mark.parametrize("inside", [True, False], ids=["backward inside", "backward outside"])
@pytest.mark.parametrize("kind", ["tokens", "vectors"])
@every_model
@every_engine
def test_under_autocast_it_computes_in_the_type_of_its_weights(
    engine, name, kind, inside, use_engine
):
    use_engine(engine)
    cell, input = make_cell(name), make_input(kind)
    outputs, state = cell(input)
    expected = [outputs, *gradients_of(cell, outputs.sum())]
    with torch.autocast("cpu", torch.bfloat16):
        outputs, state = cell(input)
        loss = outputs.sum()
        found = gradients_of(cell, loss) if inside else None
    found = found or gradients_of(cell, loss)
    for tensor in (outputs, *(state if isinstance(state, tuple) else (state,))):
        assert tensor.dtype == torch.float32
    # The inputs are projected in bfloat16, as every linear layer under autocast.
    for one, other in zip([outputs, *found], expected, strict=True):
        assert (one - other).norm() < 0.02 * other.norm()
