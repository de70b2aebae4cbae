"""tuning_samples.csv and tuning_curves.csv: the best accuracy to expect of n random trials.

Only trials that were sampled at random and independently can tell. Trials of TPE depend on those
before them, and so do configurations that were given or carried over from another T.

Source: Lourie, Cho & He, "Show Your Work with Confidence: Confidence Bands for Tuning Curves",
2023, and its package opda. The band holds for all n at once.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from opda.nonparametric import EmpiricalDistribution

from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import LABEL
from analysis.tables.sampled import sampled_trials
from studies import format as files
from studies.columns import TASK, T, Table, real, text, whole

LEAST_TRIALS = 4
TIGHT_BAND_TRIALS = 64
"""Up to this many trials the band is that of Learned-Miller & DeStefano. It is tighter at the best
trials, but takes a simulation whose time grows with their number (1 s at 64, 6 s at 200). With more
trials it is the band of the Kolmogorov-Smirnov test."""

HOW_TO = (
    "--sampler random --scheduler none --set search.patience=null --set search.solved_trials=N, "
    "N above search.trials"
)

NO_BAND = "no band"
"""How the reason for a curve without a band begins."""

SAMPLES = Table(
    "tuning_samples.csv",
    "One row a (study, T): whether its trials tell what more trials bring.",
    (
        STUDY, LABEL, TASK, T,
        whole("trials", "", "trials sampled at random that have ended; 0 if there is no curve"),
        text("band", "whether the curve has a band: True or False"),
        text("remark", "why there is no curve or no band, or how to read it"),
    ),
)  # fmt: skip
CURVES = Table(
    "tuning_curves.csv",
    "One row a (study, T, n).",
    (
        STUDY, LABEL, TASK, T,
        whole("n", "", "number of random trials"),
        real("best", "share", "expected best validation accuracy of n trials"),
        real("best_low", "share", "lower end of its 95 % band, which holds for all n at once"),
        real("best_high", "share", "upper end of the band"),
    ),
)  # fmt: skip


def random_samples(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a (study, T) that has trials: how many of them are a random sample.

    Columns: those of :data:`SAMPLES`, and ``values``: the accuracies of the trials.
    """
    trials = studies.trials[studies.trials["stage"] == files.SEARCH]
    groups = dict(iter(sampled_trials(studies).groupby(["study", "T"])))
    events = studies.events[["study", "T", "trial_id", "event", "status", "limit"]]
    over = events[events["event"] == "length_ended"].groupby(["study", "T"])["limit"].last()
    limits = over.to_dict()
    told = _lengths(events[events["event"] == "trial_started"])
    cut_off = events[(events["event"] == "trial_ended") & (events["status"] == files.INTERRUPTED)]
    stopped = _lengths(cut_off.merge(trials[["study", "trial_id"]]))
    searched = _lengths(trials)
    rows = []
    for row in comparison[["study", "label", "task", "T"]].dropna().to_dict(orient="records"):
        of = row["study"], row["T"]
        if of not in searched:
            continue
        search = studies.configs[row["study"]]["search"]
        values = _values(groups.get(of, trials.iloc[:0]), studies.chances[row["study"]])
        reason = _refusal(search, of in told, values)
        remark = _remark(search, limits.get(of), of in stopped)
        rows.append(
            row
            | {
                "trials": 0 if reason else len(values),
                "band": not reason and NO_BAND not in remark,
                "remark": reason or remark,
                "values": [] if reason else values,
            }
        )
    return pd.DataFrame(rows, columns=[*SAMPLES.names, "values"])


def _lengths(rows: pd.DataFrame) -> set[tuple[str, int]]:
    """The (study, T) of these rows."""
    return set(zip(rows["study"], rows["T"], strict=True))


def _values(trials: pd.DataFrame, chance: float) -> list[float]:
    """Best validation accuracy of each trial that has ended; chance if a failed one has none."""
    ended = trials[trials["status"] != files.INTERRUPTED]
    return [float(value) for value in ended["validation_accuracy"].fillna(chance)]


def _refusal(search: dict[str, Any], has_events: bool, values: list[float]) -> str:
    """Why there is no curve; empty if there is one."""
    sampler = search.get("sampler")
    if sampler != "random":
        return f"sampled by {sampler}, not at random: search with {HOW_TO}"
    if not has_events:
        return f"{files.EVENTS_FILE} does not say which trials were given and which were sampled"
    if len(values) < LEAST_TRIALS:
        return f"only {len(values)} random trials have ended; a curve needs {LEAST_TRIALS}"
    return ""


def _remark(search: dict[str, Any], limit: str | None, chosen: bool) -> str:
    """What a reader of the curve must know; may be empty.

    Args:
        chosen: whether a user stopped trials.
    """
    remarks = []
    stopped_early = search.get("scheduler") != "none"
    if stopped_early:
        remarks.append("the accuracy of a stopped trial is that at its stop")
    if limit is None:
        remarks.append(f"{NO_BAND}: the search still runs, or was interrupted")
    elif limit != "trials":
        remarks.append(f"{NO_BAND}: results decided when the search ended ({limit})")
    elif stopped_early:
        remarks.append(f"{NO_BAND}: whether a trial is stopped depends on the others")
    elif chosen:
        remarks.append(f"{NO_BAND}: a user stopped trials, which do not count")
    return "; ".join(remarks)


def tuning_curves(samples: pd.DataFrame) -> pd.DataFrame:
    """The expected best validation accuracy after 1 to all of the random trials.

    Args:
        samples: of :func:`random_samples`.

    Columns: those of :data:`CURVES`.
    """
    curves = []
    for row in samples[samples["trials"] > 0].to_dict(orient="records"):
        ns = _counts(row["trials"])
        best, low, high = expected_best(row["values"], ns)
        curve = pd.DataFrame({"n": ns, "best": best, "best_low": low, "best_high": high})
        if not row["band"]:
            curve[["best_low", "best_high"]] = np.nan
        curves.append(curve.assign(**{name: row[name] for name in CURVES.names[:4]}))
    if not curves:
        return pd.DataFrame(columns=list(CURVES.names))
    return pd.concat(curves, ignore_index=True)[list(CURVES.names)]


def _counts(trials: int) -> list[int]:
    """Every n, or about fifty of them spread evenly on a logarithmic axis."""
    if trials <= 50:
        return list(range(1, trials + 1))
    return sorted(set(np.geomspace(1, trials, 50).round().astype(int).tolist()))


def expected_best(values: list[float], ns: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of the best of n draws, and the ends of its 95 % band, for each n.

    Args:
        values: accuracies of independent trials. With equal ones among them the band is wider
            than need be.
    """
    ordered = np.sort(values)
    low_weights, high_weights = _band_weights(len(values))
    extended = np.concatenate([[0.0], ordered, [1.0]])  # the range of an accuracy

    def curve(ys: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        best: np.ndarray = EmpiricalDistribution(ys, weights, a=0.0, b=1.0).average_tuning_curve(ns)
        return best

    # The more weight lies on small values, the lower is the curve.
    return curve(ordered, None), curve(extended, high_weights), curve(extended, low_weights)


@lru_cache(maxsize=256)
def _band_weights(trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of 0, the ordered values and 1 in the lower and upper band of the distribution.

    They depend on the number of values alone, so they are those of any distinct ones.
    """
    lower, _, upper = EmpiricalDistribution.confidence_bands(
        np.arange(1, trials + 1) / (trials + 1),
        confidence=0.95,
        a=0.0,
        b=1.0,
        generator=np.random.default_rng(0),
        method="ld_equal_tailed" if trials <= TIGHT_BAND_TRIALS else "ks",
        n_jobs=1,
    )
    return lower.ws, upper.ws
