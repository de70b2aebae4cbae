from pathlib import Path

from drawn_figures import drawn, marked
from study_files import NOT_SOLVED, trial, write_study

from analysis.figures.best_so_far_vs_tokens import FIGURE


def test_a_line_is_a_search_with_a_mark_where_it_is_solved(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100])
    found = drawn(FIGURE, runs)
    [axes] = found.axes
    [mark] = marked(axes, "gru")
    assert list(mark.get_xdata()) == [0.75]  # 0.6 million tokens, at the next evaluation
    line = axes.lines[0]
    assert line.get_drawstyle() == "steps-post"
    assert list(line.get_xdata()) == [0.25, 0.5, 0.75, 1.0]
    assert found.legend == ["gru", "first trial has solved T"]
    assert "Until a trial had solved T = 100: gru 0.75 M tokens." in found.caption


def test_nothing_solved_has_no_mark(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[trial(100, **NOT_SOLVED)])
    found = drawn(FIGURE, runs)
    assert found.legend == ["gru"]
    assert found.caption.endswith("No search has solved its T.")
