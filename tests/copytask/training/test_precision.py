"""Products in bfloat16: what is rounded, and who decides."""

import json
import os

import pytest
import torch
from recurrences import make_operands, make_tokens, values_and_gradients

from copytask import Trainer, TrainingConfig, build_model, fastest_precision
from copytask.engine import builds, fused, kernels, reference
from copytask.training.precision import matmul_precision, measure_precision

needs_bf16 = pytest.mark.skipif(
    not kernels.have_bf16(), reason="this processor, or its kernels, have no bfloat16 products"
)


def rounded(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().bfloat16().float()


@needs_bf16
@pytest.mark.parametrize("multiplicative", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("H", [5, 64])
def test_the_factors_of_products_are_rounded_and_nothing_else(cell, multiplicative, H):
    operands = make_operands(cell, multiplicative, rows=12, B=7, H=H)
    index = make_tokens(12, 1, 7)
    with matmul_precision("bf16"):
        found, (h, _) = fused(cell, operands, index)
    # One step whose products are exact: all is as in float32 but for the rounded factors.
    exact = operands._replace(weight_hh=rounded(operands.weight_hh), h=rounded(operands.h))
    if multiplicative:
        u = exact.h @ rounded(operands.weight_mh).t()
        m = rounded(u * operands.mx[index[0]])
        exact = exact._replace(mx=None, weight_mh=None, h=m)
    if cell == "gru":  # the state itself is not rounded on its way through the update gate
        x_r, x_z, x_n = operands.inputs[index[0]].chunk(3, dim=1)
        p_r, p_z, p_n = (exact.h @ exact.weight_hh.t()).chunk(3, dim=1)
        z = (x_z + p_z).sigmoid()
        n = (x_n + (x_r + p_r).sigmoid() * (p_n + operands.bias)).tanh()
        expected = ((1 - z) * n + z * operands.h)[None]
    else:
        expected, _ = reference(cell, exact, index, None)
    # A value of m near the middle between two bfloat16 numbers may round to either.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-3 if multiplicative else 1e-6)
    assert h.equal(found[-1])


@pytest.mark.parametrize("name", ["exprnn", "mingru", "transformer"])
def test_only_the_gated_cells_may_get_bf16(name, monkeypatch):
    monkeypatch.setattr("copytask.training.precision.cached_measurement", lambda *_: "bf16")
    assert fastest_precision(build_model(name, 8), 4) == "fp32"
    assert fastest_precision(build_model("gru", 8), 4) == "bf16"


def test_a_frozen_parameter_takes_no_part_in_the_measurement(monkeypatch):
    monkeypatch.setattr("copytask.training.precision.MEASURED_SECONDS", 0)
    model = build_model("gru", 8)
    model.core.weight_ih_l0.requires_grad_(False)
    assert measure_precision(model, batch_size=2) in {"fp32", "bf16"}


def test_a_model_that_is_not_trained_stays_in_float32(monkeypatch):
    monkeypatch.setattr("copytask.training.precision.cached_measurement", lambda *_: "bf16")
    assert fastest_precision(build_model("gru", 8).requires_grad_(False), 4) == "fp32"


@needs_bf16
@pytest.mark.parametrize("B", [1, 7, 16, 40, 130])
@pytest.mark.parametrize("multiplicative", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradients_are_those_of_float32_but_for_the_rounding(cell, multiplicative, B):
    operands = make_operands(cell, multiplicative, rows=12, B=B, H=40)
    index = make_tokens(12, 20, B)
    with matmul_precision("bf16"):
        found = values_and_gradients(fused, cell, operands, index, 5)
    expected = values_and_gradients(fused, cell, operands, index, 5)
    for one, other in zip(found, expected, strict=True):
        assert not one.equal(other)
        assert (one - other).norm() < 0.02 * other.norm()


@pytest.mark.skipif(
    not (builds.load("amx_bf16") and builds.load("avx512_bf16")), reason="needs AMX"
)
@pytest.mark.parametrize("B", [1, 16, 40])
@pytest.mark.parametrize("multiplicative", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_tiles_and_vectors_give_the_same(cell, multiplicative, B, monkeypatch):
    operands = make_operands(cell, multiplicative, rows=12, B=B, H=64)
    index = make_tokens(12, 20, B)
    results = []
    for build in ("amx_bf16", "avx512_bf16"):
        kernels_of_build = builds.load(build)
        monkeypatch.setattr(kernels, "library", lambda found=kernels_of_build: found)
        with matmul_precision("bf16"):
            results.append(values_and_gradients(fused, cell, operands, index, 5))
    for one, other in zip(*results, strict=True):
        # A sum in another order may round a factor of the next product the other way.
        assert (one - other).norm() < 2e-3 * other.norm()


def switches() -> tuple[str, bool]:
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_precision_holds_for_the_training_and_no_longer(precision):
    before = switches()
    config = TrainingConfig(
        model="lstm", T=4, hidden_size=32, batch_size=4, tokens_per_iteration=500,
        max_tokens=1000, precision=precision, device="cpu",
    )  # fmt: skip
    seen = []
    trainer = Trainer(config)
    trainer.model.register_forward_hook(lambda *_: seen.append(switches()))
    list(trainer)
    # cuDNN's recurrences obey a switch of their own, which is on unless somebody turns it off.
    assert set(seen) == {("highest", False) if precision == "fp32" else ("medium", True)}
    assert switches() == before


def test_what_auto_came_to_is_kept(tmp_path):
    trainer = Trainer(TrainingConfig(model="gru", T=3, hidden_size=64))
    assert trainer.config.precision in {"fp32", "bf16"}
    trainer.save(tmp_path)
    assert Trainer.load(tmp_path).config == trainer.config


def test_a_users_cell_is_trained_in_float32():
    assert fastest_precision(build_model("torch.nn:GRU", 128), batch_size=64) == "fp32"


@pytest.mark.parametrize(("gain", "expected"), [(1.0, "fp32"), (1.1, "fp32"), (1.5, "bf16")])
def test_the_faster_precision_is_taken_if_it_is_worth_it(gain, expected, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("copytask.training.precision.time.perf_counter", lambda: clock[0])

    def run(*_) -> None:
        clock[0] += gain if torch.get_float32_matmul_precision() == "highest" else 1.0

    model = build_model("mlstm", 8)
    model.register_forward_hook(run)
    assert measure_precision(model, batch_size=2) == expected


def test_a_precision_is_decided_once_a_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = ["fp32", "bf16", "bf16", "fp32"]  # two measurements may disagree
    monkeypatch.setattr("copytask.training.precision.measure_precision", lambda *_: found.pop())
    gru = build_model("gru", 8)
    assert [fastest_precision(gru, 2) for _ in range(3)] == ["fp32"] * 3
    assert fastest_precision(build_model("gru", 16), 2) == "bf16"  # another question
    (file, _) = sorted((tmp_path / "copytask-search").iterdir(), key=os.path.getmtime)
    kept = json.loads(file.read_text())
    assert (kept["precision"], kept["torch"]) == ("fp32", torch.__version__)
    assert kept["processor"]
    file.write_text("{")  # damaged: measured again, and kept again
    assert [fastest_precision(gru, 2) for _ in range(2)] == ["bf16"] * 2


def test_without_a_cache_folder_a_precision_is_measured_each_time(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = ["fp32", "bf16"]
    monkeypatch.setattr("copytask.training.precision.measure_precision", lambda *_: found.pop())
    gru = build_model("gru", 8)
    assert [fastest_precision(gru, 2) for _ in range(2)] == ["bf16", "fp32"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_fp32_on_a_gpu_is_fp32_in_cudnn_as_well():
    torch.manual_seed(0)
    core = torch.nn.LSTM(64, 256).double().cuda()
    input = torch.randn(50, 32, 64, dtype=torch.float64, device="cuda")
    exact = core(input)[0]
    errors = {}
    for precision in ("fp32", "bf16"):
        with matmul_precision(precision):
            found = core.float()(input.float())[0]
        errors[precision] = float((found.double() - exact).abs().max())
    assert errors["fp32"] < 1e-5 < errors["bf16"]
