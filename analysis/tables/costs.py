"""costs.csv: what each search has cost."""

import pandas as pd

from analysis.reading.csv_tables import frame_type
from analysis.reading.events import trial_spans
from analysis.reading.studies import STUDY, Studies
from analysis.tables.best_so_far import searching
from analysis.tables.comparison import LABEL
from studies.columns import TASK, T, Table, real, whole

SPENT = (
    whole("search_trials", "", "trials of the search, with those that raced for the best"),
    whole("search_tokens", "tokens", "tokens of all these trials"),
    real(
        "search_seconds", "s",
        "seconds of these trials; they run in parallel, so the wall time is less",
    ),
    real("wall_seconds", "s", "wall time of the search; empty without events.jsonl"),
)  # fmt: skip

COSTS = Table(
    "costs.csv",
    "One row a (study, T) that has trials. Final trainings and fresh seeds do not count.",
    (
        STUDY, LABEL, TASK, T, *SPENT,
        whole(
            "tokens_to_first_solve", "tokens",
            "tokens of all trials at this T together until one had solved it; empty if none has",
        ),
    ),
)  # fmt: skip


def search_costs(studies: Studies, comparison: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """One row a (study, T) whose search has trials.

    Args:
        found: of :func:`analysis.tables.best_so_far.best_so_far`.

    Columns: those of :data:`COSTS`.
    """
    keys = ["study", "T"]
    first = found[found["solved"]].drop_duplicates(keys)[[*keys, "tokens"]]
    first = first.rename(columns={"tokens": "tokens_to_first_solve"})
    rows = (
        comparison[["study", "label", "task", "T"]].dropna().merge(_spent(studies, keys), on=keys)
    )
    return rows.merge(first, on=keys, how="left")[list(COSTS.names)]


def whole_searches(studies: Studies) -> pd.DataFrame:
    """What the search of each study has cost, over all its T.

    Columns: study and those of :data:`SPENT`.
    """
    return _spent(studies, ["study"])


def _spent(studies: Studies, keys: list[str]) -> pd.DataFrame:
    trials = searching(studies.trials)
    spans = trials[["study", "T", "trial_id", "stage"]].merge(
        trial_spans(studies.events).drop(columns="T"), on=["study", "trial_id"], how="left"
    )
    # Other T are searched, and winners confirmed, before the races, or before a search goes on.
    parts = spans.groupby(["study", "T", "stage", "part"]).agg({"began": "min", "ended": "max"})
    parts = parts.dropna().reset_index().sort_values("began")
    parts["until"] = parts.groupby(keys)["ended"].transform(lambda ended: ended.cummax().shift())
    parts["wall_seconds"] = (parts["ended"] - parts[["began", "until"]].max(axis=1)).clip(lower=0)
    wall = parts.groupby(keys)["wall_seconds"].sum()
    sums = trials.groupby(keys)[["tokens", "seconds"]].sum().add_prefix("search_")
    counts = trials.groupby(keys).size().rename("search_trials")
    frame = pd.concat([counts, sums, wall], axis=1).reset_index()
    return frame.astype({column.name: frame_type(column) for column in SPENT})
