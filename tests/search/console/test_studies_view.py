"""What a terminal shows of several studies, and the lines that each of them has."""

import io
import itertools
from pathlib import Path

import pytest
from made_studies import make_config, report, search, start
from rich.console import Console

from search.config.study_config import StudyConfig
from search.console.display import Display, labels, view_of
from search.console.screen import Screen
from search.console.studies_view import StudiesView
from search.study.listener import Progress
from search.study.study import Study


def with_cell(config: StudyConfig, folder: Path, name: str) -> StudyConfig:
    """The configuration with a cell of one's own."""
    file = folder / "cells.py"
    file.write_text(f"from torch import nn\nclass {name}(nn.RNN): pass\n")
    return config.model_copy(update={"model": f"{file}:{name}", "architecture": {}})


@pytest.fixture
def studies(tmp_path) -> list[Study]:
    """One has searched T = 5 and runs a trial at T = 9, one has not begun."""
    config = make_config(trials=3)
    ahead = Study.create(tmp_path / "ahead", config)
    search(ahead, 5, accuracy=0.9969)
    ahead.begin_length(9, [])
    start(ahead, "T9-0000", 9)
    report(ahead, "T9-0000", 1, 0.25)
    behind = Study.create(tmp_path / "behind", with_cell(config, tmp_path, "LeakyRNN"))
    return [ahead, behind]


def make_displays(studies: list[Study], console: Console) -> list[Display]:
    screen = Screen(console, lambda: 3725.0)
    return [Display(*pair, label) for *pair, label in zip(
        studies, itertools.repeat(screen), labels(studies), strict=False
    )]  # fmt: skip


@pytest.mark.parametrize("width", [80, 200])
def test_each_study_has_a_line_with_trials_best_and_time_left(studies, width):
    output = io.StringIO()
    console = Console(file=output, width=width)
    ahead, behind = make_displays(studies, console)
    ahead.view.doing, behind.view.doing = "T=9", "T=5"
    ahead.trial_started(studies[0].history.trials["T9-0000"])
    for display, progress in ((ahead, Progress(60, 0.5, 90)), (behind, Progress(0, 0.0, 120))):
        display.slots_changed(2)
        display.progressed(progress)
    console.print(view_of([ahead, behind]))
    lines = [line.split() for line in output.getvalue().splitlines()]
    assert " ".join(lines[0]).startswith("2 studies · delay ━")
    assert lines[0][-6:] == ["22%", "·", "01:00", "about", "03:30", "left"]
    assert "1 of 2 slots in use" in output.getvalue()
    assert ["model", "now", "run", "trials", "T=5", "T=9", "left"] in lines
    assert ["gru", "T=9", "1", "1/3", "0.997", "0.250", "01:30"] in lines
    assert ["cells.py:LeakyRNN", "T=5", "0/3", "02:00"] in lines
    assert max(map(len, output.getvalue().splitlines())) <= width


def test_a_race_that_begins_takes_nothing_of_the_share_that_is_done(studies):
    output = io.StringIO()
    displays = make_displays(studies, Console(file=output, width=80))
    for display, fraction, left in ((displays[0], 0.0, 30), (displays[1], 0.8, 10)):
        display.progressed(Progress(60, fraction, left))
    Console(file=output, width=80).print(view_of(displays))
    assert " 75% · 02:00 " in output.getvalue()


def test_many_lengths_and_long_names_fit_into_80_columns(tmp_path):
    output = io.StringIO()
    console = Console(file=output, width=80)
    config = with_cell(make_config(T=range(1, 9)), tmp_path, "Long" * 9)
    studies = [Study.create(tmp_path / name, config) for name in "ab"]
    for T in range(1, 9):
        search(studies[0], T)
    displays = make_displays(studies, console)
    displays[1].view.doing = "final training and confirmation with 5 seeds"
    console.print(view_of(displays))
    assert max(map(len, output.getvalue().splitlines())) <= 80
    assert "T=8" in output.getvalue()
    assert "cells.py:LongLong…" in output.getvalue()
    assert "T=3" not in output.getvalue()


def test_lines_begin_with_the_time_of_all_and_the_model(studies):
    output = io.StringIO()
    ahead, behind = make_displays(studies, Console(file=output, width=80))
    ahead.length_began(9, 60.0)
    behind.nothing_left()
    ahead.summary()
    lines = output.getvalue().splitlines()
    assert lines[0] == "1:02:05 gru               T=9: 3 trials, at most 01:00"
    assert lines[1] == "cells.py:LeakyRNN nothing to do"
    assert lines[3].rstrip() == "Best trial of each T (gru)"


def test_a_single_study_has_its_own_view_and_no_label(studies):
    (display,) = make_displays(studies[:1], Console(file=io.StringIO()))
    assert view_of([display]) is display.view
    assert isinstance(view_of([display, display]), StudiesView)
    assert labels(studies[:1]) == [""]
