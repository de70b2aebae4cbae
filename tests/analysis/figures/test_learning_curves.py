from pathlib import Path

import pandas as pd
from drawn_figures import drawn, heights, scope_of, text_of
from study_files import trial, write_study

from analysis.figures.learning_curves import FIGURE, caption, data
from analysis.figures.styles import KNOWN_MODELS

CURVE = [k / 4.1 for k in range(1, 5)]


def test_each_length_is_a_panel_with_the_curves_of_the_best_trials(three: Path) -> None:
    found = drawn(FIGURE, three)
    first, second = found.axes
    assert (first.get_title("left"), second.get_title("left")) == ("T = 100", "T = 200")
    assert (first.get_xlabel(), first.get_ylabel()) == ("million tokens", "validation accuracy")
    assert heights(first, "gru") == heights(first, "mgru") == heights(second, "gru") == CURVE
    [line] = [line for line in second.lines if line.get_marker() == KNOWN_MODELS["gru"].marker]
    assert list(line.get_xdata()) == [0.5, 1.0, 1.5, 2.0]
    assert text_of(second)[-2:] == ["solved\n0.99", "chance\n0.1"]
    assert found.legend == ["gru", "mgru"]  # without a curriculum in the file


def test_chance_is_that_of_the_task(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], chance=1 / 3)
    [axes] = drawn(FIGURE, runs).axes
    [chance] = [text for text in axes.texts if text.get_text() == "chance\n0.333"]
    assert chance.get_position()[1] == 1 / 3


def test_the_curriculum_is_a_dotted_line(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    progress = pd.read_csv(folder / "progress.csv").assign(max_length=[2, 50, 100, 100])
    progress.to_csv(folder / "progress.csv", index=False)
    found = drawn(FIGURE, runs)
    [axes] = found.axes
    dotted = [list(line.get_ydata()) for line in axes.lines if line.get_marker() == "None"]
    assert [0.02, 0.5, 1.0, 1.0] in dotted
    assert found.legend == ["gru", "longest training length / T"]
    assert "Dotted: the longest training length" in found.caption


def test_curves_of_equal_trial_ids_do_not_mix(runs: Path) -> None:
    write_study(runs, "gru", model="gru", trials=[trial(100), trial(100, 1)])
    write_study(runs, "mgru", trials=[trial(100)])
    _, scope = scope_of(runs)
    assert data(scope).groupby("label").size().to_dict() == {"gru": 4, "mgru": 4}


def test_the_caption_names_the_model_that_generalized_most() -> None:
    curves = pd.DataFrame(
        {
            "label": ["a", "b", "b"],
            "T": [100, 100, 100],
            "validation_accuracy": [0.99, 0.995, 0.5],
            "curriculum": [0.9, 0.4, 0.1],
        }
    )
    text = caption(curves)
    assert "b reached 0.99 at T = 100 while its longest training length was 40." in text
