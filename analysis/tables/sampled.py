"""Which trials of a search were sampled, and not given."""

import pandas as pd

from analysis.reading.studies import Studies
from studies import format as files


def given_counts(studies: Studies) -> dict[tuple[str, int], int]:
    """(study, T) -> how many of its first trials had a configuration that was given.

    Given are those of ``search.initial`` and those carried over from another T. A (study, T) whose
    events do not say how many has no entry.
    """
    began = studies.events[studies.events["event"] == "length_began"]
    counts: dict[tuple[str, int], int] = {}
    for study, length, initial in zip(began["study"], began["T"], began["initial"], strict=True):
        counts[study, length] = max(initial, counts.get((study, length), 0))
    return counts


def sampled_trials(studies: Studies) -> pd.DataFrame:
    """The trials of the searches whose configuration was sampled.

    Columns: those of trials.csv. A (study, T) without an entry in :func:`given_counts` has no rows.
    """
    trials = studies.trials[studies.trials["stage"] == files.SEARCH]
    number = trials.groupby(["study", "T"]).cumcount()
    counts = given_counts(studies)
    given = [counts.get(of) for of in zip(trials["study"], trials["T"], strict=True)]
    return trials[number >= pd.Series(given, trials.index, dtype="float64")]
