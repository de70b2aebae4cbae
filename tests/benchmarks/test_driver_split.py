from types import SimpleNamespace

import pandas as pd
import pytest

from benchmarks import ray_waits
from benchmarks.driver_split import change_table, controller_table, costs, place, split_table
from benchmarks.null_trials import ROOT

PACKAGES = "/env/site-packages"
STEP = (f"{PACKAGES}/ray/tune/execution/tune_controller.py", "step")
SUGGEST = (f"{ROOT}/search/decide/suggester.py", "suggest")
REQUEST = (f"{ROOT}/search/execute/remote_suggester.py", "request")


def stack(*calls: tuple[str, str]) -> SimpleNamespace:
    """A frame with its callers, the outermost first."""
    frame = None
    for path, name in calls:
        code = SimpleNamespace(co_filename=path, co_name=name)
        frame = SimpleNamespace(f_code=code, f_back=frame)
    return frame


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([STEP], ("ray controller", "step > tune_controller.step")),
        (
            [STEP, (f"{PACKAGES}/ray/_private/worker.py", "wait"), ("/lib/threading.py", "wait")],
            ("ray controller", "step > worker.wait"),
        ),
        (
            [STEP, (f"{ROOT}/search/decide/samplers.py", "ask"), SUGGEST],
            ("ours configurations", "suggester.suggest"),
        ),
        (
            [STEP, REQUEST, (f"{PACKAGES}/ray/actor.py", "remote")],
            ("ray suggester", "step > actor.remote"),
        ),
        (
            [STEP, SUGGEST, (f"{PACKAGES}/optuna/trial/_trial.py", "suggest_float")],
            ("optuna suggestion", "_trial.suggest_float"),
        ),
        (
            [STEP, (f"{ROOT}/search/study/event_log.py", "append"), ("/lib/json.py", "dumps")],
            ("ours events", "event_log.append"),
        ),
        ([STEP, (f"{ROOT}/search/decide/agenda.py", "advance")], ("ours rest", "agenda.advance")),
        ([("/lib/threading.py", "run")], ("rest", "")),
    ],
)
def test_a_sample_belongs_to_the_innermost_package(calls, expected):
    assert place(stack(*calls)) == expected


def make_rows() -> pd.DataFrame:
    """Three searches in which Ray takes 2 ms a trial, 1 ms a message and 0.1 ms a result, and a
    suggestion 4 ms."""
    return pd.DataFrame(
        {"slots": 8, "trials": 100, "results": 100 * results, "messages": 100 * messages,
         "part": part, "function": function, "seconds": seconds}
        for results, messages in ((1, 1), (4, 4), (4, 1))
        for part, function, seconds in (
            ("ray controller", "step", 0.2 + 0.01 * results),
            ("ray controller", "_on_result", 0.1 * messages),
            ("ray suggester", "_requests", 0.3),
            ("optuna suggestion", None, 0.4),
        )
    )  # fmt: skip


def test_what_a_trial_costs_is_told_from_what_a_message_and_a_result_cost():
    assert costs(make_rows(), ["ray controller"]) == pytest.approx((2e-3, 1e-3, 1e-4))
    assert costs(make_rows(), ["optuna suggestion"]) == pytest.approx((4e-3, 0.0, 0.0))


def test_the_tables_show_parts_and_functions_for_a_trial():
    split = split_table(make_rows())
    assert "| 8 slots, 1 | 8 slots, 4 in a group | 8 slots, 4 |" in split
    assert "| Ray: Tune's controller | 3.1 | 3.4 | 6.4 |" in split
    assert "| all | 10.1 | 10.4 | 13.4 |" in split
    assert controller_table(make_rows(), shown=1).splitlines()[2:] == [
        "| `_on_result` | 4.00 |", "| 1 others | 2.40 |",
    ]  # fmt: skip


def test_a_change_shows_what_a_trial_took_and_takes():
    before, now = make_rows(), make_rows()
    before["seconds"] *= 2
    now = now[now["messages"] == now["results"]]  # no search with groups
    table = change_table(before, now).splitlines()
    assert table[0].endswith("| 8 slots, 1 | 8 slots, 4 |")
    assert table[2] == "| Tune's controller | 6.2 -> 3.1 | 12.8 -> 6.4 |"
    assert table[5] == "| the main thread | 20.2 -> 10.1 | 26.8 -> 13.4 |"


def test_the_time_to_find_an_event_is_that_of_a_search():
    rows = pd.DataFrame(
        [
            {"trials": trials, "way": way, "ms": ms}
            for way, begin in (("one by one", 50.0), ("together", 1.0))
            for trials, ms in ((0, begin), (100, 3 * begin))
        ]
    )
    assert ray_waits.seconds_of(rows, 50) == pytest.approx(0.002)
    assert ray_waits.wait_table(rows).splitlines()[2:] == [
        "| 0 | 50.000 | 1.000 |", "| 100 | 150.000 | 3.000 |",
    ]  # fmt: skip
