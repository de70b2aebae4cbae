"""The files of the output folder."""

import json
from collections.abc import Sequence

import pandas as pd

from analysis.figures.drawing import MissingFigure, RenderedFigure
from analysis.report.accuracy_table import latex
from analysis.report.markdown import markdown
from analysis.tables.columns import columns_markdown
from analysis.tables.comparison import records
from analysis.tables.registry import NAME


def output_files(
    tables: dict[str, pd.DataFrame],
    figures: list[RenderedFigure],
    missing: list[MissingFigure],
    searched: Sequence[str],
    warnings: list[str],
) -> dict[str, bytes]:
    """The files of the output folder: name -> content.

    Args:
        searched: of :func:`analysis.tables.comparison.searched_hyperparameters`.
    """
    comparison = tables[NAME]
    texts = {
        **{f"{name}.csv": table.to_csv(index=False) for name, table in tables.items()},
        f"{NAME}.json": json.dumps(records(comparison), indent=2) + "\n",
        f"{NAME}.md": markdown(tables, figures, missing, searched, warnings),
        f"{NAME}.tex": latex(comparison),
        "columns.md": columns_markdown(),
    }
    return (
        {name: text.encode() for name, text in texts.items()}
        | {f"{figure.stem}.png": figure.png for figure in figures}
        | {f"{figure.stem}.svg": figure.svg for figure in figures}
    )
