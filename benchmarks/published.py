"""Prints tables of docs/ that are computed from the files in this folder.

    python -m benchmarks.published                     (all)
    python -m benchmarks.published docs/scaling.md     (those of one page)

Measures nothing: it reads the files that the other benchmarks wrote, which
takes seconds. After new measurements, paste its tables into docs/; a test
compares them.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import pandas as pd

from benchmarks import (
    architecture_speed,
    architectures,
    big_study,
    clock_starts,
    coverage,
    default_searches,
    driver_split,
    evidence,
    fast_weights_speed,
    model_searches,
    own_cell,
    package_speed,
    precision,
    ray_waits,
    reaches,
    rewind,
    scale_tables,
    since,
    single_searches,
    solved_rule,
    state_size,
    throughput,
)
from benchmarks.markdown import table

FOLDER = Path(__file__).parent

SCALED_POOL = 55
"""Configurations of the pool on which scale.csv was measured."""


@cache
def rows_of(name: str) -> pd.DataFrame:
    """The rows of a file of this folder."""
    return pd.read_csv(FOLDER / f"{name}.csv")


def overhead() -> str:
    """Decisions, and the time between trials."""
    lines = [
        [row.what, f"{row.value:g} {row.unit}", row.aim if isinstance(row.aim, str) else ""]
        for row in rows_of("overhead").itertuples()
    ]
    return table(["", "measured", "goal"], lines)


def null_trials() -> str:
    """Time, memory and disk over many trials that train nothing."""
    rows = rows_of("null_trials")
    gained = rows.diff()
    lines = [
        [
            f"{row.trials:.0f}",
            *(f"{1e3 * step / trials:.0f}" for step in steps),
            f"{row.driver_mb:.0f}", f"{row.worker_mb:.0f}", f"{row.study_mb:.1f}",
        ]
        for row, trials, *steps in zip(
            rows.itertuples(), gained["trials"], gained["driver_seconds"], gained["seconds"],
            strict=True,
        )
    ][1:]  # fmt: skip
    header = [
        "trials", "ms of the driver a trial, since the row above", "ms of wall time",
        "MB of the driver", "of a worker", "of the study directory",
    ]  # fmt: skip
    return table(header, lines)


def driver_rate() -> str:
    """Results a second that the driver records."""
    lines = [
        [
            row.storage,
            f"{row.results_per_second:.0f}",
            f"{row.mean_ms:.1f}",
            f"{row.longest_ms:.1f}",
        ]
        for row in rows_of("driver_rate").itertuples()
    ]
    return table(["storage", "results a second", "mean ms", "longest ms"], lines)


def default_search(make: Callable[[pd.DataFrame], str], found: str = "default_searches") -> str:
    """A table of what the default searches found."""
    return make(rows_of(found))


PUBLISHED: dict[str, Sequence[Callable[[], str]]] = {
    "docs/results.md": (
        partial(default_search, default_searches.best_table),
        partial(default_search, default_searches.fresh_seeds_table),
        partial(default_search, default_searches.solved_table),
        partial(default_search, default_searches.best_table, "default_searches_avx2"),
        partial(default_search, default_searches.fresh_seeds_table, "default_searches_avx2"),
        lambda: single_searches.time_table(rows_of("single_searches"), rows_of("default_searches")),
        lambda: reaches.reach_table(rows_of("reaches"), "delay"),
        lambda: reaches.reach_table(rows_of("reaches"), "sequence"),
        lambda: model_searches.seeds_table(rows_of("model_searches"), "sequence"),
        lambda: model_searches.other_lengths_table(rows_of("model_generalization"), "sequence"),
        lambda: model_searches.other_lengths_table(rows_of("model_generalization"), "delay"),
    ),
    "docs/models.md": (
        lambda: architectures.accuracy_table(rows_of("architectures"), architectures.COPYING),
        lambda: architectures.accuracy_table(rows_of("architectures"), architectures.LOOKING_UP),
        lambda: model_searches.seeds_table(rows_of("model_searches"), "delay"),
        lambda: state_size.state_table(rows_of("state_size")),
        lambda: clock_starts.start_table(rows_of("clock_starts")),
    ),
    "docs/own-cell.md": (lambda: own_cell.rivals_table(rows_of("own_cell")),),
    "docs/methods.md": tuple(make for _, make in evidence.TABLES.values()),
    "docs/report.md": (
        lambda: coverage.coverage_table(rows_of("coverage"), "seeds"),
        lambda: coverage.coverage_table(rows_of("coverage"), "payloads"),
    ),
    "docs/training.md": (
        lambda: throughput.step_table(rows_of("throughput")),
        lambda: throughput.ranges_table(
            {
                "with AVX-512": rows_of("throughput"),
                "without": rows_of("throughput_avx2"),
            }
        ),
        lambda: architecture_speed.speed_table(rows_of("architecture_speed")),
        lambda: fast_weights_speed.kernel_table(rows_of("fast_weights_speed")),
        lambda: package_speed.package_table(rows_of("package_speed")),
        lambda: precision.medians_table(rows_of("precision")),
        lambda: precision.ratios_table(rows_of("precision")),
        lambda: solved_rule.rule_table(rows_of("solved_rule")),
        lambda: rewind.rewind_table(rows_of("rewind")),
        lambda: since.ratios_table(rows_of("since_cells")),
    ),
    "docs/scaling.md": (
        lambda: scale_tables.time_table(rows_of("scale"), SCALED_POOL),
        lambda: scale_tables.driver_table(rows_of("scale_long")),
        lambda: scale_tables.driver_table(rows_of("scale_short")),
        lambda: scale_tables.change_table(
            {
                "as long as recorded": (rows_of("scale_long_before"), rows_of("scale_long")),
                "half as long": (rows_of("scale_short_before"), rows_of("scale_short")),
            }
        ),
        lambda: scale_tables.driver_table(rows_of("scale")),
        lambda: driver_split.change_table(rows_of("driver_split_before"), rows_of("driver_split")),
        lambda: driver_split.split_table(rows_of("driver_split")),
        lambda: driver_split.controller_table(rows_of("driver_split")),
        lambda: ray_waits.wait_table(rows_of("ray_waits")),
        overhead,
        null_trials,
        lambda: big_study.speed_table(rows_of("big_study")),
        lambda: big_study.memory_table(rows_of("big_study")),
        driver_rate,
    ),
}
"""Page -> the functions that print its tables, in their order."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.published",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "page", nargs="?", choices=list(PUBLISHED), help="page of the tables (default: all pages)"
    )
    only = parser.parse_args().page
    for page in [only] if only else PUBLISHED:
        print(f"{page}\n")
        for make in PUBLISHED[page]:
            print(f"{make()}\n")


if __name__ == "__main__":
    main()
