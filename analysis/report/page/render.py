"""Builds the page. Whatever comes from a study is text, which the templates escape."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.figures.rendering import MissingFigure, RenderedFigure
from analysis.figures.styles import Style, label_styles
from analysis.reading.studies import Studies
from analysis.reading.study_yaml import read_provenance
from analysis.report.cells import PrintedColumn, Row
from analysis.report.page.colors import declarations
from analysis.report.page.columns import comparison_columns
from analysis.report.page.downloads import MEDIA_TYPES, Candidate, data_uri, held
from analysis.report.page.explorer import explorer_data, packed
from analysis.report.page.overview import Overview, overview
from analysis.report.page.studies import efforts, study_parts
from analysis.report.page.svg import inline_figure, swatch
from analysis.report.verdict.verdict import Verdict, verdicts
from analysis.tables.comparison import BROKEN, problems, searched_hyperparameters, task_chance
from analysis.tables.records import records
from analysis.tables.registry import NAME
from studies.format import SOLVED_ACCURACY
from studies.paths import open_path

FOLDER = Path(__file__).parent
PAGE = "index.html"
SCRIPTS = (
    "script.js", "explorer.js", "explorer_parallel.js", "explorer_curves.js", "explorer_table.js",
)  # fmt: skip
"""Together the one script of the page; the first starts all."""

TABLES_IN_ALL = 400_000  # characters
FIGURES_IN_ALL = 1_500_000
"""The most that the page holds of tables and figures; the others are files beside it."""

SVG_AT_MOST = 400_000
"""Characters of an SVG file; of a larger figure the page holds the PNG."""


class FigurePart(NamedTuple):
    """A figure on the page.

    ``image`` is an SVG element, or one that shows the PNG; None if the page holds too many.
    """

    stem: str
    shows: str
    caption: str
    image: Markup | None


class TaskPart(NamedTuple):
    """One task on the page; ``chance`` is the accuracy of guessing, NaN if there is no task."""

    verdict: Verdict
    chance: float
    overview: Overview
    columns: list[PrintedColumn]
    rows: list[Row]
    figures: list[FigurePart]
    styles: dict[str, Style]


def render_page(
    studies: Studies,
    tables: Mapping[str, pd.DataFrame],
    figures: Sequence[RenderedFigure],
    missing: Sequence[MissingFigure],
    files: Mapping[str, bytes],
    command: str,
) -> str:
    """The page as HTML that loads nothing.

    Args:
        studies: of :func:`analysis.reading.studies.load_studies`; the page also reads their
            study.yaml, and holds their CSV files as long as they are small.
        tables: of :func:`analysis.tables.registry.make_tables`.
        figures, missing: of :func:`analysis.figures.rendering.render_all`.
        files: of :func:`analysis.report.files.file_contents`; the page offers those with tables.
        command: what made the comparison.
    """
    comparison = tables[NAME]
    rows = records(comparison)
    readable = studies.studies[studies.studies["problem"] == ""]
    provenances = {
        study: read_provenance(open_path(path))
        for study, path in zip(readable["study"], readable["path"], strict=True)
    }
    models = list(comparison["model"].dropna().unique())
    drawn = _figures(figures)
    searched = searched_hyperparameters(studies.configs.values())
    task_parts = []
    spent = efforts(studies, provenances)
    for verdict in verdicts(comparison, spent, tables, studies.configs):
        of_task = comparison[comparison["task"] == verdict.task]
        of = [row for row in rows if row["task"] == verdict.task and row["T"] is not None]
        task_parts.append(
            TaskPart(
                verdict=verdict,
                chance=task_chance(of_task),
                overview=overview(of),
                columns=comparison_columns(of, searched),
                rows=of,
                figures=drawn.get(verdict.task, []),
                styles=label_styles(of_task, models),
            )
        )
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    script = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    explored = {
        part.verdict.task: (_labels(part.rows), part.styles, part.chance) for part in task_parts
    }
    images = [part.image or "" for of in drawn.values() for part in of]
    swatches = [swatch(style) for part in task_parts for style in part.styles.values()]
    empty = {f"{name}.csv" for name, table in tables.items() if table.empty}
    texts = {
        name: text
        for name, text in files.items()
        if Path(name).suffix in MEDIA_TYPES and name not in empty
    }
    offered = held(
        {name: Candidate(name, len(text), partial(bytes, text)) for name, text in texts.items()},
        TABLES_IN_ALL,
    )
    template = _environment().get_template("template.html")
    return template.render(
        tasks=task_parts,
        studies=study_parts(studies, rows, provenances),
        problems=problems(comparison),
        missing=missing,
        downloads=[*offered.values()],
        not_held=[name for name in texts if name not in offered],
        compare_command=command,
        solved=SOLVED_ACCURACY,
        explorer_data=packed(explorer_data(studies, explored)),
        styles={part.verdict.task: part.styles for part in task_parts},
        swatch=swatch,
        style=Markup(style),
        colors=Markup(declarations("".join([*images, *swatches]))),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _environment() -> Environment:
    """What renders the templates: it escapes all text, and knows where lines may break."""
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = lambda text: text.replace(
        "T = ", "T\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
    )
    environment.filters["breakable"] = lambda text: Markup("<wbr>").join(
        re.findall(r"[^_.:/-]*[_.:/-]*", text)
    )
    return environment


def _labels(rows: Sequence[Row]) -> dict[str, str]:
    """Study -> label, of the studies that can be read."""
    return {row["study"]: row["label"] for row in rows if not row["state"].startswith(BROKEN)}


def _figures(figures: Sequence[RenderedFigure]) -> dict[str, list[FigurePart]]:
    """Task -> its figures."""
    parts: dict[str, list[FigurePart]] = {}
    total = 0
    for figure in figures:
        image = _image(figure)
        total += len(image)
        parts.setdefault(figure.task, []).append(
            FigurePart(
                figure.stem,
                figure.shows,
                figure.caption,
                image if total <= FIGURES_IN_ALL else None,
            )
        )
    return parts


def _image(figure: RenderedFigure) -> Markup:
    image = inline_figure(figure.svg, figure.stem, figure.shows)
    if len(image) <= SVG_AT_MOST:
        return image
    return Markup('<img class="plot" alt="{}" src="{}">').format(
        figure.shows, data_uri(figure.png, "image/png")
    )
