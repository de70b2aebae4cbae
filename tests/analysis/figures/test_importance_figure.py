from pathlib import Path

import pandas as pd
from drawn_figures import drawn

from analysis.figures.importance import FIGURE, caption


def test_bars_are_importances_and_ticks_what_chance_reaches(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    [axes] = found.axes
    gru = found.data[found.data["label"] == "gru"].set_index("hyperparameter")
    names = [label.get_text().replace(" ", "_") for label in axes.get_yticklabels()]
    assert set(names) == {"learning_rate", "hidden_size", "curriculum_length"}
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers]
    assert gru.loc[names, "importance"].tolist() in widths
    ticks = [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "|"]
    assert gru.loc[names, "noise"].tolist() in ticks
    assert axes.get_xlabel() == "importance for being among the best quarter (PED-ANOVA)"
    assert found.legend[-1] == "reached by chance"


def test_the_caption_names_what_is_beyond_chance() -> None:
    data = pd.DataFrame(
        {
            "label": ["a", "a", "b"],
            "hyperparameter": ["learning_rate", "hidden_size", "hidden_size"],
            "importance": [0.3, 0.6, 0.1],
            "noise": [0.2, 0.2, 0.2],
            "target": ["ladder_accuracy"] * 3,
        }
    )
    assert "The most important are a: hidden size." in caption(data)
    assert caption(data).startswith("Exploratory: ")
    assert "in the best quarter by ladder accuracy at a T" in caption(data)
    assert "None is beyond chance." in caption(data.iloc[[2]])
