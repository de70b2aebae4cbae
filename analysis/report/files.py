"""The files of a comparison: their content, and the folder that they are written into."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.figures.rendering import MissingFigure, RenderedFigure
from analysis.report.markdown import markdown
from analysis.report.wide_tables import latex
from analysis.tables.records import records
from analysis.tables.registry import NAME, TABLES
from studies.columns import markdown_page
from studies.errors import InputError


def file_contents(
    tables: dict[str, pd.DataFrame],
    figures: list[RenderedFigure],
    missing: list[MissingFigure],
    searched: Sequence[str],
    warnings: list[str],
) -> dict[str, bytes]:
    """The files of a comparison beside the HTML page: name -> content.

    Args:
        tables: of :func:`analysis.tables.registry.make_tables`.
        figures, missing: of :func:`analysis.figures.rendering.render_all`.
        searched: of :func:`analysis.tables.comparison.searched_hyperparameters`.
        warnings: of :meth:`analysis.reading.studies.Studies.warnings`.
    """
    comparison = tables[NAME]
    texts = {
        **{f"{name}.csv": table.to_csv(index=False) for name, table in tables.items()},
        f"{NAME}.json": json.dumps(records(comparison), indent=2) + "\n",
        f"{NAME}.md": markdown(tables, figures, missing, searched, warnings),
        f"{NAME}.tex": latex(comparison),
        "columns.md": markdown_page("Columns of the tables", TABLES.values()),
    }
    return (
        {name: text.encode() for name, text in texts.items()}
        | {f"{figure.stem}.png": figure.png for figure in figures}
        | {f"{figure.stem}.svg": figure.svg for figure in figures}
    )


def make_folder(path: Path) -> None:
    """Create the output folder if it does not exist.

    Raises:
        InputError: it cannot be created or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"--output {path}: is, or is below, a file; name a folder") from None
    except OSError as error:
        raise InputError(f"--output {path} cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise InputError(f"--output {path} cannot be written: permission denied")


def write_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader never meets half of it.

    Raises:
        InputError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
