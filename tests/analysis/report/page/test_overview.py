from pathlib import Path

import pandas as pd
from study_files import NOT_SOLVED, confirm, seed, trial, write_study

from analysis import load_studies
from analysis.report.page.overview import OverviewCell, overview
from analysis.tables.comparison import compare_studies
from analysis.tables.records import records


def cell(runs: Path, T: int = 100) -> OverviewCell:
    found = overview(records(compare_studies(load_studies([runs]))))
    [cells] = found.rows.values()
    return cells[found.lengths.index(T)]


def test_fresh_seeds_lead_and_the_best_trial_is_last(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    confirm(folder, *(seed(k, model="gru") for k in range(3)))
    assert cell(runs) == OverviewCell(
        "solved",
        [
            "3 of 3 seeds", "rate 0.29 to 1.00, median 0.9950", "half within 0.6 M tokens",
            "best trial 0.9910",
        ],
    )  # fmt: skip


def test_a_length_that_some_seeds_do_not_solve_is_not_marked(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    lost = [seed(k, accuracy=0.4, **NOT_SOLVED) for k in (1, 2)]
    confirm(folder, seed(0, accuracy=0.98), *lost)
    found = cell(runs)
    assert (found.kind, found.lines[0]) == ("unsolved", "1 of 3 seeds")
    assert "only 0 test at 0.99" in found.lines
    assert not any(line.startswith("half") for line in found.lines)


def test_without_fresh_seeds_a_length_is_solved_once(runs: Path) -> None:
    write_study(runs, "gru", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
    assert cell(runs) == OverviewCell(
        "once",
        [
            "solved once", "best trial 0.9910", "0.9890 to 0.9930", "in 6 s, 0.6 M tokens",
            "not confirmed",
        ],
    )  # fmt: skip
    assert (cell(runs, 200).kind, cell(runs, 200).lines[0]) == ("unsolved", "not solved")


def test_the_race_leads_where_no_other_seeds_are_known(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    best = pd.read_csv(folder / "best.csv").assign(race_seeds=3, race_solved=2)
    best.to_csv(folder / "best.csv", index=False)
    assert cell(runs) == OverviewCell(
        "once",
        [
            "2 of 3 race seeds", "rate 0.09 to 0.99", "best trial 0.9910", "in 6 s, 0.6 M tokens",
            "not confirmed",
        ],
    )  # fmt: skip


def test_rows_stand_as_the_studies_were_named(runs: Path) -> None:
    write_study(runs, "a", model="gru", T=[100], trials=[trial(100, **NOT_SOLVED)])
    write_study(runs, "b", model="lstm", T=[100])
    named = load_studies([runs / "b", runs / "a"])
    assert list(overview(records(compare_studies(named))).rows) == ["lstm", "gru"]
    found = overview(records(compare_studies(load_studies([runs]))))
    assert list(found.rows) == ["gru", "lstm"]


def test_a_test_below_the_threshold_contradicts_the_validation(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    best = pd.read_csv(folder / "best.csv").assign(accuracy=0.98, accuracy_high=0.985)
    best.to_csv(folder / "best.csv", index=False)
    assert cell(runs).lines[-1] == "but tested below 0.99"
    assert cell(runs).kind == "unsolved"
