from pathlib import Path

import pytest
from study_files import trial, write_study

from analysis import load_studies
from analysis.figures.search_data import slot_use, slots_data, trials_data
from analysis.tables.comparison import compare_studies
from studies import format as files


def test_trials_of_the_search_that_were_evaluated(runs: Path) -> None:
    trials = [
        trial(100),
        trial(100, 1, files.STOPPED_EARLY, tokens=250_000),
        trial(100, 2, files.FAILED, validation_accuracy=""),
        trial(100, 3, stage=files.FINAL),
    ]
    write_study(runs, "gru", model="gru", T=[100], trials=trials)
    studies = load_studies([runs])
    data = trials_data(compare_studies(studies), studies)
    columns = ["label", "status", "iterations", "million_tokens"]
    assert data[columns].values.tolist() == [
        ["gru", "completed", 4, 1.0],
        ["gru", "stopped_early", 4, 0.25],
    ]


def test_slots_are_counted_from_the_events(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[trial(100), trial(100, 1)])
    studies = load_studies([runs])
    slots = slots_data(compare_studies(studies), studies)
    # From 1 s to 11 s and from 12 s to 22 s.
    assert (slots["minutes"] * 60).tolist() == pytest.approx([1, 11, 12, 22])
    assert slots["running"].tolist() == [1, 0, 1, 1]
    [use] = slot_use(slots).to_dict("records")
    assert (use["slots"], use["minutes"]) == (1, pytest.approx(21 / 60))
    assert use["busy"] == pytest.approx(20 / 21)


def test_without_events_there_are_no_slots(runs: Path) -> None:
    (write_study(runs, "gru", T=[100]) / files.EVENTS_FILE).unlink()
    studies = load_studies([runs])
    assert slots_data(compare_studies(studies), studies).empty
