"""Every model at every T, in tables to paste into a paper: as LaTeX too."""

import re

import pandas as pd

from analysis.report.cells import MISSING, Row, Text, solve_rate
from analysis.tables.comparison import DONE, tasks
from analysis.tables.records import records

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip


SOLVE_RATES = "Fresh seeds that solve T (exact 95 % interval of the solve rate)"
ACCURACIES = "Test accuracy of the best trial (95 % interval over test payloads)"

HeaderAndRows = tuple[list[str], list[list[str]]]


def wide_tables(comparison: pd.DataFrame) -> dict[str, HeaderAndRows]:
    """What each table shows -> its header and rows: one row a label, one column a T.

    Solve rates come first, if there are any.

    Args:
        comparison: rows of one task.

    """
    tables = {ACCURACIES: _wide_table(comparison, _accuracy)}
    if comparison["seeds"].notna().any():
        return {SOLVE_RATES: _wide_table(comparison, solve_rate), **tables}
    return tables


def _wide_table(comparison: pd.DataFrame, cell: Text) -> HeaderAndRows:
    lengths = sorted(int(T) for T in comparison["T"].dropna().unique())
    cells = {(row["label"], row["T"]): cell(row) for row in records(comparison)}
    labels = list(dict.fromkeys(comparison["label"]))
    header = ["model", *(f"T = {T}" for T in lengths)]
    rows = [[label, *(cells.get((label, T), MISSING) for T in lengths)] for label in labels]
    return header, rows


def _accuracy(row: Row) -> str:
    if row["state"] != DONE:
        return MISSING
    accuracy, low, high = (row[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    return f"{accuracy:.4f} ({low:.4f}-{high:.4f})"


def latex(comparison: pd.DataFrame) -> str:
    r"""The LaTeX tables of each task, with the rules of booktabs if that is loaded.

    Needs no package: to be taken in by \input{comparison}.
    """
    parts = [
        "\\providecommand{\\toprule}{\\hline}\n"
        "\\providecommand{\\midrule}{\\hline}\n"
        "\\providecommand{\\bottomrule}{\\hline}\n"
    ]
    shown = [
        (task, *table)
        for task in tasks(comparison)
        for table in wide_tables(comparison[comparison["task"] == task]).items()
    ]
    for task, shows, (header, rows) in shown:
        columns = [_latex(name) for name in header[:1]] + [f"${name}$" for name in header[1:]]
        lines = [" & ".join(_latex(cell) for cell in row) + " \\\\\n" for row in rows]
        parts.append(
            f"% {' '.join(str(task).split())} task. {shows}.\n"
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
