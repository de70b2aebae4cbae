"""Prints the tables of docs/ that are computed from the files in this folder.

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
    coverage,
    default_searches,
    driver_split,
    ray_waits,
    scale,
    sequence_searches,
    solved_rule,
    spikes,
    state_size,
)
from benchmarks.markdown import interval, table
from benchmarks.options import WIDE
from benchmarks.replay.curves import TABLE, Curve, Curves, read_table
from benchmarks.replay.sides import CHOICES, IN_ORDER, OURS, RANDOM
from benchmarks.replay.statistics import median, ratio_of_medians
from benchmarks.replay.tables import (
    COUNTED,
    NAMES,
    UNITS,
    all_needs,
    medians_of,
    ratios_of_random,
    ratios_to_ours,
    side_table,
)
from search.config.reading import load_config

FOLDER = Path(__file__).parent


@cache
def rows_of(*names: str) -> pd.DataFrame:
    """The rows of these files of this folder, one file after the other."""
    return pd.concat([pd.read_csv(FOLDER / f"{name}.csv") for name in names], ignore_index=True)


@cache
def curves_of(model: str, T: int) -> list[Curve]:
    """The recorded curves of a model at one T."""
    dimensions = load_config(WIDE, [], {"model": model}).dimensions()
    return Curves(recorded(), model, T, dimensions).all


@cache
def recorded() -> pd.DataFrame:
    """The table of all recorded curves."""
    return read_table(TABLE)


def recorded_curves() -> str:
    """What the replay stands on: curves, how many solve T, and whether a search needs more."""
    rows = rows_of("search_efficiency")
    lines = []
    for T in (500, 1000):
        for model, name in NAMES.items():
            curves = curves_of(model, T)
            seconds = [curve[-1].seconds for curve in curves if solves(curve)]
            trials = rows[rows["model"] == model]["trials"]
            more = f"{(trials > len(curves)).sum()} of {len(trials)}" if T == 1000 else ""
            lines.append(
                [
                    f"{name}, T = {T}", str(len(curves)), str(len(seconds)), f"{min(seconds):.0f}",
                    f"{median(seconds).value:.0f}", more,
                ]
            )  # fmt: skip
    header = [
        "", "curves", "that solve T", "seconds of the fastest", "median of those that solve",
        "searches with more trials than curves",
    ]  # fmt: skip
    return table(header, lines)


def solves(curve: Curve) -> bool:
    """Whether this curve ends with T solved."""
    return curve[-1].tokens_to_solve is not None


def replayed(unit: str) -> str:
    """The other sides of the comparison at T = 1000 alone, divided by ours."""
    return ratios_to_ours(all_needs(rows_of("search_efficiency")), unit)


def warm_starts(make: Callable[..., str], unit: str) -> str:
    """A table of the searches at T = 1000 with and without the one at T = 500 before."""
    return make(all_needs(rows_of(*(f"warm_start_{model}" for model in NAMES))), unit)


def real_races() -> str:
    """The searches at T = 1000 that trained for real."""
    return side_table(rows_of("search_efficiency_real"))


def real_warm_starts() -> str:
    """The searches with and without the one at T = 500 before that trained for real."""
    return side_table(rows_of("warm_start_lstm_real"))


def real_ratios_of_random() -> str:
    """What random search takes, divided by what ours takes: all searches that trained for real."""
    real = all_needs(rows_of("search_efficiency_real", "warm_start_lstm_real"))["lstm"]
    lines = [
        [f"{side} ({len(real[side][0])} searches)"]
        + [interval(ratio_of_medians((real[RANDOM][i], real[side][i])), 2) for i in range(2)]
        for side in (OURS, IN_ORDER, COUNTED)
    ]
    return table(["", *UNITS], lines)


def ablations() -> str:
    """What of the difference is whose: replayed searches of the LSTM."""
    return side_table(rows_of("ablations_lstm"))


def grace_periods() -> str:
    """One iteration or four before a trial may be stopped, on curves that did not choose it."""
    return side_table(rows_of("grace_lstm_500"))


def choices() -> str:
    """Million tokens until T = 1000 was solved, for each sampler and scheduler of ours."""
    first, third = (all_needs(rows_of(f"choices_{name}")) for name in ("first", "third"))
    columns = {
        "GRU, first trial": first["gru"],
        "LSTM, first trial": first["lstm"],
        "LSTM, third trial": third["lstm"],
    }
    default = next(iter(CHOICES))
    header, lines = [""], [[side] for side in CHOICES]
    for column, needs in columns.items():
        header += [column, "ratio"]
        for line in lines:
            tokens = needs[line[0]][1]
            ratio = interval(ratio_of_medians((tokens, needs[default][1])), 2)
            line += [interval(median(tokens), 0), ratio if line[0] != default else ""]
    return table(header, lines)


def overhead() -> str:
    """Decisions, and the time between trials."""
    lines = [[row.what, f"{row.value:g} {row.unit}"] for row in rows_of("overhead").itertuples()]
    return table(["", "measured"], lines)


def null_trials() -> str:
    """Time, memory and disk over many trials that train nothing."""
    rows = rows_of("null_trials")
    since = rows.diff()
    lines = [
        [
            f"{row.trials:.0f}",
            *(f"{1e3 * step / trials:.0f}" for step in steps),
            f"{row.driver_mb:.0f}", f"{row.worker_mb:.0f}", f"{row.study_mb:.1f}",
        ]
        for row, trials, *steps in zip(
            rows.itertuples(), since["trials"], since["driver_seconds"], since["seconds"],
            strict=True,
        )
    ][1:]  # fmt: skip
    header = [
        "trials", "ms of the driver a trial, since the row above", "ms in all", "MB of the driver",
        "of a worker", "of the study directory",
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


def default_search(make: Callable[[pd.DataFrame], str]) -> str:
    """A table of what the default searches found."""
    return make(rows_of("default_searches"))


PUBLISHED: dict[str, Sequence[Callable[[], str]]] = {
    "docs/results.md": (
        partial(default_search, default_searches.best_table),
        partial(default_search, default_searches.fresh_seeds_table),
        partial(default_search, default_searches.solved_table),
        lambda: sequence_searches.sequence_table(rows_of("sequence_searches")),
        lambda: sequence_searches.other_lengths_table(rows_of("sequence_generalization")),
    ),
    "docs/models.md": (
        lambda: architectures.accuracy_table(rows_of("architectures"), list(architectures.COPYING)),
        lambda: state_size.state_table(rows_of("state_size")),
    ),
    "docs/methods.md": (
        partial(replayed, "seconds"),
        partial(replayed, "million tokens"),
        recorded_curves,
        ablations,
        grace_periods,
        choices,
        real_races,
        partial(warm_starts, medians_of, "seconds"),
        partial(warm_starts, medians_of, "million tokens"),
        partial(warm_starts, ratios_of_random, "seconds"),
        partial(warm_starts, ratios_of_random, "million tokens"),
        real_warm_starts,
        real_ratios_of_random,
    ),
    "docs/report.md": (
        lambda: coverage.coverage_table(rows_of("coverage"), "seeds"),
        lambda: coverage.coverage_table(rows_of("coverage"), "payloads"),
    ),
    "docs/training.md": (
        lambda: architecture_speed.speed_table(rows_of("architecture_speed")),
        lambda: solved_rule.rule_table(rows_of("solved_rule")),
        lambda: spikes.spike_table(rows_of("spikes")),
    ),
    "docs/scaling.md": (
        lambda: scale.time_table(rows_of("scale"), len(curves_of("lstm", 1000))),
        lambda: scale.driver_table(rows_of("scale")),
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
