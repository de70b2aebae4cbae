"""Figure generalization: the best models tested at lengths that they were not trained for."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, length_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec, Scope
from analysis.phrases import semicolon_list, short_enumeration

KEPT = 0.9
"""Test accuracy from which the caption says that a model still recalls the payload."""


def data(scope: Scope) -> pd.DataFrame:
    """Test accuracies of the best trials at other T than that of their training.

    Columns: label, T, test_T, accuracy, accuracy_low, accuracy_high. Tests of a trial that is no
    longer the best at its T are left out.
    """
    keys = ["study", "T", "trial_id"]
    scores = ["test_T", "accuracy", "accuracy_low", "accuracy_high"]
    tests = scope.studies.generalization[[*keys, *scores]]
    data = scope.done[["label", *keys]].merge(tests, on=keys)
    return data.sort_values(["T", "test_T"], kind="stable", ignore_index=True)[
        ["label", "T", *scores]
    ]


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel for each T of training."""
    trained = sorted(int(T) for T in data["T"].unique())
    tested = sorted(int(T) for T in data["test_T"].unique())
    figure, panels, edge = plotting.length_panels(
        task, "T of the test (steps)", "test accuracy", trained
    )
    for T, axes in panels.items():
        at_T = plotting.side_by_side(data[data["T"] == T], task, "test_T")
        for name, rows in plotting.by_label(at_T, task):
            axes.errorbar(
                rows["x"],
                rows["accuracy"],
                yerr=plotting.error_bars(rows),
                **plotting.line(task.styles[name]) | {"markersize": 5},
            )
        axes.axvline(T, color=plotting.REFERENCE_COLOR, linewidth=1)
        x_label = axes.get_xlabel()
        length_axis(axes, tested, plotting.WIDTH / 4)
        axes.set(title=f"trained for T = {T}", xlabel=x_label)
        accuracy_axis(axes, task.chance, data["accuracy_low"].min(), T in edge)
    plotting.heading(figure, task, FIGURE.title, data)
    return figure


def caption(data: pd.DataFrame) -> str:
    """Say how far the models trained for the largest T reach."""
    trained = data["T"].max()
    tests = data[data["T"] == trained].sort_values("test_T", kind="stable")
    parts = [
        f"{label} {where}"
        for label, rows in tests.groupby("label", sort=False)
        if (where := _where_kept(rows))
    ]
    found = f"accuracy is {KEPT} or more for {semicolon_list(parts)}"
    return (
        "Test accuracy at other lengths, without further training; the vertical line marks the T "
        f"of the training. Of the models trained for T = {trained}, "
        f"{found if parts else f'none has an accuracy of {KEPT} at any length'}."
    )


def _where_kept(rows: pd.DataFrame) -> str:
    """At which lengths the tests of a label keep the accuracy; empty if at none.

    Args:
        rows: its tests, by length.
    """
    passed = (rows["accuracy"] >= KEPT).tolist()
    kept = rows["test_T"][passed].tolist()
    if not kept:
        return ""
    if all(passed[: len(kept)]):
        return f"up to T = {kept[-1]}"
    return f"only at T = {short_enumeration(list(map(str, kept)))}"


FIGURE = FigureSpec(
    "generalization", "The best models at lengths they were not trained for", data, draw, caption,
    why_missing=lambda scope: "not tested yet: python -m search.generalize",
)  # fmt: skip
