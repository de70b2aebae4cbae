from itertools import product

import pandas as pd
import pytest
from synthetic import make_table

from benchmarks import evidence
from benchmarks.baselines.race import SIDES
from benchmarks.real_races import BEFORE, COLD, WARM
from benchmarks.replay.sides import ALL_SIDES


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Made-up measurements in a folder; the tables are made from them."""
    starts = [(COLD, 1000), (BEFORE, 500), (WARM, 1000)]
    real = pd.DataFrame(
        {"model": "lstm", "T": T, "start": start, "side": side, "seed": seed, "solved": True,
         "seconds": 10.0 + index + seed if start == COLD else 5.0 + seed, "tokens": 10**6}
        for seed, (start, T), (index, side) in product(range(3), starts, enumerate(SIDES))
        if side == "ours" or start != BEFORE
    )  # fmt: skip
    replayed = pd.DataFrame(
        {"model": "lstm", "side": side, "pool": pool, "seed": seed,
         "solved": index != 1 or seed > 0, "exhausted": index == 1 and seed == 0,
         "seconds": 10.0 + index + seed + pool, "tokens": 10**6 * (1 + index), "trials": 20,
         "again": 0.0 if seed == 1 else 1.0, "configurations": "12"}
        for pool, seed, (index, side) in product(range(4), range(4), enumerate(ALL_SIDES))
    )  # fmt: skip
    paths = {}
    for name, frame in (("REAL", real), ("REPLAYED", replayed), ("TABLE", pool_of_searches())):
        paths[name] = tmp_path / f"{name}.csv"
        frame.to_csv(paths[name], index=False)
        monkeypatch.setattr(evidence, name, paths[name])
    tables = {
        title: (paths["REAL" if "eal" in path.name else "TABLE" if "pool" in path.name
                      else "REPLAYED"], make)
        for title, (path, make) in evidence.TABLES.items()
    }  # fmt: skip
    monkeypatch.setattr(evidence, "TABLES", tables)
    evidence.real.cache_clear()
    evidence.replayed.cache_clear()
    yield paths
    evidence.real.cache_clear()
    evidence.replayed.cache_clear()


def pool_of_searches() -> pd.DataFrame:
    """A pool at the T of benchmarks/searches.yaml."""
    return make_table(20, T=(1000,), model="lstm")


def test_every_table_follows_from_the_measurements(files):
    for title, (_, make) in evidence.TABLES.items():
        lines = make().splitlines()
        assert len(lines) > 2, title
        assert len({line.count("|") for line in lines}) == 1, title
        assert "nan" not in "".join(lines), title


def test_the_time_at_the_smaller_T_is_counted(files):
    lines = evidence.shortcut().splitlines()
    assert [line.split("|")[3].strip() for line in lines[2:]] == ["11", "6", "12"]
    assert "ours, with the T before counted" in lines[4]


def test_how_searches_end_is_told(files):
    ours, random, *_ = evidence.ends_table(evidence.replayed()).splitlines()[2:]
    assert ours.startswith("| LSTM: ours | 4 | 4 | 0 | 20 | 75 [")
    assert random.startswith("| LSTM: random search | 4 | 3 | 1 | 20 | 67 [")


def test_configurations_that_were_recorded_after_the_replays_are_left_out(files):
    assert [len(pool) for pool in evidence.recorded_pools().values()] == [12]


def test_without_measurements_there_is_no_table(files, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["evidence"])
    files["REAL"].unlink()
    evidence.main()
    text = capsys.readouterr().out
    assert "Real races from nothing\n\nREAL.csv is missing" in text
    assert "| LSTM: ours | 4 | 4 |" in text
