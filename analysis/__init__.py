"""Compare studies: reads the files that ``search`` writes, and nothing else of it."""

from analysis.paths import InputError
from analysis.study_data import Studies, load_studies

__all__ = ["InputError", "Studies", "load_studies"]
