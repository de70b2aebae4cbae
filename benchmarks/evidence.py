"""Prints the tables of docs/methods.md for which there are measurements.

    python -m benchmarks.evidence

The measurements are those of learning_curves.py, search_efficiency.py and
real_races.py.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from benchmarks import real_races
from benchmarks.baselines.race import OURS
from benchmarks.baselines.race import SIDES as RACED
from benchmarks.markdown import NAMES, interval, table
from benchmarks.options import SEARCHES
from benchmarks.paired import RECORDED, comparison_table, estimate
from benchmarks.replay.curves import TABLE, Pool, read_table
from benchmarks.replay.neighbours import neighbour_table
from benchmarks.replay.sides import ABLATIONS, CHOICES, SIDES
from search.config.reading import load_config

FOLDER = Path(__file__).parent
REAL, REPLAYED = FOLDER / "real_races.csv", FOLDER / "replayed_searches.csv.gz"

AFTER = "ours, after the T before"
COUNTED = "ours, with the T before counted"


@cache
def real() -> pd.DataFrame:
    """The searches that trained."""
    return pd.read_csv(REAL)


@cache
def replayed() -> pd.DataFrame:
    """The searches that were replayed, the recorded pool first."""
    return pd.read_csv(REPLAYED)


def cold_races() -> str:
    """Real searches from nothing."""
    return comparison_table(real()[real()["start"] == real_races.COLD], RACED)


def warm_races() -> str:
    """Real searches that all start with the same configurations."""
    return comparison_table(real()[real()["start"] == real_races.WARM], RACED)


def shortcut() -> str:
    """Whether a search at a smaller T first is a shortcut, for this project."""
    ours = real()[real()["side"] == OURS]
    before = ours[ours["start"] == real_races.BEFORE][["model", "seed", "seconds", "tokens"]]
    after = ours[ours["start"] == real_races.WARM].assign(side=AFTER)
    after = after.merge(before, on=["model", "seed"], suffixes=("", "_before"))
    counted = after.assign(
        side=COUNTED,
        seconds=after["seconds"] + after["seconds_before"],
        tokens=after["tokens"] + after["tokens_before"],
    )
    rows = pd.concat([ours[ours["start"] == real_races.COLD], after, counted])
    return comparison_table(rows, (OURS, AFTER, COUNTED))


def ends_table(rows: pd.DataFrame) -> str:
    """How searches on the recorded pool ended, and whether their winners solve T once more.

    Args:
        rows: those of replayed_searches.csv.gz.
    """
    header = [
        "", "searches", "that solve T", "end without a configuration that is left",
        "trials, median", "of the winners, solve T with another seed too [95 %]",
    ]  # fmt: skip
    lines = []
    for model, group in rows.groupby("model", sort=False):
        for side in SIDES:
            own = group[group["side"] == side]
            if own.empty:
                continue
            recorded = own[own["pool"] == RECORDED]
            again = 100 * own.set_index(["pool", "seed"])["again"]
            share, _ = estimate(again.where(own["solved"].astype(bool).to_numpy()))
            lines.append([
                f"{NAMES.get(model, model)}: {side}", str(len(recorded)),
                str(int(recorded["solved"].sum())), str(int(recorded["exhausted"].sum())),
                f"{recorded['trials'].median():.0f}",
                interval(share._replace(low=max(0, share.low), high=min(100, share.high)), 0),
            ])  # fmt: skip
    return table(header, lines)


def recorded_pools() -> dict[str, Pool]:
    """The recorded trainings that searches were replayed on, by model; the file may have more."""
    rows, pools = read_table(TABLE), {}
    sizes = str(replayed()["configurations"].iloc[0]).split()
    for model, size in zip(rows["model"].unique(), sizes, strict=True):
        config = load_config(SEARCHES, [], {"model": model})
        pool = Pool.read(rows, model, config.T[-1], config.dimensions())
        pools[model] = pool.take(range(int(size)))
    return pools


TABLES: Mapping[str, tuple[Path, Callable[[], str]]] = {
    "Replayed": (REPLAYED, lambda: comparison_table(replayed(), [*SIDES])),
    "What makes the difference": (
        REPLAYED,
        lambda: comparison_table(replayed(), [OURS, *ABLATIONS]),
    ),
    "Samplers and schedulers": (REPLAYED, lambda: comparison_table(replayed(), [OURS, *CHOICES])),
    "How replayed searches end": (REPLAYED, lambda: ends_table(replayed())),
    "The pool": (TABLE, lambda: neighbour_table(recorded_pools())),
    "Real races from nothing": (REAL, cold_races),
    "Real races from the same configurations": (REAL, warm_races),
    "Real races: a smaller T first": (REAL, shortcut),
}
"""Title -> the file that a table is made from, and the function that makes it. The order is that of
docs/methods.md."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evidence",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    for title, (path, make) in TABLES.items():
        print(f"{title}\n\n{make() if path.exists() else f'{path.name} is missing'}\n")


if __name__ == "__main__":
    main()
