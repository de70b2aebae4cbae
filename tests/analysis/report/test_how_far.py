from pathlib import Path

import pytest
from study_files import reach, reached, write_study

from analysis import compare_studies, load_studies, make_tables
from analysis.report.verdict.how_far import how_far
from analysis.tables.records import records


def said(runs: Path, *rows, task: str = "delay") -> str:
    reach(write_study(runs, "mgru", task=task), *(row | {"task": task} for row in rows))
    studies = load_studies([runs])
    comparison = compare_studies(studies)
    [sentence] = how_far(make_tables(studies, comparison)["reach"], records(comparison))
    return sentence


def test_it_says_how_far_and_what_that_took(runs: Path) -> None:
    assert said(runs, reached(1000), reached(2000, 0)) == (
        "mgru solves T = 1000: one training took 6.0 M tokens in 60 s, the whole search 20.0 M "
        "tokens in 3.3 min. It does not solve 2000 with all trials that it may have: 40.0 M tokens "
        "in 6.7 min."
    )


def test_a_T_that_no_fresh_seed_solves_was_luck(runs: Path) -> None:
    rows = [
        {"label": "mgru", "T": 100, "solve_rate": 0.8, "seeds": 5},
        {"label": "mgru", "T": 200, "solve_rate": 0.0, "seeds": 5},
    ]
    reach(write_study(runs, "mgru"), reached(100), reached(200), reached(400, 0))
    studies = load_studies([runs])
    table = make_tables(studies, compare_studies(studies))["reach"]
    [sentence] = how_far(table, rows)
    assert sentence.startswith(
        "A trial of mgru solves T = 200, but none of 5 fresh seeds does: one training took"
    )
    assert "A trial" not in how_far(table[table["T"] == 100], rows)[0]


def test_it_says_how_much_where_the_payload_grows(runs: Path) -> None:
    longer = reached(200, recalled_bits=660.0, state_floats=1320)
    text = said(runs, reached(100, recalled_bits=330.0), longer, task="sequence")
    assert text.endswith("It recalls 660 bits with a state of 1,320 floats, 0.5 bits a float.")


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ([reached(100, 0)], "mgru solves no T."),
        ([reached(100)], "It has failed at no larger T: its time, or the limit of --reach"),
        ([reached(100), reached(200, 0, best_trial="", error="memory", limit="reach")],
         "It does not solve 200 since trials failed before their first evaluation: 4.0 M tokens"),
        ([reached(100), reached(200, 0, limit="budget_minutes")], "in the time that it had"),
    ],
)  # fmt: skip
def test_it_says_why_it_ended(runs: Path, rows, part) -> None:
    assert part in said(runs, *rows)
