from pathlib import Path

import pandas as pd
import pytest
from drawn_figures import drawn, marked
from study_files import confirm, seed, write_study

from analysis.figures.pairs_at_largest_t import FIGURE, caption
from analysis.figures.plotting import TaskContext
from analysis.figures.styles import KNOWN_MODELS


def test_each_pair_is_a_mark_with_its_interval_filled_if_beyond_chance(runs: Path) -> None:
    for model, accuracy in (("gru", 0.9), ("lstm", 0.5), ("mgru", 0.89)):
        folder = write_study(runs, model, model=model, T=[100])
        best = pd.read_csv(folder / "best.csv")
        best = best.assign(
            accuracy=accuracy, accuracy_low=accuracy - 0.05, accuracy_high=accuracy + 0.05
        )
        best.to_csv(folder / "best.csv", index=False)
    found = drawn(FIGURE, runs)
    [axes] = found.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["gru - lstm", "mgru - lstm", "gru - mgru"]
    drawn_at = {float(y): line for line in marked(axes, "gru") for y in line.get_ydata()}
    assert drawn_at[0].get_xdata() == pytest.approx([0.4])
    assert drawn_at[2].get_xdata() == pytest.approx([0.01])
    assert drawn_at[0].get_markerfacecolor() == KNOWN_MODELS["gru"].color
    assert drawn_at[2].get_markerfacecolor() == "white"
    intervals = [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "None"]
    assert found.data[["difference_low", "difference_high"]].values.tolist() == intervals[:3]
    assert "beyond chance are gru over lstm by 0.4000; mgru over lstm by 0.3900" in found.caption


def test_seeds_are_compared_where_there_are_any(runs: Path) -> None:
    for model in ("gru", "lstm"):
        folder = write_study(runs, model, model=model, T=[100])
        confirm(folder, *(seed(k, accuracy=0.9 + k / 100, model=model) for k in range(3)))
    found = drawn(FIGURE, runs)
    assert found.data["basis"].tolist() == ["seeds"]
    assert found.heading == "Every two models at T = 100, over seeds (delay task)"
    assert "Means over fresh seeds are compared." in found.caption


@pytest.mark.parametrize(("p_holm", "said"), [(0.2, "no difference is"), (0.01, "a over b by 0.1")])
def test_the_caption_says_what_is_beyond_chance_and_on_which_basis(
    p_holm: float, said: str
) -> None:
    task = TaskContext("delay", [100, 200], {}, "")
    data = pd.DataFrame(
        {
            "better": ["a"],
            "worse": ["b"],
            "basis": ["payloads"],
            "difference": [0.1],
            "p_holm": [p_holm],
            "better_tokens": [48_000_000],
            "worse_tokens": [8_000_000],
        }
    )
    text = caption(data, task)
    assert said in text
    assert "for 1 comparison," in text
    assert "another seed may order them differently" in text
    assert "Their trainings differ: a had 48 million tokens, b 8." in text
    assert "Their trainings differ" not in caption(
        data.assign(basis="seeds", better_tokens=None), task
    )
