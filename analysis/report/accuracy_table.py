"""The comparison in a few columns, to paste: as Markdown and as LaTeX."""

import re

import pandas as pd

from analysis.tables.comparison import DONE, MISSING, records, tasks

LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip


def short_table(comparison: pd.DataFrame) -> list[list[str]]:
    """One row a label, one column a T: test accuracy with its 95 % interval; the header first.

    Args:
        comparison: rows of one task.
    """
    lengths = sorted(int(T) for T in comparison["T"].dropna().unique())
    cells = {(row["label"], row["T"]): _cell(row) for row in records(comparison)}
    labels = list(dict.fromkeys(comparison["label"]))
    header = ["model", *(f"T = {T}" for T in lengths)]
    return [
        header,
        *([label, *(cells.get((label, T), MISSING) for T in lengths)] for label in labels),
    ]


def _cell(row: dict[str, object]) -> str:
    if row["state"] != DONE:
        return MISSING
    accuracy, low, high = (row[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    return f"{accuracy:.4f} ({low:.4f}-{high:.4f})"


def short_markdown(comparison: pd.DataFrame) -> str:
    """:func:`short_table` of one task as a Markdown table."""
    header, *rows = short_table(comparison)
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |\n" for row in lines)


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
        header, *rows = short_table(comparison[comparison["task"] == task])
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
