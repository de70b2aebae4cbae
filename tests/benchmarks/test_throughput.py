import pytest

from benchmarks import throughput
from benchmarks.cells import CELLS


@pytest.mark.parametrize("model", CELLS)
@pytest.mark.parametrize("side", [side for side in throughput.SIDES if side != "fallback"])
def test_a_step_of_each_cell_is_measured(monkeypatch, side, model):
    monkeypatch.setattr(throughput, "SECONDS", 0.0)
    monkeypatch.setattr(throughput, "DELAYS", (2,))
    for name in ("set_num_threads", "set_flush_denormal", "set_float32_matmul_precision"):
        monkeypatch.setattr(throughput.torch, name, lambda value: None)  # of the whole process
    (row,) = throughput.measure(side, model, 2, 4)
    assert (row["model"], row["side"], row["T"]) == (model, side, 2)
    assert row["ms"] > 0
