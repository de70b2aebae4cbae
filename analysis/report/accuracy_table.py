"""Test accuracy of every model at every T, in a table to paste into a paper: as LaTeX too."""

import re

import pandas as pd

from analysis.report.cells import MISSING
from analysis.tables.comparison import DONE, tasks
from analysis.tables.records import records

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip


def accuracy_table(comparison: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Test accuracy with its 95 % interval: one row a label, one column a T.

    Args:
        comparison: rows of one task.

    Returns:
        The header, and the rows.
    """
    lengths = sorted(int(T) for T in comparison["T"].dropna().unique())
    cells = {(row["label"], row["T"]): _cell(row) for row in records(comparison)}
    labels = list(dict.fromkeys(comparison["label"]))
    header = ["model", *(f"T = {T}" for T in lengths)]
    rows = [[label, *(cells.get((label, T), MISSING) for T in lengths)] for label in labels]
    return header, rows


def _cell(row: dict[str, object]) -> str:
    if row["state"] != DONE:
        return MISSING
    accuracy, low, high = (row[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    return f"{accuracy:.4f} ({low:.4f}-{high:.4f})"


def latex(comparison: pd.DataFrame) -> str:
    r"""A LaTeX table of each task, with the rules of booktabs if that is loaded.

    Needs no package: to be taken in by \input{comparison}.
    """
    parts = [
        "% Test accuracy of the best trial (95 % interval over test payloads).\n"
        "\\providecommand{\\toprule}{\\hline}\n"
        "\\providecommand{\\midrule}{\\hline}\n"
        "\\providecommand{\\bottomrule}{\\hline}\n"
    ]
    for task in tasks(comparison):
        header, rows = accuracy_table(comparison[comparison["task"] == task])
        columns = [_latex(name) for name in header[:1]] + [f"${name}$" for name in header[1:]]
        lines = [" & ".join(_latex(cell) for cell in row) + " \\\\\n" for row in rows]
        parts.append(
            f"% {' '.join(str(task).split())} task\n"
            f"\\begin{{tabular}}{{l{'c' * (len(header) - 1)}}}\n"
            "\\toprule\n"
            + " & ".join(columns)
            + " \\\\\n\\midrule\n"
            + "".join(lines)
            + "\\bottomrule\n"
            "\\end{tabular}\n"
        )
    return "\n".join(parts)


def _latex(text: str) -> str:
    """A cell's text; the - of an interval as a dash."""
    escaped = "".join(LATEX_SPECIAL.get(character, character) for character in text)
    return re.sub(r"(?<=\d)-(?=\d)", "--", escaped)
