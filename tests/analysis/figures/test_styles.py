import pandas as pd

from analysis.figures.styles import KNOWN_MODELS, label_styles, model_styles
from copytask import MODELS


def test_known_models_keep_their_style_and_differ() -> None:
    styles = model_styles(["z:cell", "mgru", "a:cell", "lstm"])
    assert list(styles) == ["lstm", "mgru", "a:cell", "z:cell"]
    assert styles["mgru"] == KNOWN_MODELS["mgru"]
    assert len({style.color for style in styles.values()}) == 4
    assert len({style.marker for style in styles.values()}) == 4


def test_every_architecture_has_a_style_of_its_own() -> None:
    assert set(KNOWN_MODELS) == set(MODELS)
    assert len({style.marker for style in KNOWN_MODELS.values()}) == len(MODELS)
    assert len({(style.color, style.hollow) for style in KNOWN_MODELS.values()}) == len(MODELS)


def test_a_users_model_has_a_colour_that_no_other_has() -> None:
    styles = model_styles(["transformer", "linear_attention", "mine.py:A", "mine.py:B"])
    assert len({style.color for style in styles.values()}) == 4


def test_studies_of_one_model_share_its_colour_but_not_the_marker() -> None:
    rows = pd.DataFrame({"model": ["gru", "gru"], "label": ["gru (b)", "gru (a)"]})
    styles = label_styles(rows, ["gru"])
    assert list(styles) == ["gru (b)", "gru (a)"]
    first, second = styles.values()
    assert first == KNOWN_MODELS["gru"]
    assert first.color == second.color
    assert first.marker != second.marker
