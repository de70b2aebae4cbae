"""Which trials of a search were sampled, and not given."""

import pandas as pd

from analysis.reading.studies import Studies
from studies import format as files


def sampled_trials(studies: Studies) -> pd.DataFrame:
    """The trials of the searches whose configuration was sampled.

    Given are those of ``search.initial``, those carried over from another T, and those of users. A
    trial of which the events do not tell is left out.

    Columns: those of trials.csv.
    """
    trials = studies.trials[studies.trials["stage"] == files.SEARCH]
    started = studies.events[studies.events["event"] == "trial_started"]
    known = started.dropna(subset=["given"])[["study", "trial_id", "given"]]
    return trials.merge(known[known["given"] == 0].drop(columns="given"), on=["study", "trial_id"])
