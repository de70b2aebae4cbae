"""Tables of searches that are paired by their seeds: what each takes, compared with one side.

A search that has not solved T counts with what it had used when it was given up, which is less than
it would have taken.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.estimates import Estimate, bootstrap_t, exponential, holm, rank_test, two_levels
from benchmarks.markdown import NAMES, interval, table

UNITS = ("seconds", "tokens")
"""Columns of the rows that are compared."""

RECORDED = 0
"""``pool`` of the searches on the recorded configurations; other numbers are resampled ones."""


class Comparison(NamedTuple):
    """What one side takes, compared with another.

    Attributes:
        ratio: the geometric mean of the paired ratios.
        p: of a test that there is no difference.
    """

    ratio: Estimate
    p: float


class Line(NamedTuple):
    """One side of one model.

    Attributes:
        solved, searches: of the searches on the recorded pool, or of all that were real.
        middle: the median of their seconds; infinite if less than half solved T.
        comparisons: by unit; empty for the side that all are compared with.
        both: the geometric mean of the ratios of seconds where both searches solved T.
    """

    model: str
    side: str
    solved: int
    searches: int
    middle: float
    comparisons: Sequence[Comparison]
    both: float


def comparison_table(rows: pd.DataFrame, sides: Sequence[str]) -> str:
    """What each side takes, compared with the first one, as a Markdown table.

    All p-values of the table are corrected together, for the number of its comparisons.

    Args:
        rows: columns model, side, seed, solved, seconds and tokens; and ``pool`` if some were
            replayed on resampled pools.
        sides: in their order; those without rows are left out.
    """
    sides = [side for side in sides if (rows["side"] == side).any()]
    base = sides[0]
    lines = [
        line_of(model, group, side, base)
        for model, group in rows.groupby("model", sort=False)
        for side in sides
        if (group["side"] == side).any()
    ]
    corrected = iter(holm([c.p for line in lines for c in line.comparisons]))
    several = len({line.model for line in lines}) > 1
    header = ["model"] * several + ["", "searches that solve T", "seconds"]
    for unit in UNITS:
        header += [f"{unit} / {base} [95 %]", "p"]
    header.append(f"seconds / {base} where both solve T")
    cells = []
    for line in lines:
        name = NAMES.get(line.model, line.model)
        middle = f"{line.middle:.0f}" if np.isfinite(line.middle) else "not solved"
        row = [line.side, f"{line.solved} of {line.searches}", middle]
        for comparison in line.comparisons:
            row += [interval(comparison.ratio, 2), p_value(next(corrected))]
        if line.comparisons:
            row.append("" if math.isnan(line.both) else f"{line.both:.2f}")
        row += [""] * (len(header) - several - len(row))
        cells.append([name] * several + row)
    return table(header, cells)


def line_of(model: str, rows: pd.DataFrame, side: str, base: str) -> Line:
    """One side of one model, compared with the base."""
    recorded = rows[rows["pool"] == RECORDED] if "pool" in rows else rows
    own = recorded[recorded["side"] == side]
    seconds = own["seconds"].where(own["solved"].astype(bool), np.inf)
    comparisons, both = [], math.nan
    if side != base:
        for unit in UNITS:
            ratio, p = estimate(log_ratios(rows, side, base, unit))
            comparisons.append(Comparison(exponential(ratio), p))
        solved = recorded[recorded["solved"].astype(bool)]
        both = math.exp(log_ratios(solved, side, base, "seconds").mean())
    return Line(
        model=model,
        side=side,
        solved=int(own["solved"].sum()),
        searches=len(own),
        middle=float(np.quantile(seconds, 0.5, method="inverted_cdf")),
        comparisons=comparisons,
        both=both,
    )


def log_ratios(rows: pd.DataFrame, side: str, base: str, unit: str) -> pd.Series:
    """Logarithms of the ratios of the searches that both have, by pool and seed."""
    if "pool" not in rows:
        rows = rows.assign(pool=RECORDED)
    pair = rows[rows["side"].isin((side, base))]
    wide = pair.pivot(index=["pool", "seed"], columns="side", values=unit)
    wide = wide.reindex(columns=[side, base]).dropna()
    return (wide[side] / wide[base]).map(math.log)


def estimate(values: pd.Series) -> tuple[Estimate, float]:
    """The mean of a value of each search with its interval, and the p-value of a mean of 0.

    Of real searches they follow from the seeds; of replayed ones also from the resampled pools.

    Args:
        values: by pool and seed; NaN where a search has none.
    """
    if values.empty:
        return Estimate(math.nan, math.nan, math.nan), 1.0
    wide = values.unstack("seed")
    searches = wide.loc[RECORDED].dropna().to_numpy()
    pools = wide.drop(index=RECORDED).to_numpy()
    pools = pools[np.count_nonzero(~np.isnan(pools), axis=1) > 1]
    if len(pools) > 1:
        return two_levels(searches, pools)
    return bootstrap_t(searches), rank_test(searches)


def p_value(p: float) -> str:
    """With the digits that tell something."""
    return "< 0.001" if p < 0.001 else f"{p:.{3 if p < 0.1 else 2}f}"
