from pathlib import Path

import pandas as pd
from drawn_figures import drawn, heights

from analysis.figures.styles import KNOWN_MODELS
from analysis.figures.time_to_solve_vs_t import FIGURE, caption


def test_an_unsolved_length_has_what_was_spent(three: Path) -> None:
    assert drawn(FIGURE, three).data.values.tolist() == [
        ["gru", 100, True, 6.0, 0.6],
        ["mgru", 100, True, 6.0, 0.6],
        ["gru", 200, False, 20.0, 2.0],
    ]


def test_solved_lengths_are_marks_of_the_model_and_the_others_crosses(three: Path) -> None:
    found = drawn(FIGURE, three)
    seconds, tokens = found.axes
    assert (seconds.get_ylabel(), tokens.get_ylabel()) == (
        "seconds to solve T",
        "million tokens to solve T",
    )
    for axes, solved, spent in ((seconds, 6.0, 20.0), (tokens, 0.6, 2.0)):
        assert heights(axes, "gru") == [solved]
        assert heights(axes, "mgru") == [solved]
        crosses = [
            (line.get_color(), *line.get_ydata())
            for line in axes.lines
            if line.get_marker() == "x" and len(line.get_ydata())
        ]
        assert crosses == [(KNOWN_MODELS["gru"].color, spent)]
    assert found.legend == ["gru", "mgru", "not solved (spent)"]


def test_the_caption_gives_the_costs_and_counts_who_has_not_solved() -> None:
    data = pd.DataFrame(
        {
            "label": ["a", "b", "b"],
            "T": [100, 100, 200],
            "solved": [True, True, False],
            "seconds": [9.0, 6.0, 70.0],
            "million_tokens": [1.0, 2.0, 3.0],
        }
    )
    text = caption(data)
    assert "The best trials at T = 100: a 1.0 M tokens in 9 s; b 2.0 M tokens in 6 s." in text
    assert "1 of 3 best trials has not solved its T: crosses show what it spent." in text
    assert "crosses" not in caption(data.iloc[:2])
    assert caption(data.iloc[[2]]).startswith("No best trial has solved")
