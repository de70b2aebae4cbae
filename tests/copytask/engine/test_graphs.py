"""Sequences in blocks of recorded steps. Without a GPU the blocks run as they are recorded."""

import threading

import pytest
import torch
from recurrences import FACTORS, make_operands, make_tokens, values_and_gradients
from torch.utils._python_dispatch import TorchDispatchMode

from copytask import build_model
from copytask.engine import GATES, Operands, fused, graphs, reference
from copytask.training.precision import matmul_precision

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
needs_two_gpus = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
every_kind = pytest.mark.parametrize("kind", ["tokens", "vectors"])
every_cell = pytest.mark.parametrize("cell", sorted(GATES))
with_every_factor = pytest.mark.parametrize(("multiplicative", "input_gated"), FACTORS)


def make_sequence(kind, cell, multiplicative, L, B=3, seed=0, **options):
    """Operands, and the index of a sequence of tokens; None for one of vectors."""
    rows = 12 if kind == "tokens" else (L, B)
    operands = make_operands(cell, multiplicative, rows, B, H=5, seed=seed, **options)
    return operands, make_tokens(12, L, B) if kind == "tokens" else None


def to_device(device: str, operands: Operands, index):
    moved = (None if t is None else t.detach().to(device).requires_grad_() for t in operands)
    return Operands(*moved), None if index is None else index.to(device)


def assert_same(found, expected, **tolerance) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.cpu(), other, **tolerance)


@pytest.mark.parametrize("L", [1, 16, 37])
@pytest.mark.parametrize("recalled", [None, 0, 1, 20])
@with_every_factor
@every_cell
@every_kind
def test_in_blocks_it_is_the_same(kind, cell, multiplicative, input_gated, recalled, L, use_engine):
    operands, index = make_sequence(
        kind, cell, multiplicative, L, dtype=torch.float64, input_gated=input_gated
    )
    expected = values_and_gradients(reference, cell, operands, index, recalled)
    use_engine("blocks")
    for _ in range(2):  # recorded, and used again
        found = values_and_gradients(fused, cell, operands, index, recalled)
        assert_same(found, expected)
    with torch.no_grad():
        outputs, (h, _) = fused(cell, operands, index, recalled)
    assert_same([outputs, h], expected[:2])


@every_kind
def test_sequences_of_one_shape_share_a_recording_and_nothing_else(kind, use_engine):
    use_engine("blocks")
    graphs._recordings.clear()
    sequences = [make_sequence(kind, "gru", True, 40, seed=seed) for seed in (0, 1)]
    expected = [values_and_gradients(reference, "gru", *one, None) for one in sequences]
    outputs = [fused("gru", *one)[0] for one in sequences]
    for (operands, index), out, values in zip(sequences, outputs, expected, strict=True):
        torch.testing.assert_close(out, values[0])
        given = [t for t in operands if t is not None]
        found = torch.autograd.grad(out.sum(), given)
        plain = reference("gru", operands, index, None)[0]
        assert_same(found, torch.autograd.grad(plain.sum(), given), rtol=1e-4, atol=1e-5)
    assert len(graphs._recordings) == 1


class CopiesOf(TorchDispatchMode):
    """Counts the copies of tensors of one shape."""

    def __init__(self, shape: torch.Size):
        super().__init__()
        self.shape, self.count = shape, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.copy_.default and args[0].shape == self.shape:
            self.count += 1
        return function(*args, **(kwargs or {}))


@every_kind
def test_weights_are_copied_once_and_not_for_every_block(kind, use_engine):
    use_engine("blocks")
    counts = []
    for blocks in (2, 5):
        operands, index = make_sequence(kind, "lstm", True, blocks * graphs.BLOCK)
        values_and_gradients(fused, "lstm", operands, index, None)  # recorded
        with CopiesOf(operands.weight_hh.shape) as copies:
            values_and_gradients(fused, "lstm", operands, index, None)
        counts.append(copies.count)
    assert counts[0] == counts[1] > 0


# ---- what only a GPU can show ----


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize(("L", "B"), [(37, 8), (5, 8), (16, 1), (0, 8), (37, 0)])
@with_every_factor
@every_cell
@every_kind
def test_on_a_gpu_it_is_the_same(kind, cell, multiplicative, input_gated, L, B):
    graphs._recordings.clear()
    sequence = make_sequence(kind, cell, multiplicative, L, B, input_gated=input_gated)
    expected = values_and_gradients(reference, cell, *sequence, 10)
    on_gpu = to_device("cuda", *sequence)
    for _ in range(2):
        found = values_and_gradients(fused, cell, *on_gpu, 10)
        assert_same(found, expected, rtol=1e-4, atol=1e-5)
    assert len(graphs._recordings) == (L >= graphs.BLOCK and B > 0)


@pytest.mark.gpu
@needs_two_gpus
@every_kind
def test_on_a_gpu_that_is_not_the_current_one_it_is_the_same(kind):
    graphs._recordings.clear()
    for seed in (0, 1):  # the graph of a wrong device is empty: what was there before comes again
        sequence = make_sequence(kind, "gru", True, 37, seed=seed)
        expected = values_and_gradients(reference, "gru", *sequence, None)
        with torch.cuda.device(0):
            found = values_and_gradients(fused, "gru", *to_device("cuda:1", *sequence), None)
        assert_same(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
@needs_gpu
def test_streams_do_not_share_buffers():
    graphs._recordings.clear()
    sequences = [make_sequence("tokens", "lstm", False, 160, seed=seed) for seed in (0, 1)]
    expected = [values_and_gradients(reference, "lstm", *one, None) for one in sequences]
    on_gpu = [to_device("cuda", *one) for one in sequences]
    torch.cuda.synchronize()
    streams = [torch.cuda.Stream() for _ in sequences]
    for _ in range(5):
        found = []
        for stream, one in zip(streams, on_gpu, strict=True):
            with torch.cuda.stream(stream):
                found.append(values_and_gradients(fused, "lstm", *one, None))
        torch.cuda.synchronize()
        for values, others in zip(found, expected, strict=True):
            assert_same(values, others, rtol=1e-4, atol=1e-5)
    assert len(graphs._recordings) == len(streams)


@pytest.mark.gpu
@needs_gpu
def test_threads_on_a_gpu_do_not_share_buffers():
    graphs._recordings.clear()
    sequences = [make_sequence("tokens", "gru", True, 160, seed=seed) for seed in range(4)]
    expected = [values_and_gradients(reference, "gru", *one, None) for one in sequences]
    wrong: list[object] = []

    def run(sequence, values) -> None:
        try:
            on_gpu = to_device("cuda", *sequence)
            for _ in range(20):
                found = values_and_gradients(fused, "gru", *on_gpu, None)
                assert_same(found, values, rtol=1e-4, atol=1e-5)
        except Exception as error:
            wrong.append(error)

    threads = [
        threading.Thread(target=run, args=pair) for pair in zip(sequences, expected, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.gpu
@needs_gpu
def test_on_a_gpu_it_trains_after_an_evaluation_in_inference_mode():
    graphs._recordings.clear()
    model = build_model("mgru", 16).cuda()
    tokens = make_tokens(12, 40, 4).cuda()
    with torch.inference_mode():
        evaluated = model(tokens)
    logits = model(tokens)
    logits.sum().backward()
    torch.testing.assert_close(logits, evaluated)
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.gpu
@needs_gpu
@every_kind
def test_autocast_on_a_gpu_leaves_the_recurrence_in_float32(kind):
    operands, index = to_device("cuda", *make_sequence(kind, "lstm", True, 37))
    expected = values_and_gradients(fused, "lstm", operands, index, None)
    with torch.autocast("cuda", torch.bfloat16):
        found = values_and_gradients(fused, "lstm", operands, index, None)
    assert_same(found, [value.cpu() for value in expected])


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_fp32_is_fp32_on_cudnn_as_well(name):
    model = build_model(name, 128).cuda()
    tokens = make_tokens(12, 200, 16).cuda()
    parameters = list(model.parameters())

    def compute() -> list[torch.Tensor]:
        logits = model(tokens)
        return [logits, *torch.autograd.grad(logits.square().mean(), parameters)]

    with matmul_precision("fp32"):
        found = compute()
    model.double()
    parameters = list(model.parameters())
    for one, other in zip(found, compute(), strict=True):
        assert (one - other).norm() < 1e-4 * other.norm()
