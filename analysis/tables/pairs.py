"""pairs.csv: which of every two models is better at each T, and how sure that is."""

import itertools
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.reading.csv_tables import frame_type
from analysis.reading.studies import Studies
from analysis.statistics import (
    Accuracy,
    accuracy_difference,
    holm,
    mean_difference,
    superiority,
)
from analysis.tables.comparison import DONE
from analysis.tables.confirmation import winner_seeds
from analysis.tables.records import records
from studies.columns import TASK, WHOLE, T, Table, real, text, whole

PAYLOADS = "payloads"
SEEDS = "seeds"

MOST_SHOWN = 20
"""Pairs that a figure and the Markdown page show; pairs.csv has all."""

PAIRS = Table(
    "pairs.csv",
    "One row for every two labels with a result at a T.",
    (
        TASK, T,
        text(
            "basis",
            "`payloads`: two trained networks; `seeds`: two configurations over fresh seeds",
        ),
        text("better", "label with the higher (mean) accuracy"),
        text("worse", "the other label"),
        real("difference", "share", "difference of their (mean) test accuracies"),
        real(
            "difference_low", "share",
            "lower end of its 95 % interval (payloads: Newcombe; seeds: Welch)",
        ),
        real("difference_high", "share", "upper end of the interval"),
        real(
            "superiority", "",
            "probability that a seed of the better one beats one of the other; 0.5: equal",
        ),
        real("p_value", "", "of no difference (payloads: score test; seeds: permutation test)"),
        real("p_holm", "", "the same, corrected (Holm) for all pairs of this task, T and basis"),
        whole("better_seeds", "", "fresh seeds of the better one"),
        whole("worse_seeds", "", "fresh seeds of the other"),
        whole("better_tokens", "tokens", "training of the better one (basis `payloads`)"),
        whole("worse_tokens", "tokens", "training of the other"),
    ),
)  # fmt: skip


def compare_pairs(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """Every two labels at each T of a task, the one with the higher accuracy as ``better``.

    Once on the basis of payloads: the best trained network of each. And, where both winners were
    trained again with fresh seeds, on the basis of seeds: the architectures with these
    configurations. The p-values of a task, T and basis are one family for Holm's correction.

    Columns: those of :data:`PAIRS`.
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
        return pd.DataFrame(columns=list(PAIRS.names))
    frame = pd.concat(families, ignore_index=True).reindex(columns=list(PAIRS.names))
    types = {of.name: frame_type(of) for of in PAIRS.columns if of.type == WHOLE}
    return frame.astype({"superiority": "float64", **types})


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
