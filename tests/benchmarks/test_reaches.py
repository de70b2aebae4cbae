import pandas as pd

from benchmarks.reaches import COLUMNS, reach_table


def row(model: str, T: int, solved: int, **more: object) -> dict[str, object]:
    known = {
        "task": "sequence", "model": model, "T": T, "solved": solved, "tokens": 2_600_000,
        "seconds": 90.0, "tokens_to_solve": 1_500_000 if solved else None, "limit": "trials",
        "recalled_bits": 3.32 * T, "state_floats": 128, "best_trial": "T1-0000",
    }  # fmt: skip
    return dict.fromkeys(COLUMNS) | known | more


def test_a_model_ends_between_the_largest_T_that_it_solves_and_the_smallest_that_it_does_not():
    rows = pd.DataFrame(
        [
            row("lstm", 10, 2),
            row("lstm", 20, 1),
            row("lstm", 40, 0),
            row("transformer", 10, 1),
            row("transformer", 20, 0, limit="budget_minutes", best_trial=None),  # it had no time
            row("gru", 10, 0),
        ]
    )
    *_, gru, lstm, transformer = reach_table(rows, "sequence").splitlines()
    assert gru == "| GRU | none | | | | 10 | 3 | 90 s |"
    assert lstm == "| LSTM | 20 | 1.5 | 66 | 128 | 40 | 3 | 90 s |"
    assert transformer == "| `transformer` | 10 | 1.5 | 33 | 128 | not reached | | |"
