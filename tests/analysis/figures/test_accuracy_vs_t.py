from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_figures import drawn, error_bar_ends, heights, marked
from study_files import write_study

from analysis.figures.accuracy_vs_t import FIGURE
from studies.format import CHANCE_ACCURACY, SOLVED_ACCURACY


def test_every_result_is_drawn_at_its_length_with_its_interval(three: Path) -> None:
    found = drawn(FIGURE, three)
    assert found.data[["label", "T"]].values.tolist() == [["gru", 100], ["mgru", 100], ["gru", 200]]
    [axes] = found.axes
    assert heights(axes, "gru") == [0.991, 0.991]
    assert heights(axes, "mgru") == [0.991]
    [gru] = marked(axes, "gru")
    assert gru.get_xdata() == pytest.approx([100, 200], rel=0.06)
    for ends in error_bar_ends(axes):
        assert np.array(ends) == pytest.approx(np.array([(0.989, 0.993)] * len(ends)))
    assert axes.get_xlabel() == "T (steps)"
    assert axes.get_ylabel() == "test accuracy (95 % interval)"
    assert found.legend == ["gru", "mgru"]


def low(runs: Path, chance: float | None = None) -> Path:
    """A study whose best trial is at 0.4."""
    folder = write_study(runs, "gru", model="gru", T=[100], chance=chance)
    best = pd.read_csv(folder / "best.csv").assign(accuracy=0.4, accuracy_low=0.38)
    best.to_csv(folder / "best.csv", index=False)
    return runs


def test_chance_and_solved_are_marked_lines(runs: Path) -> None:
    [axes] = drawn(FIGURE, low(runs)).axes
    across = [line.get_ydata()[0] for line in axes.lines if list(line.get_xdata()) == [0, 1]]
    assert sorted(across) == [CHANCE_ACCURACY, SOLVED_ACCURACY]
    named = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert named == {"solved": SOLVED_ACCURACY, "chance": CHANCE_ACCURACY}


def test_chance_is_that_of_the_task(runs: Path) -> None:
    [axes] = drawn(FIGURE, low(runs, chance=0.25)).axes
    [chance] = [text for text in axes.texts if text.get_text() == "chance"]
    assert chance.get_position()[1] == 0.25
    assert [0.25, 0.25] in [list(line.get_ydata()) for line in axes.lines]


def test_the_axis_begins_below_the_lowest_accuracy(three: Path) -> None:
    [axes] = drawn(FIGURE, three).axes
    assert axes.get_ylim()[0] == 0.9
    assert [text.get_text() for text in axes.texts] == ["solved"]  # chance is far below


def test_what_has_no_result_is_named_below(three: Path) -> None:
    [note] = [text.get_text() for text in drawn(FIGURE, three).figure.texts]
    assert " ".join(note.split()) == (
        "No result: lstm at T = 100 (not started); mgru at T = 200 (all trials failed)"
    )


def test_the_caption_has_the_accuracies_at_the_largest_length(three: Path) -> None:
    caption = drawn(FIGURE, three).caption
    assert "At T = 200: gru 0.9910 (0.9890 to 0.9930)." in caption
    assert "over test payloads, not over seeds" in caption
