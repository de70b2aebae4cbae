from pathlib import Path

import pandas as pd
from drawn_figures import scope_of
from study_files import trial, write_study

from analysis.figures.search_trials import rows_shown, search_trials
from studies import format as files


def test_trials_of_the_search_that_were_evaluated(runs: Path) -> None:
    trials = [
        trial(100),
        trial(100, 1, files.STOPPED_EARLY, tokens=250_000),
        trial(100, 2, files.FAILED, validation_accuracy=""),
        trial(100, 3, stage=files.FINAL),
    ]
    write_study(runs, "gru", model="gru", T=[100], trials=trials)
    data = search_trials(scope_of(runs)[1])
    columns = ["label", "status", "iterations", "million_tokens"]
    assert data[columns].values.tolist() == [
        ["gru", "completed", 4, 1.0],
        ["gru", "stopped_early", 4, 0.25],
    ]


def test_labels_without_a_row_are_counted() -> None:
    assert rows_shown(pd.DataFrame({"label": list("abcdef")})) == ""
    assert rows_shown(pd.DataFrame({"label": list("abcdefgh")})) == (
        " Only the first 6 of 8 are shown."
    )
