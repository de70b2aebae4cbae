from pathlib import Path

import pytest
from study_files import reach, reached, write_study

from analysis import compare_studies, load_studies, make_tables
from analysis.tables.reach import frontiers


def test_each_T_has_what_its_search_took_and_bits_for_each_float_of_state(runs: Path) -> None:
    folder = write_study(runs, "mgru-delay")
    reach(folder, reached(100), reached(200, 0, state_floats=0), reached(400, 0, best_trial=""))
    write_study(runs, "gru-delay", model="gru")  # was searched without --reach
    studies = load_studies([runs])
    table = make_tables(studies, compare_studies(studies))["reach"]
    assert table[["study", "label", "T", "solved"]].values.tolist() == [
        ["mgru-delay", "mgru", 100, 2],
        ["mgru-delay", "mgru", 200, 0],
        ["mgru-delay", "mgru", 400, 0],
    ]
    assert table["bits_per_float"].tolist()[0] == 0.5
    assert table["bits_per_float"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("rows", "solved", "failed"),
    [
        ([reached(100), reached(200)], 200, None),
        ([reached(100), reached(200, 0)], 100, 200),
        ([reached(100, 0), reached(200), reached(400, 0), reached(800, 0)], 200, 400),
        ([reached(100, 0)], None, 100),
        # not over; had no time for an evaluation; did not fit
        ([reached(100), reached(200, 0, limit="")], 100, None),
        ([reached(100), reached(200, 0, best_trial="", limit="budget_minutes")], 100, None),
        ([reached(100), reached(200, 0, best_trial="", error="memory", limit="reach")], 100, 200),
    ],
)
def test_the_frontier_is_the_largest_T_solved_and_the_next_one_that_was_tried(
    runs: Path, rows, solved, failed
) -> None:
    reach(write_study(runs, "mgru-delay"), *rows)
    studies = load_studies([runs])
    [found] = frontiers(make_tables(studies, compare_studies(studies))["reach"])
    assert (found.solved and found.solved["T"]) == solved
    assert (found.failed and found.failed["T"]) == failed
