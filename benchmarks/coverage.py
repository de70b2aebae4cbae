"""How often do the 95 % intervals of the report hold the truth?

    python -m benchmarks.coverage                       (simulate; writes coverage.csv)
    python -m benchmarks.published docs/report.md       (print the tables)

Simulates what the intervals are made for: trainings of which most solve their T
and some collapse, and networks that recall most payloads and forget some as a
whole. Intervals that the report used to print are simulated too.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from opda.nonparametric import EmpiricalDistribution
from scipy.special import stdtrit

from analysis.statistics import Successes, rate_difference
from analysis.tables.tuning_curves import expected_best
from benchmarks.markdown import table
from copytask.training.evaluation import accuracy_interval
from studies.command_line import at_least_one
from studies.seed_statistics import clopper_pearson

TABLE = Path(__file__).with_suffix(".csv")

COLLAPSES = (0.0, 0.05, 0.1, 0.2)
SEEDS = (5, 10)
PAYLOADS = (200, 2000)
SYMBOLS = 10
RECALLED = 0.995
"""Accuracy of a network on payloads that it does not forget."""

COLUMNS = ["interval", "of", "n", "collapses", "runs", "covered"]

Ends = tuple[float, float]
Sampler = Callable[[float, int, np.random.Generator], bool]


def accuracies(collapse: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Test accuracies of n trainings: just above 0.99, or anything below if one collapses."""
    return np.where(rng.random(n) < collapse, rng.uniform(0.1, 0.9, n), rng.uniform(0.99, 1, n))


def mean_accuracy(collapse: float) -> float:
    """The mean of :func:`accuracies`."""
    return collapse * 0.5 + (1 - collapse) * 0.995


def holds(ends: Ends, truth: float) -> bool:
    """Whether an interval holds the truth."""
    return ends[0] <= truth <= ends[1]


def solve_rate(collapse: float, n: int, rng: np.random.Generator) -> bool:
    solved = int((rng.random(n) >= collapse).sum())
    return holds(clopper_pearson(solved, n), 1 - collapse)


@cache
def difference_ends(first: int, second: int, n: int) -> Ends:
    found = rate_difference(Successes(first, n), Successes(second, n))
    return found.low, found.high


def difference_of_rates(collapse: float, n: int, rng: np.random.Generator) -> bool:
    """A model that never collapses beside one that does."""
    solved = int((rng.random(n) >= collapse).sum())
    return holds(difference_ends(n, solved, n), collapse)


def student(collapse: float, n: int, rng: np.random.Generator) -> bool:
    values = accuracies(collapse, n, rng)
    half = stdtrit(n - 1, 0.975) * values.std(ddof=1) / math.sqrt(n)
    return holds((values.mean() - half, values.mean() + half), mean_accuracy(collapse))


def welch(collapse: float, n: int, rng: np.random.Generator) -> bool:
    first, second = accuracies(0, n, rng), accuracies(collapse, n, rng)
    a, b = first.var(ddof=1) / n, second.var(ddof=1) / n
    freedom = (a + b) ** 2 * (n - 1) / (a**2 + b**2)
    half = stdtrit(freedom, 0.975) * math.sqrt(a + b)
    value = first.mean() - second.mean()
    truth = mean_accuracy(0) - mean_accuracy(collapse)
    return holds((value - half, value + half), truth)


@cache
def true_curve(collapse: float, n: int) -> np.ndarray:
    """The expected best accuracy of 1 to n trials."""
    many = accuracies(collapse, 200_000, np.random.default_rng(0))
    curve: np.ndarray = EmpiricalDistribution(many, a=0.0, b=1.0).average_tuning_curve(
        list(range(1, n + 1))
    )
    return curve


def tuning_band(collapse: float, n: int, rng: np.random.Generator) -> bool:
    ns = list(range(1, n + 1))
    _, low, high = expected_best(accuracies(collapse, n, rng).tolist(), ns)
    truth = true_curve(collapse, n)
    return bool(((low <= truth) & (truth <= high)).all())


def right_symbols(collapse: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Shares of right symbols of n payloads, of which some are forgotten as a whole."""
    chances = np.where(rng.random((n, 1)) < collapse, 0.1, RECALLED)
    return (rng.random((n, SYMBOLS)) < chances).mean(axis=1)


def accuracy_over_payloads(collapse: float, n: int, rng: np.random.Generator) -> bool:
    shares = torch.from_numpy(right_symbols(collapse, n, rng))
    truth = collapse * 0.1 + (1 - collapse) * RECALLED
    return holds(accuracy_interval(shares, SYMBOLS), truth)


def exact_match(collapse: float, n: int, rng: np.random.Generator) -> bool:
    whole = int((right_symbols(collapse, n, rng) == 1).sum())
    truth = collapse * 0.1**SYMBOLS + (1 - collapse) * RECALLED**SYMBOLS
    return holds(clopper_pearson(whole, n), truth)


OVER_SEEDS: dict[str, Sampler] = {
    "solve rate (Clopper-Pearson)": solve_rate,
    "difference of solve rates (Zou & Donner)": difference_of_rates,
    "band of a tuning curve, n random trials (opda)": tuning_band,
    "no longer printed: mean accuracy (Student)": student,
    "no longer printed: difference of mean accuracies (Welch)": welch,
}
OVER_PAYLOADS: dict[str, Sampler] = {
    "test accuracy (Wilson, effective sample size)": accuracy_over_payloads,
    "exact match (Clopper-Pearson)": exact_match,
}
SETTINGS = (("seeds", SEEDS, OVER_SEEDS), ("payloads", PAYLOADS, OVER_PAYLOADS))


def simulate(runs: int) -> Iterator[tuple[str, str, int, float, int, float]]:
    """The rows of the table: how often each interval held the truth in so many runs."""
    for of, sizes, intervals in SETTINGS:
        for name, sampler in intervals.items():
            for n in sizes:
                for collapse in COLLAPSES:
                    rng = np.random.default_rng(0)
                    covered = np.mean([sampler(collapse, n, rng) for _ in range(runs)])
                    yield name, of, n, collapse, runs, float(covered)


def coverage_table(rows: pd.DataFrame, of: str) -> str:
    """The intervals over seeds, or over payloads: how many in 100 hold the truth."""
    rows = rows[rows["of"] == of]
    columns = list(rows[["n", "collapses"]].drop_duplicates().itertuples(index=False))
    lines = []
    for name, found in rows.groupby("interval", sort=False):
        at = found.set_index(["n", "collapses"])["covered"]
        lines.append([str(name), *(f"{100 * at[n, share]:.1f}" for n, share in columns)])
    return table(["", *(f"n = {n}, {share:.0%}" for n, share in columns)], lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--runs", type=at_least_one, default=2000, help="of each simulation (default: %(default)s)"
    )
    runs = parser.parse_args(arguments).runs
    pd.DataFrame(simulate(runs), columns=COLUMNS).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
