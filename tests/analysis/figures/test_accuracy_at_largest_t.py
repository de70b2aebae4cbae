from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_figures import drawn, marked, text_of

from analysis.figures.accuracy_at_largest_t import FIGURE, caption
from analysis.figures.plotting import TaskContext


def test_models_without_a_result_stay_with_the_reason(three: Path) -> None:
    found = drawn(FIGURE, three)
    assert found.data[["label", "state"]].values.tolist() == [
        ["gru", "done"],
        ["lstm", "not searched"],
        ["mgru", "all trials failed"],
    ]
    assert set(found.data["T"]) == {200}
    [axes] = found.axes
    [gru] = marked(axes, "gru")
    assert (list(gru.get_xdata()), list(gru.get_ydata())) == ([0.991], [0])
    [bars] = axes.containers[0][2]
    assert bars.get_segments()[0].tolist() == pytest.approx(np.array([[0.989, 0], [0.993, 0]]))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["gru", "lstm", "mgru"]
    assert {"0.9910", "not searched", "all trials failed"} < set(text_of(axes))
    assert axes.get_xlabel() == "test accuracy (95 % interval)"
    assert found.heading.endswith("recalled at T = 200 (delay task)")


def test_the_caption_says_whether_the_first_two_overlap() -> None:
    task = TaskContext("delay", [100, 200], {}, "")
    data = pd.DataFrame(
        {
            "label": ["a", "b", "c"],
            "accuracy": [0.9, 0.8, np.nan],
            "accuracy_low": [0.85, 0.75, np.nan],
            "accuracy_high": [0.95, 0.84, np.nan],
        }
    )
    assert "of a and b do not overlap" in caption(data, task)
    data["accuracy_high"] += 0.02
    assert "of a and b overlap: test payloads do not tell" in caption(data, task)
    assert "only a has a result" in caption(data.iloc[[0, 2]], task)
    assert "no model has a result" in caption(data.iloc[[2]], task)
