"""Which architecture is better at each T, and how sure that is."""

import itertools
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.reading.studies import Studies
from analysis.statistics import (
    ENOUGH_SEEDS,
    Accuracy,
    accuracy_difference,
    holm,
    interquartile_mean,
    mean_difference,
    superiority,
)
from analysis.tables.comparison import DONE
from analysis.tables.confirmation import winner_seeds
from analysis.tables.records import records

PAYLOADS = "payloads"
SEEDS = "seeds"

PAIR_COLUMNS = (
    "task", "T", "basis", "better", "worse", "difference", "difference_low", "difference_high",
    "superiority", "p_value", "p_holm", "better_seeds", "worse_seeds", "better_tokens",
    "worse_tokens",
)  # fmt: skip
SEED_MEAN_COLUMNS = ("task", "label", "seeds", "lengths", "iqm", "iqm_low", "iqm_high")


def compare_pairs(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """Every two labels at each T of a task, the one with the higher accuracy as ``better``.

    Once on the basis of payloads: the best trained network of each. And, where both winners were
    trained again with fresh seeds, on the basis of seeds: the architectures with these
    configurations. The p-values of a task, T and basis are one family for Holm's correction.

    Columns: ``PAIR_COLUMNS``, explained in :mod:`analysis.tables.columns`.
    """
    seeds = winner_seeds(studies)
    accuracies = {of: rows["accuracy"].tolist() for of, rows in seeds.groupby(["study", "T"])}
    families = []
    done = comparison[comparison["state"] == DONE]
    for _, rows in done.groupby(["task", "T"]):
        results = records(rows)
        confirmed = {
            row["label"]: accuracies[row["study"], row["T"]]
            for row in results
            if len(accuracies.get((row["study"], row["T"]), ())) > 1
        }
        for family in (_payload_pairs(results), _seed_pairs(confirmed)):
            frame = pd.DataFrame(family)
            if not frame.empty:
                frame["p_holm"] = holm(frame["p_value"].tolist())
                families.append(frame.assign(task=results[0]["task"], T=results[0]["T"]))
    if not families:
        return pd.DataFrame(columns=list(PAIR_COLUMNS))
    frame = pd.concat(families, ignore_index=True).reindex(columns=list(PAIR_COLUMNS))
    whole = dict.fromkeys(
        ("T", "better_seeds", "worse_seeds", "better_tokens", "worse_tokens"), "Int64"
    )
    return frame.astype({"superiority": "float64", **whole})


def _payload_pairs(results: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for pair in itertools.combinations(results, 2):
        better, worse = sorted(pair, key=lambda row: -row["accuracy"])
        difference = accuracy_difference(_accuracy(better), _accuracy(worse))
        yield {
            "basis": PAYLOADS,
            "better": better["label"],
            "worse": worse["label"],
            "better_tokens": better["tokens"],
            "worse_tokens": worse["tokens"],
        } | _columns(difference)


def _accuracy(row: dict[str, Any]) -> Accuracy:
    return Accuracy(row["accuracy"], row["accuracy_low"], row["accuracy_high"])


def _seed_pairs(confirmed: dict[str, list[float]]) -> Iterator[dict[str, Any]]:
    for pair in itertools.combinations(confirmed, 2):
        better, worse = sorted(
            pair, key=lambda label: -sum(confirmed[label]) / len(confirmed[label])
        )
        a, b = confirmed[better], confirmed[worse]
        yield {
            "basis": SEEDS,
            "better": better,
            "worse": worse,
            "superiority": superiority(a, b),
            "better_seeds": len(a),
            "worse_seeds": len(b),
        } | _columns(mean_difference(a, b))


def _columns(difference: Any) -> dict[str, float]:
    return {
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "p_value": difference.p_value,
    }


def seed_means(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a label with enough confirmed seeds: its interquartile mean over all T and seeds.

    Only of labels whose every T has :data:`analysis.statistics.ENOUGH_SEEDS` seeds, so that an
    architecture does not gain by a T at which it has none.

    Columns: ``SEED_MEAN_COLUMNS``, explained in :mod:`analysis.tables.columns`.
    """
    seeds = winner_seeds(studies)
    rows = []
    for (task, label), of_label in comparison.groupby(["task", "label"]):
        of_study = seeds[seeds["study"].isin(of_label["study"])]
        strata = [of["accuracy"].tolist() for _, of in of_study.groupby("T")]
        if len(strata) < len(of_label) or min(map(len, strata)) < ENOUGH_SEEDS:
            continue
        mean = interquartile_mean(strata)
        rows.append((task, label, sum(map(len, strata)), len(strata), *mean))
    return pd.DataFrame(rows, columns=list(SEED_MEAN_COLUMNS))
