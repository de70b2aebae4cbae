import pandas as pd

from benchmarks.own_cell import rivals_table
from studies import format as files


def trainings(model: str, solved: int, minutes: float) -> list[dict[str, object]]:
    """A winner, and two fresh seeds of which so many solve T."""
    row = {"model": model, "T": 100, "accuracy": 0.99, "minutes": minutes, "all_minutes": 10.0}
    seeds = [
        row | {"stage": files.CONFIRM, "tokens_to_solve": 1.0 if n < solved else None}
        for n in range(2)
    ]
    return [row | {"stage": files.SEARCH, "tokens_to_solve": 1.0}, *seeds]


def test_ones_own_cell_comes_first_and_the_times_are_summed():
    rows = pd.DataFrame([*trainings("gru", 2, 5.5), *trainings("cells.py:Own", 1, 6.0)])
    *_, own, gru, everything = rivals_table(rows).splitlines()
    assert own == "| `cells.py:Own` | 1 of 2 | 0.990 | 6:00 | 10:00 |"
    assert gru == "| GRU | 2 of 2 | 0.990 | 5:30 | 10:00 |"
    assert everything == "| all | | | 11:30 | 20:00 |"
