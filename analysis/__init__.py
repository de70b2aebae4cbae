"""Compare studies: reads the files that ``search`` writes, and nothing else of it."""

from analysis.errors import InputError
from analysis.figures import render_figures
from analysis.result_tables import make_tables
from analysis.study_data import Studies, load_studies
from analysis.tables import compare_studies

__all__ = [
    "InputError",
    "Studies",
    "compare_studies",
    "load_studies",
    "make_tables",
    "render_figures",
]
