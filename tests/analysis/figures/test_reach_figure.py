from pathlib import Path

import pytest
from drawn_figures import drawn, heights, scope_of
from study_files import reach, reached, write_study

from analysis.figures.reach import FIGURE
from analysis.figures.rendering import render_figures
from analysis.figures.styles import KNOWN_MODELS
from analysis.reading.studies import load_studies
from analysis.tables.comparison import compare_studies


@pytest.fixture
def two(runs: Path) -> Path:
    """gru solves 200 and fails at 400, mgru solves 100 and has no time for an evaluation at 200."""
    gru = [reached(T, T < 400, model="gru") for T in (100, 200, 400)]
    reach(write_study(runs, "gru-delay", model="gru"), *gru)
    no_time = reached(200, 0, best_trial="", limit="budget_minutes")
    reach(write_study(runs, "mgru-delay"), reached(100), no_time)
    return runs


def test_the_cost_of_each_T_is_a_line_that_ends_in_a_cross(two: Path) -> None:
    found = drawn(FIGURE, two)
    tokens, seconds = found.axes
    assert tokens.get_ylabel() == "million tokens of the search at T"
    assert seconds.get_ylabel() == "seconds of the search at T"
    for axes, unit in ((tokens, 0.02), (seconds, 0.2)):
        assert heights(axes, "gru") == pytest.approx([100 * unit, 200 * unit])
        assert heights(axes, "mgru") == pytest.approx([100 * unit])
        [(color, height)] = [
            (line.get_color(), *line.get_ydata())
            for line in axes.lines
            if line.get_marker() == "x" and len(line.get_ydata())
        ]
        assert (color, height) == (KNOWN_MODELS["gru"].color, pytest.approx(400 * unit))
    assert found.legend == ["gru", "mgru", "not solved"]


def test_the_caption_says_where_each_model_ends(two: Path) -> None:
    text = drawn(FIGURE, two).caption
    assert "gru solves T = 200, but not 400; mgru solves T = 100, and has failed at no" in text
    assert "a cross is a T that was not solved" in text


def test_it_is_the_first_figure_and_there_is_none_without_reach(two: Path, tmp_path: Path) -> None:
    studies = load_studies([two])
    assert render_figures(compare_studies(studies), studies)[0].stem == "reach"
    write_study(tmp_path / "others", "mgru-delay")
    _, scope = scope_of(tmp_path / "others")
    assert FIGURE.data(scope).empty
    assert FIGURE.why_missing(scope) == "no study was searched with --reach"
