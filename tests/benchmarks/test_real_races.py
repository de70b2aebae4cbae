import json
import signal

import pandas as pd
import pytest

from benchmarks import real_races
from benchmarks.baselines.race import Search
from benchmarks.baselines.results import Taken
from benchmarks.real_races import BEFORE, COLD, WARM, rotated
from search.errors import SearchFailedError

SIDES = ["ours", "random search", "Optuna: TPE, Hyperband"]
POINTS = [{"learning_rate": 0.003, "hidden_size": 64, "curriculum_length": 2000}]


@pytest.fixture
def ran(monkeypatch) -> list[Search]:
    """The searches that were run; none trains."""
    searches: list[Search] = []

    def run(search: Search) -> Taken:
        searches.append(search)
        return Taken(10.0 * len(searches), 10**6, 5, True)

    monkeypatch.setattr(Search, "run", run)
    monkeypatch.setattr(Search, "run_for_points", lambda search, config: (run(search), POINTS))
    return searches


def start(monkeypatch, path, *options: str) -> pd.DataFrame:
    arguments = ["--output", str(path), "--sides", *SIDES, "--seeds", "2", *options]
    monkeypatch.setattr("sys.argv", ["real_races", *arguments])
    real_races.main()
    return pd.read_csv(path)


def test_the_sides_take_turns_and_each_seed_begins_with_another(tmp_path, monkeypatch, ran):
    rows = start(monkeypatch, tmp_path / "races.csv")
    assert rows["seed"].tolist() == [0, 0, 0, 1, 1, 1]
    assert rows["side"].tolist() == [*SIDES, *rotated(SIDES, 1)]
    assert rotated(SIDES, 1)[0] == SIDES[1]
    assert (rows["start"] == COLD).all()
    assert rows[["project", "machine"]].notna().all(axis=None)


def test_a_second_start_goes_on_where_the_first_stopped(tmp_path, monkeypatch, ran):
    path = tmp_path / "races.csv"
    rows = start(monkeypatch, path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:4]))
    ran.clear()
    again = start(monkeypatch, path, "--seeds", "3")
    assert len(ran) == 6
    assert again["seconds"].tolist()[:3] == rows["seconds"].tolist()[:3]
    assert again["seed"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_seed_is_not_continued_on_another_machine(tmp_path, monkeypatch, ran):
    path = tmp_path / "races.csv"
    start(monkeypatch, path)
    lines = path.read_text().splitlines(keepends=True)
    monkeypatch.setattr(real_races, "machine", lambda: "another")
    assert len(start(monkeypatch, path, "--seeds", "3")) == 9
    path.write_text("".join(lines[: 4 + 1]))
    with pytest.raises(SystemExit, match=r"seed 1 was begun on another machine .*remove its rows"):
        start(monkeypatch, path)
    assert path.read_text() == "".join(lines[: 4 + 1])


def test_warm_sides_all_start_with_what_was_found_at_the_smaller_T(tmp_path, monkeypatch, ran):
    rows = start(monkeypatch, tmp_path / "races.csv", "--after", "500", "--seeds", "1")
    assert rows["start"].tolist() == [COLD] * 3 + [BEFORE] + [WARM] * 3
    assert [search.T for search in ran] == [1000] * 3 + [500] + [1000] * 3
    assert ran[3].solved_trials == 2
    assert [list(search.initial) for search in ran] == [[]] * 4 + [POINTS] * 3
    assert json.loads(rows["initial"].iloc[-1]) == POINTS


def test_rows_of_other_settings_are_refused_in_one_line(tmp_path, monkeypatch, ran):
    path = tmp_path / "races.csv"
    start(monkeypatch, path)
    with pytest.raises(
        SystemExit, match=r"error: .*races.csv was measured with minutes 6.0, not 8"
    ):
        start(monkeypatch, path, "--minutes", "8")


def test_a_search_that_fails_does_not_end_the_others_and_is_run_again(tmp_path, monkeypatch, ran):
    path, run = tmp_path / "races.csv", Search.run

    def fails_once(search: Search) -> Taken:
        if search.side == "random search":
            raise SearchFailedError("random search ended with exit code 1: no memory")
        return run(search)

    monkeypatch.setattr(Search, "run", fails_once)
    with pytest.raises(SystemExit, match="2 searches failed"):
        start(monkeypatch, path)
    assert len(pd.read_csv(path)) == 4
    monkeypatch.setattr(Search, "run", run)
    assert len(start(monkeypatch, path)) == 6


def test_searches_can_be_interrupted_though_a_shell_started_it_in_its_background(
    tmp_path, monkeypatch, ran
):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start(monkeypatch, tmp_path / "races.csv")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_the_smaller_T_must_be_smaller(tmp_path, monkeypatch, ran, capsys):
    with pytest.raises(SystemExit):
        start(monkeypatch, tmp_path / "races.csv", "--after", "1000")
    assert "--after 1000 must be smaller than --T 1000" in capsys.readouterr().err
