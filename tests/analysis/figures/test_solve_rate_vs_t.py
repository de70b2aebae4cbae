from pathlib import Path

import pytest
from drawn_figures import drawn, error_bar_ends, heights, scope_of
from study_files import NOT_SOLVED, confirm, seed, write_study

from analysis.figures.solve_rate_vs_t import FIGURE


def test_each_rate_is_a_mark_with_its_exact_interval(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru")
    rows = [seed(k, T=T, model="gru") for T in (100, 200) for k in range(4)]
    confirm(folder, *rows, seed(4, T=200, model="gru", **NOT_SOLVED))
    write_study(runs, "lstm", model="lstm")
    found = drawn(FIGURE, runs)
    [axes] = found.axes
    assert heights(axes, "gru") == [1, 0.8]
    assert error_bar_ends(axes)[0][1] == pytest.approx((0.2836, 0.9949), abs=1e-4)
    assert found.legend == ["gru"]  # the lstm was not confirmed
    assert "At T = 200: gru 4 of 5 [0.28, 0.99]." in found.caption


def test_without_fresh_seeds_it_says_how_to_get_them(runs: Path) -> None:
    write_study(runs, "gru", model="gru")
    _, scope = scope_of(runs)
    assert FIGURE.data(scope).empty
    assert "--confirm-seeds 5" in FIGURE.why_missing(scope)
