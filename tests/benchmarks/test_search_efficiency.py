import gzip

import pandas as pd
import pytest
from synthetic import make_table

from benchmarks import search_efficiency
from benchmarks.replay.simulator import Outcome

CONFIG = """
T: [100, 1000]
space:
  learning_rate: {low: 1.0e-4, high: 1.0e-1, log: true}
  hidden_size: {choices: [32, 64]}
  curriculum_length: {low: 250, high: 8000, log: true}
search: {race_seeds: 0}
"""
SIDES = ["ours", "random search"]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts the command, on a pool from a formula; returns the rows."""
    make_table(40).to_csv(tmp_path / "pool.csv.gz", index=False)
    (tmp_path / "config.yaml").write_text(CONFIG)

    def start(*options: str) -> pd.DataFrame:
        arguments = [
            "--table", str(tmp_path / "pool.csv.gz"), "--config", str(tmp_path / "config.yaml"),
            "--output", str(tmp_path / "rows"), "--model", "gru", "--processes", "1",
            "--sides", *SIDES, "--seeds", "4", "--pools", "2", "--pool-seeds", "2",
            "--horizon", "30", *options,
        ]  # fmt: skip
        monkeypatch.setattr("sys.argv", ["search_efficiency", *arguments])
        search_efficiency.main()
        return pd.read_csv(tmp_path / "rows.csv.gz")

    return start


@pytest.fixture
def replayed(monkeypatch) -> list[tuple[str, int]]:
    """Side and seed of the searches that were run; none is simulated."""
    done = []

    def side(name):
        return lambda race, seed: done.append((name, seed)) or Outcome(True, clock=2.0, tokens=10)

    monkeypatch.setattr(search_efficiency, "ALL_SIDES", {name: side(name) for name in SIDES})
    return done


def test_the_recorded_pool_comes_first_and_then_one_pool_after_another(start, replayed):
    rows = start()
    assert rows["pool"].tolist() == [0] * 8 + [1] * 4 + [2] * 4
    assert not rows.duplicated(["model", "side", "pool", "seed"]).any()
    assert (rows["configurations"] == 40).all()


def test_a_second_start_goes_on_where_the_first_stopped(start, replayed, tmp_path):
    start()
    packed, path = tmp_path / "rows.csv.gz", tmp_path / "rows.csv"
    assert not path.exists()
    path.write_bytes(b"".join(gzip.decompress(packed.read_bytes()).splitlines(keepends=True)[:12]))
    replayed.clear()
    rows = start("--seeds", "5")
    assert len(replayed) == 16 - 11 + 2
    assert len(rows) == 18
    replayed.clear()
    assert len(start("--seeds", "6")) == 20, "finished ones may go on with more"
    assert len(replayed) == 2


def test_rows_of_other_settings_are_refused_in_one_line(start, replayed):
    start()
    with pytest.raises(SystemExit, match=r"error: .*rows.csv was measured with workers 2, not 4"):
        start("--workers", "4")


@pytest.mark.filterwarnings("ignore")
def test_searches_are_replayed(start):
    rows = start("--seeds", "2", "--pools", "1", "--horizon", "300")
    assert (rows["tokens"] > 0).all()
    assert (rows["seconds"] > 0).all()
    assert rows["solved"].any()
    assert rows.loc[rows["solved"], "again"].between(0, 1).all()


def test_a_pool_without_the_model_is_refused_in_one_line(start):
    with pytest.raises(SystemExit, match=r"error: .*no recorded training of lstm at T = 1000"):
        start("--model", "lstm")
