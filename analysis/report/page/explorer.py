"""Every trial with its curve, as the one JSON document from which the page's explorer draws.

The document has columns, not rows, short numbers and thinned curves, and is compressed: 50,000
trials take less than 2 MB of the page.
"""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.figures.styles import Style
from analysis.reading.studies import Studies
from analysis.report.page.colors import variable
from analysis.report.page.commands import replay_parts
from analysis.report.page.trials import ranked_trials
from analysis.tables.comparison import searched_dimensions, searched_hyperparameters

POINTS = 40
"""The most evaluations of a trial: every one, or every second, ..., and the last."""

DIGITS = 4
"""Of a number: more would not show."""

Labels = Mapping[str, str]


def packed(document: Any) -> str:
    """A document as compressed JSON in Base64, which a browser can read by itself."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def explorer_data(
    studies: Studies, tasks: Mapping[str, tuple[Labels, Mapping[str, Style], float]]
) -> list[dict[str, Any]]:
    """One entry a task that has trials.

    Args:
        tasks: task -> (study -> label, in the order of the page; label -> style; accuracy of
            guessing).

    An entry has name, chance, models (label, color, command: what comes before and after the name
    of a trial in the command that trains it again), columns (see :func:`_column`; of each trial),
    and of the curves: counts (evaluations of each trial), tokens (thousands since the evaluation
    before) and accuracies (thousandths).
    """
    trials = ranked_trials(studies)
    found = []
    for task, (labels, styles, chance) in tasks.items():
        order = {study: place for place, study in enumerate(labels)}
        rows = trials[trials["study"].isin(order)]
        rows = rows.iloc[np.argsort(rows["study"].map(order), kind="stable")]
        if rows.empty:
            continue
        paths = dict(zip(studies.studies["study"], studies.studies["path"], strict=True))
        found.append(
            {
                "name": task,
                "chance": chance,
                "models": [
                    {
                        "label": label,
                        "color": variable(styles[label].color),
                        "command": replay_parts(paths[study], studies.configs[study]),
                    }
                    for study, label in labels.items()
                ],
                "columns": _columns(rows, labels, studies),
                **_curves(rows, studies.progress),
            }
        )
    return found


def _columns(rows: pd.DataFrame, labels: Labels, studies: Studies) -> list[dict[str, Any]]:
    configs = [studies.configs[study] for study in labels]
    logarithmic = {
        name
        for config in configs
        for name, dimension in searched_dimensions(config).items()
        if dimension.get("log")
    }
    models = _column("model", "model", rows["study"].map(labels), words=list(labels.values()))
    columns = [
        {"key": "trial", "name": "trial", "values": rows["trial_id"].tolist()},
        {**models, "axis": True},
        {**_column("T", "T", rows["T"]), "axis": True, "log": True},
        _column("status", "status", rows["status"].str.replace("_", " "), axis=True),
        _column("stage", "stage", rows["stage"], axis=True),
        *(
            _column(name, name.replace("_", " "), rows[name], axis=True, log=name in logarithmic)
            for name in searched_hyperparameters(configs)
            if name in rows and rows[name].notna().any()
        ),
        _column("tokens", "M tokens", rows["tokens"].astype("float64") / 1e6, axis=True),
        _column("solved", "M tokens to solve", rows["tokens_to_solve"].astype("float64") / 1e6),
        _column("seconds", "s", rows["seconds"]),
        _column("validation", "validation accuracy", rows["validation_accuracy"], axis=True),
        _column("error", "error", rows["error"]),
    ]
    return [column for column in columns if column["key"] == "model" or _tells(column)]


def _tells(column: Mapping[str, Any]) -> bool:
    """Whether a column has more than one value, or says why trials failed."""
    values = set(column["values"])
    return len(values) > 1 or (column["key"] in ("trial", "error", "T") and values != {None})


def _column(
    key: str,
    name: str,
    cells: pd.Series,
    words: Sequence[str] | None = None,
    axis: bool = False,
    log: bool = False,
) -> dict[str, Any]:
    """A column: its key, its name on the page, values, and whether it is an axis.

    Values are numbers or None. Where they are places in a list of words, ``words`` is that list.
    A logarithmic axis is marked by ``log``.
    """
    column: dict[str, Any] = {"key": key, "name": name, "axis": axis}
    if words is None and pd.api.types.is_numeric_dtype(cells):
        numbers = cells.to_numpy("float64", na_value=np.nan)
        column["values"] = [_short(number) for number in numbers.tolist()]
        if log and np.nanmin(numbers) > 0:
            column["log"] = True
        return column
    known = list(dict.fromkeys(cells.dropna())) if words is None else words
    place = {word: number for number, word in enumerate(known)}
    values = [place.get(cell) for cell in cells.tolist()]
    return {**column, "words": [str(word) for word in known], "values": values}


def _short(number: float) -> float | int | None:
    if not np.isfinite(number):
        return None
    short = float(f"{number:.{DIGITS}g}")
    return int(short) if short.is_integer() else short


def _curves(rows: pd.DataFrame, progress: pd.DataFrame) -> dict[str, list[int]]:
    """The evaluations of the trials in ``rows``, in their order."""
    keys = ["study", "trial_id"]
    places = rows[keys].assign(place=np.arange(len(rows)))
    points = progress[[*keys, "tokens", "validation_accuracy"]].merge(places, on=keys)
    points = points.sort_values(["place", "tokens"])
    of_trial = points.groupby("place")
    last = of_trial.cumcount(ascending=False)  # 0 at the last evaluation
    step = -(-of_trial["tokens"].transform("size") // POINTS)
    points = points[last % step == 0]
    thousands = (points["tokens"].astype("float64").fillna(0) / 1e3).round().astype("int64")
    first = ~points["place"].duplicated()
    steps = thousands.diff().fillna(0).astype("int64")
    steps[first] = thousands[first]
    accuracies = (points["validation_accuracy"].fillna(0.0) * 1e3).round().astype("int64")
    counts = np.bincount(points["place"], minlength=len(rows))
    return {
        "counts": counts.tolist(),
        "tokens": steps.tolist(),
        "accuracies": accuracies.tolist(),
    }
