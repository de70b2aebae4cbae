from pathlib import Path

from drawn_figures import drawn, heights

from analysis.figures.equal_cost_vs_t import FIGURE


def test_each_cost_is_a_panel_with_the_accuracies_of_the_table(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    gru = found.data[found.data["label"] == "gru"]
    for axes, unit in zip(found.axes, ("tokens", "seconds", "parameters"), strict=True):
        assert axes.get_title("left") == f"equal {unit}"
        assert heights(axes, "gru") == gru[f"accuracy_at_equal_{unit}"].tolist()
    assert found.axes[0].get_ylabel() == "validation accuracy"


def test_the_caption_has_the_limits_at_the_largest_length(everything: Path) -> None:
    caption = drawn(FIGURE, everything).caption
    assert "The limits at T = 200 are 2 million tokens, 20 s and 12,345 parameters." in caption
