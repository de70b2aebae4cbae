import pytest

from studies.columns import REACH
from studies.reach import frontier


def row(T: int, solved: int = 1, **cells) -> dict:
    """The row of a T whose search is over; one that was not solved had a trial."""
    values = {"T": T, "solved": solved, "limit": "trials", "best_trial": f"T{T}-0000", "error": ""}
    assert set(values) <= set(REACH.names)
    return values | cells


@pytest.mark.parametrize(
    ("rows", "solved", "failed"),
    [
        ([], None, None),
        ([row(100), row(200)], 200, None),
        ([row(200, 0), row(100)], 100, 200),
        ([row(100, 0), row(200), row(400, 0), row(800, 0)], 200, 400),
        ([row(100, 0)], None, 100),
        # not over; had no time for an evaluation, also if a trial failed; did not fit
        ([row(100), row(200, 0, limit="")], 100, None),
        ([row(100), row(200, 0, best_trial=None, limit="budget_minutes")], 100, None),
        ([row(100), row(200, 0, best_trial="", error="memory", limit="reach")], 100, 200),
    ],
)
def test_the_frontier_is_the_largest_T_solved_and_the_next_one_that_was_tried(rows, solved, failed):
    found = frontier(rows)
    assert (found.solved and found.solved["T"]) == solved
    assert (found.failed and found.failed["T"]) == failed


def test_the_smallest_T_that_was_solved_is_known_too():
    assert frontier([row(100, 0), row(200), row(400)]).smallest["T"] == 200
