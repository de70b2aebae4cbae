"""The overview of models by T, and the whole comparison as a table that can be sorted."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from analysis.figures.plotting import SOLVED
from analysis.report.page.findings import Row, is_solved, is_tested, labels_of, largest_solved
from analysis.report.page.words import duration, million_tokens
from analysis.tables.comparison import DONE, MISSING, STATUS_COLUMNS

OVERVIEW_ROWS = 8
"""More labels than this make the overview longer than a screen."""


class OverviewCell(NamedTuple):
    """One model at one T: what it recalls, how sure that is, and what it took.

    Attributes:
        kind: solved, unsolved or open; the last has no result.
        lines: the most important first.
    """

    kind: str
    lines: list[str]


class Overview(NamedTuple):
    """Models against T.

    Attributes:
        lengths: the columns.
        rows: label -> one cell a length, who gets farthest first.
        left_out: labels that are not among them.
    """

    lengths: list[int]
    rows: dict[str, list[OverviewCell]]
    left_out: int


class Column(NamedTuple):
    """A column of a table that can be sorted: its header, what it means, what its cells say."""

    header: str
    meaning: str
    text: Callable[[Row], str]
    numeric: bool = True


def overview(rows: Sequence[Row]) -> Overview:
    """The overview of one task's rows of the comparison."""
    lengths = sorted({row["T"] for row in rows if row["T"] is not None})
    labels = sorted(
        labels_of(rows),
        key=lambda label: (-largest_solved(label, rows), -_accuracies(label, rows)),
    )
    at = {(row["label"], row["T"]): row for row in rows}
    shown = {
        label: [_overview_cell(at.get((label, T))) for T in lengths]
        for label in labels[:OVERVIEW_ROWS]
    }
    return Overview(lengths, shown, len(labels) - len(shown))


def _accuracies(label: str, rows: Sequence[Row]) -> float:
    return float(sum(row["accuracy"] for row in rows if row["label"] == label and is_tested(row)))


def _overview_cell(row: Row | None) -> OverviewCell:
    if row is None:
        return OverviewCell("open", ["not searched"])
    if not is_tested(row):
        return OverviewCell("open", [row["state"].split(":")[0]])
    lines = [f"{row['accuracy']:.4f}", f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}"]
    if is_solved(row):
        cost = duration(row["seconds_to_solve"]), million_tokens(row["tokens_to_solve"])
        lines.append(f"solved in {cost[0]}, {cost[1]}")
        if row["accuracy_high"] < SOLVED:  # by validation alone
            lines.append(f"but tested below {SOLVED}")
            return OverviewCell("unsolved", lines)
    else:
        lines.append(f"not solved in {duration(row['seconds'])}")
    if row["seeds"] is not None:
        lines.append(f"{row['seeds_solved']} of {row['seeds']} fresh seeds solve it")
    return OverviewCell("solved" if is_solved(row) else "unsolved", lines)


def number(name: str, form: str, scale: float = 1) -> Callable[[Row], str]:
    """Cells of the column ``name``, in units of ``scale``."""

    def text(row: Row) -> str:
        value = row[name]
        if value is None or isinstance(value, str):
            return value or MISSING
        return format(value / scale if scale != 1 else value, form)

    return text


def word(name: str) -> Callable[[Row], str]:
    """Cells of a column of words."""
    return lambda row: MISSING if row[name] is None else str(row[name]).replace("_", " ")


def limits(name: str) -> Callable[[Row], str]:
    """Cells with both ends of an interval."""

    def text(row: Row) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return MISSING if low is None else f"{low:.4f} to {high:.4f}"

    return text


def _seeds_solved(row: Row) -> str:
    return MISSING if row["seeds"] is None else f"{row['seeds_solved']} of {row['seeds']}"


def _statuses(row: Row) -> str:
    counts = {status.replace("_", " "): row[name] for status, name in STATUS_COLUMNS.items()}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or MISSING


def comparison_columns(rows: Sequence[Row], searched: Sequence[str]) -> list[Column]:
    """The columns beside the label; those that no row has a value for are left out.

    Args:
        searched: of :func:`analysis.tables.comparison.searched_hyperparameters`.
    """
    confirmed = [
        Column("mean", "mean test accuracy over fresh seeds", number("mean_accuracy", ".4f")),
        Column("95 % of mean", "95 % interval of it, over seeds", limits("mean_accuracy")),
        Column("seeds", "fresh seeds that solved T", _seeds_solved),
    ]
    # Where something is missing, the reason stands next to the gap.
    finished = all(row["state"] == DONE for row in rows)
    state = Column("state", "of the search at this T", word("state"), numeric=False)
    return [
        Column("T", "length, in steps", number("T", "d")),
        *(() if finished else (state,)),
        Column("accuracy", "test accuracy of the best trial", number("accuracy", ".4f")),
        Column("95 %", "95 % interval of it, over test payloads", limits("accuracy")),
        *(confirmed if any(row["seeds"] is not None for row in rows) else ()),
        Column("exact", "share of whole payloads recalled", number("exact_match", ".4f")),
        Column("bits", "recalled bits of a payload", number("recalled_bits", ".1f")),
        Column(
            "M tokens", "million tokens until it was solved", number("tokens_to_solve", ".2f", 1e6)
        ),
        Column("s", "seconds of training until it was solved", number("seconds_to_solve", ".1f")),
        Column("parameters", "trained parameters", number("parameters", ",d")),
        *hyperparameter_columns(rows, searched),
        Column("trials", "trials of the search", number("trials", "d")),
        Column("of these", "how they ended", _statuses, numeric=False),
        *((state,) if finished else ()),
        Column("study", "folder of the study", lambda row: row["study"], numeric=False),
    ]


def hyperparameter_columns(rows: Sequence[Row], searched: Sequence[str]) -> list[Column]:
    """Those hyperparameters that were searched; a fixed one is in the configuration."""
    units = {
        "learning_rate": "at its start",
        "hidden_size": "in units",
        "curriculum_length": "in optimizer steps",
    }
    return [
        Column(
            name.replace("_", " "),
            f"searched hyperparameter{', ' * (name in units)}{units.get(name, '')}",
            number(name, ".4g"),
        )
        for name in searched
        if any(row.get(name) is not None for row in rows)
    ]


def trial_columns(rows: Sequence[Row], searched: Sequence[str]) -> list[Column]:
    """The columns of a study's trials."""
    return [
        Column("T", "length, in steps", number("T", "d")),
        Column("status", "how it ended", word("status"), numeric=False),
        Column("stage", "search, final training, or fresh seed", word("stage"), numeric=False),
        *hyperparameter_columns(rows, searched),
        Column("validation", "best validation accuracy at T", number("validation_accuracy", ".4f")),
        Column("M tokens", "million tokens trained", number("tokens", ".2f", 1e6)),
        Column("s", "seconds of training", number("seconds", ".1f")),
        Column(
            "M tokens to solve",
            "million tokens until T was solved",
            number("tokens_to_solve", ".2f", 1e6),
        ),
        Column("seed", "of weights and training data", number("seed", "d")),
        Column("error", "why it failed", lambda row: row["error"] or MISSING, numeric=False),
    ]
