import io
import warnings
from pathlib import Path

import pandas as pd
import pytest
from drawn_figures import drawn, scope_of
from study_files import trial, write_study

from analysis.figures.slots import FIGURE, data, draw, use
from studies import format as files


def test_slots_are_counted_from_the_events(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[trial(100), trial(100, 1)])
    found = drawn(FIGURE, runs)
    # From 1 s to 11 s and from 12 s to 22 s.
    assert (found.data["minutes"] * 60).tolist() == pytest.approx([1, 11, 12, 22])
    assert found.data["running"].tolist() == [1, 0, 1, 1]
    [row] = use(found.data).to_dict("records")
    assert (row["slots"], row["minutes"]) == (1, pytest.approx(21 / 60))
    assert row["busy"] == pytest.approx(20 / 21)
    assert "In use: gru 95% of 1 slot." in found.caption


def test_the_number_of_trials_is_drawn_over_the_minutes_of_the_study(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[trial(100), trial(100, 1)])
    [axes] = drawn(FIGURE, runs).axes
    [area] = axes.collections
    corners = area.get_paths()[0].vertices
    assert corners[:, 0].max() * 60 == pytest.approx(22)
    assert set(corners[:, 1]) == {0.0, 1.0}
    assert axes.get_xlabel() == "minutes of the study"
    assert axes.get_ylabel() == "gru"


def test_many_trials_do_not_make_a_large_file(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[trial(100)])
    task, _ = scope_of(runs)
    minutes = pd.RangeIndex(20_000)
    changes = pd.DataFrame({"label": "gru", "minutes": minutes, "running": minutes % 2})
    file = io.BytesIO()
    draw(changes, task).savefig(file, format="svg")
    assert len(file.getvalue()) < 200_000


def test_a_study_that_has_just_begun_is_drawn(runs: Path) -> None:
    log = write_study(runs, "gru", model="gru", T=[100], trials=[trial(100)]) / files.EVENTS_FILE
    lines = log.read_text().splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if '"trial_started"' in line)
    log.write_text("".join(lines[: first + 1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [axes] = drawn(FIGURE, runs).axes
    assert axes.get_ylim()[1] > 1


def test_without_events_there_are_no_slots(runs: Path) -> None:
    (write_study(runs, "gru", T=[100]) / files.EVENTS_FILE).unlink()
    assert data(scope_of(runs)[1]).empty
