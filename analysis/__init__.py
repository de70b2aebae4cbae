"""Compare studies: reads the files that ``search`` writes, and nothing else of it."""

from analysis.figures.rendering import render_figures
from analysis.reading.studies import Studies, load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.registry import make_tables
from studies.errors import InputError

__all__ = [
    "InputError",
    "Studies",
    "compare_studies",
    "load_studies",
    "make_tables",
    "render_figures",
]
