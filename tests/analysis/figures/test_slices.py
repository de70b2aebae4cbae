from pathlib import Path

import pytest
from drawn_figures import drawn

from analysis.figures.slices import FIGURE


def test_each_trial_is_a_dot_at_its_learning_rate_and_accuracy(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    panels = [axes for axes in found.axes if axes.get_label() != "<colorbar>"]
    assert len(panels) == 4
    assert [axes.get_title("left") for axes in panels[:2]] == ["T = 100", "T = 200"]
    labels = [axes.get_ylabel() for axes in panels[::2]]
    for axes, label, T in zip(
        panels, [x for x in labels for _ in range(2)], [100, 200] * 2, strict=True
    ):
        of = found.data[(found.data["label"] == label) & (found.data["T"] == T)]
        [dots] = axes.collections
        expected = of[["learning_rate", "validation_accuracy"]].to_numpy("float64")
        assert dots.get_offsets().tolist() == pytest.approx(expected)
        big = dots.get_sizes()[(of["hidden_size"] == 128).to_numpy()]
        small = dots.get_sizes()[(of["hidden_size"] == 64).to_numpy()]
        assert big.min() > small.max()
    assert found.legend == ["64 units", "128 units"]
    assert found.axes[-1].get_ylabel() == "curriculum length (steps)"


def test_the_caption_has_the_learning_rates_of_the_best_trials(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    gru = found.data[(found.data["label"] == "gru") & (found.data["T"] == 200)]
    best = gru.loc[gru["validation_accuracy"].idxmax(), "learning_rate"]
    assert f"best trial at T = 200: gru {best:.2g};" in found.caption
