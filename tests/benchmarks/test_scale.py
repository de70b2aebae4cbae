import sys

import pandas as pd
import pytest
from synthetic import make_table

from benchmarks import scale

CONFIG = """
T: [1000]
space:
  learning_rate: {low: 1.0e-4, high: 1.0e-1, log: true}
  hidden_size: {choices: [32, 64]}
  curriculum_length: {low: 250, high: 8000, log: true}
"""


@pytest.mark.filterwarnings("ignore")
def test_scale_writes_a_table_and_a_picture(tmp_path, monkeypatch, capsys):
    make_table(60).to_csv(tmp_path / "curves.csv.gz", index=False)
    (tmp_path / "config.yaml").write_text(CONFIG)
    arguments = {
        "--workers": "4", "--seeds": "1", "--solved": "1", "--horizon": "20",
        "--table": str(tmp_path / "curves.csv.gz"), "--config": str(tmp_path / "config.yaml"),
        "--output": str(tmp_path / "scale"),
    }  # fmt: skip
    monkeypatch.setattr(
        sys, "argv", ["scale", *(part for pair in arguments.items() for part in pair)]
    )
    scale.main()
    rows = pd.read_csv(tmp_path / "scale.csv")
    assert rows["driver"].tolist() == ["free", "measured"]
    assert (rows["report_ms"] > 0).all()
    assert (tmp_path / "scale.png").stat().st_size > 1000
    assert "driver" in capsys.readouterr().out


def test_the_verdict_says_where_workers_and_driver_stop_to_help():
    rows = [
        {"driver": driver, "workers": workers, "clock": clock, "driver_share": 0.5, "ask_ms": 60.0,
         "report_ms": 1.0, "efficiency": 80 / clock / workers, "work": 3.0}
        for driver, clocks in (("free", (80, 40, 21, 20)), ("measured", (80, 40, 22, 90)))
        for workers, clock in zip((1, 2, 4, 8), clocks, strict=True)
    ]  # fmt: skip
    text = scale.verdict(pd.DataFrame(rows))
    assert "From 8 workers on, less than half" in text
    assert "From 8 workers on, twice as many" in text
    assert "From 8 workers on, the driver costs" in text


def test_what_is_simulated_with_many_workers_only_is_compared_with_one_that_is_charged():
    rows = pd.DataFrame(
        {"driver": driver, "workers": workers, "seed": 0, "clock": clock, "tokens": 10}
        for driver, workers, clock in (
            ("decisions", 128, 2.0), ("measured", 1, 128.0), ("measured", 128, 4.0),
            ("several", 128, 1.0),
        )
    )  # fmt: skip
    efficiency = scale.summary(rows).set_index(["driver", "workers"])["efficiency"]
    assert efficiency.to_dict() == {
        ("decisions", 128): 0.5, ("measured", 1): 1.0, ("measured", 128): 0.25,
        ("several", 128): 1.0,
    }  # fmt: skip


def test_efficiency_is_the_speed_up_a_worker_and_trials_beyond_the_pool_repeat_a_curve():
    rows = pd.DataFrame(
        {"driver": driver, "workers": workers, "seed": seed, "clock": clock + seed,
         "tokens": tokens, "trials": trials}
        for driver in ("free", "measured")
        for workers, clock, tokens, trials in ((1, 79, 10, 40), (4, 39, 25, 200))
        for seed in range(3)
    )  # fmt: skip
    one, four = scale.time_table(rows, pool=100).splitlines()[2:]
    assert one == "| 1 | 80 [79, 81] | 100 % | 80 [79, 81] | 100 % | 1.0 | 40 | |"
    assert four == "| 4 | 40 [39, 41] | 50 % | 40 [39, 41] | 50 % | 2.5 | 200 | 50 % |"
