"""Compare studies: reads the files that ``search`` writes, and nothing else of it."""

from analysis.study_data import InputError, Studies, load_studies

__all__ = ["InputError", "Studies", "load_studies"]
