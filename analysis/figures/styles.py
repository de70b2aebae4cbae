"""Colours, markers and lines: the same for a model in every figure."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd


class Style(NamedTuple):
    """How a model is drawn. Multiplicative cells are hollow and dashed, and so is the second of two
    models that share a colour."""

    color: str
    marker: str
    line: str = "-"
    hollow: bool = False


# Colours of Okabe & Ito, "Color Universal Design" (2008), which every kind of colour vision
# tells apart; its yellow is left out because it is too pale for a line on white. Two are added.
KNOWN_MODELS = {
    "lstm": Style("#0072B2", "o"),
    "mlstm": Style("#56B4E9", "s", "--", hollow=True),
    "gru": Style("#D55E00", "^"),
    "mgru": Style("#E69F00", "D", "--", hollow=True),
    "transformer": Style("#009E73", "p"),
    "linear_attention": Style("#CC79A7", "P"),
    "mingru": Style("#000000", "X"),
    "minlstm": Style("#000000", "d", "--", hollow=True),
    "exprnn": Style("#8C564B", "v"),
    "goru": Style("#8C564B", "<", "--", hollow=True),
    "lru": Style("#999933", "h"),
}
USER_COLORS = ("#009E73", "#CC79A7", "#000000", "#8C564B", "#999933")
"""For models that are not known; those of known models that are drawn beside them come last."""
USER_MARKERS = ("v", "P", "X", "p")
FURTHER_STUDIES = ((">", ":"), ("*", "-."), ("<", ":"), ("h", "-."))
"""Marker and line of the second, third, ... study of one model; they share its colour."""


def model_styles(models: Iterable[str]) -> dict[str, Style]:
    """The style of each model."""
    models = set(models)
    styles = {model: style for model, style in KNOWN_MODELS.items() if model in models}
    taken = {style.color for style in styles.values()}
    colors = sorted(USER_COLORS, key=taken.__contains__)
    for index, model in enumerate(sorted(models - set(KNOWN_MODELS))):
        styles[model] = Style(colors[index % len(colors)], USER_MARKERS[index % len(USER_MARKERS)])
    return styles


def label_styles(comparison: pd.DataFrame, models: Iterable[str]) -> dict[str, Style]:
    """The style of each label of one task's comparison, in the order of legends: its own.

    Args:
        comparison: rows of one task.
        models: all models of all tasks, so that a model looks the same in every task.
    """
    styles = {}
    for model, style in model_styles(models).items():
        labels = dict.fromkeys(comparison.loc[comparison["model"] == model, "label"])
        for index, label in enumerate(labels):
            if index:
                marker, line = FURTHER_STUDIES[(index - 1) % len(FURTHER_STUDIES)]
                style = style._replace(marker=marker, line=line)
            styles[label] = style
    return {label: styles[label] for label in dict.fromkeys(comparison["label"]) if label in styles}
