from pathlib import Path

import numpy as np
import pytest
from drawn_figures import drawn, heights
from study_files import NOT_SOLVED, confirm, seed, write_study

from analysis.figures.seeds_vs_t import FIGURE
from analysis.figures.styles import KNOWN_MODELS


def test_each_seed_is_a_dot_beside_the_median(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    left, right = found.axes
    dots = [
        [float(y) for y in line.get_ydata()]
        for line in left.lines
        if (line.get_color(), line.get_marker()) == (KNOWN_MODELS["gru"].color, ".")
    ]
    assert np.array(dots) == pytest.approx(np.array([[0.9, 0.91, 0.92, 0.93, 0.94] * 2]))
    assert heights(left, "gru") == pytest.approx([0.92, 0.92])
    assert heights(right, "gru") == pytest.approx([0.6, 1.2])
    assert left.get_ylabel() == "test accuracy"
    assert right.get_ylabel() == "million tokens to solve T"
    assert found.legend == ["gru", "mlstm", "one seed"]


def test_a_seed_that_did_not_solve_is_a_cross_at_what_it_spent(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    lost = [seed(k, accuracy=0.4, tokens=3_000_000, **NOT_SOLVED) for k in (1, 2)]
    confirm(folder, seed(0), *lost)
    found = drawn(FIGURE, runs)
    crosses = [list(line.get_ydata()) for line in found.axes[1].lines if line.get_marker() == "x"]
    assert crosses == [[3.0, 3.0]]
    assert found.legend[-1] == "one seed, not solved"
    assert "Medians at T = 100: gru 0.4000 and not solved by half." in found.caption
    assert "The lowest accuracy is 0.4000, of gru at T = 100." in found.caption
