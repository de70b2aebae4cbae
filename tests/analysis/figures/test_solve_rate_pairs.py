from pathlib import Path

import pytest
from drawn_figures import drawn, marked
from study_files import NOT_SOLVED, confirm, seed, write_study

from analysis.figures.solve_rate_pairs import FIGURE
from analysis.figures.styles import KNOWN_MODELS


def confirmed(runs: Path, model: str, solved: int, seeds: int = 6) -> None:
    folder = write_study(runs, model, model=model, T=[100])
    rows = [seed(k, model=model, **({} if k < solved else NOT_SOLVED)) for k in range(seeds)]
    confirm(folder, *rows)


def test_each_pair_is_a_mark_with_its_interval_filled_if_beyond_chance(runs: Path) -> None:
    for model, solved in (("gru", 6), ("lstm", 0), ("mgru", 5)):
        confirmed(runs, model, solved)
    found = drawn(FIGURE, runs)
    [axes] = found.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["gru - lstm", "mgru - lstm", "gru - mgru"]
    drawn_at = {float(y): line for line in marked(axes, "gru") for y in line.get_ydata()}
    assert drawn_at[0].get_xdata() == pytest.approx([1.0])
    assert drawn_at[2].get_xdata() == pytest.approx([1 / 6])
    assert drawn_at[0].get_markerfacecolor() == KNOWN_MODELS["gru"].color
    assert drawn_at[2].get_markerfacecolor() == "white"
    intervals = [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "None"]
    assert found.data[["difference_low", "difference_high"]].values.tolist() == intervals[:3]
    assert found.heading == "Solve rates of every two models at T = 100 (delay task)"
    assert "beyond chance are gru over lstm by 1.00; mgru over lstm by 0.83." in found.caption
    assert "so many seeds can reach is 0.00049 before that correction." in found.caption


def test_the_caption_says_that_few_seeds_cannot_tell(runs: Path) -> None:
    for model, solved in (("gru", 3), ("lstm", 0)):
        confirmed(runs, model, solved, seeds=3)
    caption = drawn(FIGURE, runs).caption
    assert "these seeds cannot tell any two apart" in caption
    assert "can reach is 0.031 before that correction." in caption
