from pathlib import Path

import pandas as pd
import pytest
from drawn_figures import drawn, heights, scope_of

from analysis.figures.generalization import FIGURE, caption, data
from studies import format as files


def test_each_length_of_training_is_a_panel_with_the_tests(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    assert [axes.get_title("left") for axes in found.axes] == [
        "trained for T = 100",
        "trained for T = 200",
    ]
    for axes, T in zip(found.axes, (100, 200), strict=True):
        assert heights(axes, "gru") == [1.0, 0.1]
        assert axes.get_xlabel() == "T of the test (steps)"
        upright = [line.get_xdata() for line in axes.lines if list(line.get_ydata()) == [0, 1]]
        assert [T, T] in [list(x) for x in upright]
    assert "trained for T = 200, accuracy is 0.9 or more for gru up to T = 100" in found.caption


def test_tests_of_an_earlier_best_trial_are_left_out(everything: Path) -> None:
    best = everything / "gru" / files.BEST_FILE
    frame = pd.read_csv(best)
    frame["trial_id"] = ["T=100-00", "another"]
    frame.to_csv(best, index=False)
    _, scope = scope_of(everything)
    found = data(scope)
    assert set(found.loc[found["label"] == "gru", "T"]) == {100}
    assert set(found.loc[found["label"] == "mlstm", "T"]) == {100, 200}


def test_the_caption_says_when_nothing_is_recalled() -> None:
    tests = pd.DataFrame({"label": ["a"], "T": [100], "test_T": [1000], "accuracy": [0.2]})
    text = caption(tests)
    assert text.endswith("trained for T = 100, none has an accuracy of 0.9 at any length.")


@pytest.mark.parametrize(
    ("accuracies", "where"),
    [
        ([1.0, 0.95, 0.9, 0.2], "a up to T = 1000."),
        ([1.0, 0.95, 0.2, 0.1], "a up to T = 500."),
        ([0.3, 0.2, 0.99, 0.1], "a only at T = 1000."),
        ([1.0, 0.2, 0.99, 0.1], "a only at T = 100 and 1000."),
    ],
)
def test_the_caption_names_the_lengths_where_a_smaller_one_fails(
    accuracies: list[float], where: str
) -> None:
    tests = pd.DataFrame(
        {"label": "a", "T": 1000, "test_T": [100, 500, 1000, 2000], "accuracy": accuracies}
    )
    text = caption(tests.iloc[::-1])
    assert text.endswith(f"trained for T = 1000, accuracy is 0.9 or more for {where}")
