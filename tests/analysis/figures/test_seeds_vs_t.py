from pathlib import Path

import numpy as np
import pytest
from drawn_figures import drawn, error_bar_ends, heights
from study_files import NOT_SOLVED, confirm, seed, write_study

from analysis.figures.seeds_vs_t import FIGURE
from analysis.figures.styles import KNOWN_MODELS


def test_each_seed_is_a_dot_beside_the_mean_with_its_interval(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    [axes] = found.axes
    dots = [
        [float(y) for y in line.get_ydata()]
        for line in axes.lines
        if (line.get_color(), line.get_marker()) == (KNOWN_MODELS["gru"].color, ".")
    ]
    assert np.array(dots) == pytest.approx(np.array([[0.9, 0.91, 0.92, 0.93, 0.94] * 2]))
    assert heights(axes, "gru") == pytest.approx([0.92, 0.92])
    row = found.data.iloc[0]
    assert error_bar_ends(axes)[0][0] == pytest.approx((row["mean_low"], row["mean_high"]))
    assert axes.get_ylabel() == "test accuracy (95 % interval of the mean)"
    assert found.legend == ["mlstm", "gru", "one seed"]


def test_the_caption_counts_the_seeds_that_solved(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    confirm(folder, seed(0), seed(1), seed(2, accuracy=0.4, **NOT_SOLVED))
    assert "Seeds that solved their T: gru 2 of 3." in drawn(FIGURE, runs).caption
