"""Figure equal_cost_vs_T: the validation accuracy at equal tokens, seconds and parameters."""

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import plotting
from analysis.figures.axes import accuracy_axis, length_axis
from analysis.figures.plotting import TaskContext
from analysis.figures.spec import FigureSpec


def draw(data: pd.DataFrame, task: TaskContext) -> Figure:
    """Draw one panel each for tokens, seconds and parameters."""
    figure = plotting.new_figure(task)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, unit in zip(panels, ("tokens", "seconds", "parameters"), strict=True):
        for label, rows in plotting.by_label(plotting.side_by_side(data, task), task):
            accuracy = rows[f"accuracy_at_equal_{unit}"]
            axes.plot(rows["x"], accuracy, **plotting.line(task.styles[label]))
        length_axis(axes, task.lengths, plotting.WIDTH / 3)
        axes.set_title(f"equal {unit}")
        accuracy_axis(axes, unit == "parameters")
    panels[0].set_ylabel("validation accuracy")
    plotting.heading(figure, task, "Best validation accuracy at equal cost", data)
    return figure


def caption(data: pd.DataFrame, task: TaskContext) -> str:
    """Explain the three limits, and give them at the largest T that has a result."""
    row = data[data["T"] == data["T"].max()].iloc[0]
    return (
        "Left and middle: the best trial of each model, cut to the tokens or seconds of the one "
        "that had the fewest at this T. Right: the best trial of each search up to a limit of "
        "parameters, the smallest of the models' largest networks. The limits at "
        f"T = {row['T']} are {row['equal_tokens'] / 1e6:.3g} million tokens, "
        f"{row['equal_seconds']:.0f} s and {row['equal_parameters']:,} parameters."
    )


FIGURE = FigureSpec(
    "equal_cost_vs_T", "Validation accuracy at equal tokens, seconds and parameters",
    lambda scope: scope.tables["equal_cost"], draw, caption,
)  # fmt: skip
