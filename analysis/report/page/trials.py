"""The trials of all studies in the order in which the page shows them."""

import pandas as pd

from analysis.reading.studies import Studies


def ranked_trials(studies: Studies) -> pd.DataFrame:
    """All trials, best first at each T: as the study ranked them, if it says so.

    The column ``best`` says whether a trial is in best.csv, or has the seed of the trial there and
    is its final training.
    """
    chosen = studies.best[["study", "T", "seed"]].drop_duplicates().assign(best=True)
    trials = studies.trials.merge(chosen, on=["study", "T", "seed"], how="left")
    trials["best"] = trials["best"].eq(True)
    return trials.sort_values(
        ["study", "T", "best", "rank", "validation_accuracy", "tokens_to_solve"],
        ascending=[True, True, False, True, False, True],
    )
