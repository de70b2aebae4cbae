from pathlib import Path

import pandas as pd
import pytest
from study_files import trial, write_study

from analysis import load_studies
from analysis.tables.comparison import (
    compare_studies,
    problems,
)
from studies import format as files
from studies.event_files import encode
from studies.events import LengthBegan, LengthEnded


def comparison(runs: Path) -> pd.DataFrame:
    return compare_studies(load_studies([runs]))


def test_a_row_holds_the_best_trial_and_the_counts(runs: Path) -> None:
    trials = [
        trial(100),
        trial(100, 1, files.STOPPED_EARLY),
        trial(100, 2, files.FAILED),
        trial(100, 3, files.FAILED),
    ]
    write_study(runs, "mgru-delay", T=[100], trials=trials)
    [row] = comparison(runs).to_dict("records")
    assert row["state"] == "done"
    assert (row["study"], row["label"], row["task"], row["T"]) == (
        *("mgru-delay", "mgru", "delay"),
        100,
    )
    assert row["trial_id"] == "T=100-00"
    assert row["learning_rate"] == 0.00123
    assert (row["accuracy"], row["accuracy_low"], row["accuracy_high"]) == (0.991, 0.989, 0.993)
    assert (row["tokens"], row["tokens_to_solve"]) == (1_000_000, 600_000)
    assert [row[f"trials_{status}"] for status in files.STATUSES] == [1, 1, 2, 0]
    assert row["trials"] == 4


@pytest.mark.parametrize(
    ("trials", "state"),
    [
        ([], "not started"),
        ([trial(100, 0, files.FAILED), trial(100, 1, files.FAILED)], "all trials failed"),
        ([trial(100, 0, files.INTERRUPTED)], "searching, or interrupted: 1 trial so far"),
        (
            [trial(100, 0, files.FAILED), trial(100, 1)],
            "searching, or interrupted: 2 trials so far",
        ),
    ],
)
def test_a_length_without_a_result_has_a_state(
    runs: Path, trials: list[dict[str, object]], state: str
) -> None:
    write_study(runs, "gru", T=[100], trials=trials, best=[])
    [row] = comparison(runs).to_dict("records")
    assert row["state"] == state
    assert row["trials"] == len(trials)
    assert pd.isna(row["accuracy"])


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_search_that_ended_before_a_result_is_told_from_one_that_has_not_started(
    runs: Path, goes_on: bool
) -> None:
    study = write_study(runs, "gru", T=[100], trials=[], best=[])
    began = LengthBegan(elapsed=0.0, T=100, initial=[])
    ended = LengthEnded(elapsed=9.0, T=100, limit="budget_minutes", value=0.01)
    events = [began, ended, *([began] if goes_on else [])]
    (study / files.EVENTS_FILE).write_bytes(b"".join(map(encode, events)))
    [row] = comparison(runs).to_dict("records")
    assert row["state"] == ("not started" if goes_on else "ended without a result")


def test_a_trial_that_has_just_started_has_hardly_any_cells(runs: Path) -> None:
    started = {"T": 200, "trial_id": "a", "status": files.INTERRUPTED, "tokens": 0}
    events = write_study(runs, "gru", trials=[trial(100), started], best=[100]) / files.EVENTS_FILE
    events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:-1]))  # no end yet
    states = comparison(runs)["state"].tolist()
    assert states == ["done", "searching, or interrupted: 1 trial so far"]


def test_broken_studies_stay_in_the_table(runs: Path) -> None:
    (write_study(runs, "a", model="gru", T=[100, 200]) / "best.csv").unlink()
    (write_study(runs, "b", model="lstm") / "study.yaml").write_text("- 1")
    frame = comparison(runs)
    assert frame["state"].tolist() == [
        "broken: best.csv is missing",
        "broken: best.csv is missing",
        "broken: study.yaml has no keys",
    ]
    assert frame["label"].tolist() == ["gru", "gru", "b"]
    assert problems(frame) == [
        f"{runs / 'a'}: best.csv is missing",
        f"{runs / 'b'}: study.yaml has no keys",
    ]


def test_rows_are_sorted_by_task_and_length_and_then_as_they_were_named(runs: Path) -> None:
    write_study(runs, "1", model="mgru", task="sequence", T=[10])
    write_study(runs, "2", model="mgru", T=[1000, 200])
    write_study(runs, "3", model="gru", T=[200, 1000])
    rows = comparison(runs)[["task", "T", "model"]].values.tolist()
    assert rows == [
        ["delay", 200, "mgru"],
        ["delay", 200, "gru"],
        ["delay", 1000, "mgru"],
        ["delay", 1000, "gru"],
        ["sequence", 10, "mgru"],
    ]


def test_a_label_names_the_study_where_the_model_does_not_tell(runs: Path) -> None:
    write_study(runs, "gru-delay", model="gru", T=[100])
    write_study(runs, "gru-quick", model="gru", T=[100])
    write_study(runs, "gru-sequence", model="gru", task="sequence", T=[100])
    assert comparison(runs)["label"].tolist() == ["gru (gru-delay)", "gru (gru-quick)", "gru"]
