"""How long does a search take to solve T, compared with other libraries?

    python -m benchmarks.search_efficiency                       (on recorded curves)
    python -m benchmarks.search_efficiency --ablations           (also: what makes the difference)
    python -m benchmarks.search_efficiency --real --model mgru   (train; do not replay)

Replays searches on the curves of benchmarks/learning_curves.py: a sampled
configuration gets the curve of the nearest recorded one, and a simulated clock
runs. All methods search the same space with the same trials, on two workers,
without initial configurations. The clock stops when a search knows that a trial
has solved T, at the second of two evaluations in a row. Prints medians over
seeds with 95 % bootstrap intervals. Writes search_efficiency.csv, one row for
each search, and search_efficiency.png, regret over time, into this folder.

With --real the methods train, one search at a time, and the clock starts with
the process. Nothing else should run on the machine. Writes
search_efficiency_real.csv.

The other libraries are installed with: pip install copytask-search[benchmarks]
"""

import argparse
import logging
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.options import add_configuration
from benchmarks.replay.curves import Curves, read_table
from benchmarks.replay.options import add_replay_files
from benchmarks.replay.sides import ABLATIONS, ALL_SIDES, Race, sides_of
from benchmarks.replay.simulator import Outcome
from benchmarks.replay.tables import efficiency_table, regret_table
from copytask import MODELS
from search.config.reading import load_config
from search.errors import UserError

SLOW_SEEDS = 20
"""Most searches of a side whose suggestions take a second: conformal quantile regression."""

JOB = 10
"""Searches that a process replays in a row."""


def make_race(args: argparse.Namespace, model: str) -> Race:
    """What all sides are given for one model.

    Raises:
        UserError: the configuration cannot be used, or the table does not fit to it.
    """
    config = load_config(args.config, args.set, {"model": model})
    try:
        table = read_table(args.table)
        curves = {T: Curves(table, model, T, config.dimensions()) for T in config.T}
    except ValueError as error:
        raise UserError(str(error)) from None
    return Race(config, curves, args.workers, args.horizon, args.solved_trials)


def row_of(model: str, side: str, seed: int, outcome: Outcome) -> dict[str, Any]:
    """The row of a search in the csv file."""
    return {
        "model": model,
        "side": side,
        "seed": seed,
        "solved": outcome.solved,
        "seconds": round(outcome.clock, 2),
        "tokens": outcome.tokens,
        "seconds_before": round(outcome.clock_before, 2),
        "tokens_before": outcome.tokens_before,
        "trials": outcome.trials,
        "evaluations": outcome.evaluations,
    }


Result = tuple[str, str, int, Outcome]
"""Model, side, seed and what came of it."""


def replay_seeds(race: Race, side: str, numbers: range) -> list[Result]:
    """Replay one side on one model, in a process of its own."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    run = ALL_SIDES[side]
    return [(race.config.model, side, seed, run(race, seed)) for seed in numbers]


def seeds(args: argparse.Namespace, side: str) -> int:
    """How many searches of a side are replayed."""
    return min(args.seeds, SLOW_SEEDS) if "CQR" in side else args.seeds


def replay_all(races: dict[str, Race], sides: list[str], args: argparse.Namespace) -> list[Result]:
    """Replay every side on every model with every seed."""
    results: list[Result] = []
    with ProcessPoolExecutor(args.processes, get_context("spawn")) as pool:
        jobs = [
            pool.submit(replay_seeds, race, side, range(seeds(args, side))[first : first + JOB])
            for race in races.values()
            for side in sides
            for first in range(0, seeds(args, side), JOB)
        ]
        for number, job in enumerate(as_completed(jobs), 1):
            results += job.result()
            print(f"\r{number} of {len(jobs)} jobs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    order = {side: index for index, side in enumerate(sides)}
    return sorted(results, key=lambda result: (result[0], order[result[1]], result[2]))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search_efficiency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        nargs="*",
        choices=sorted(MODELS),
        default=sorted(MODELS),
        help="architectures (default: all)",
    )
    parser.add_argument(
        "--seeds", type=int, default=100, help="searches of each method (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="trials at once (default: %(default)s)"
    )
    parser.add_argument(
        "--horizon", type=float, default=900, metavar="S",
        help="give a search up after this many simulated seconds (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--sides",
        nargs="*",
        choices=list(ALL_SIDES),
        metavar="SIDE",
        help="methods to compare (default: all)",
    )
    parser.add_argument(
        "--ablations",
        action="store_true",
        help="also run variants of our search that differ in one thing",
    )
    parser.add_argument(
        "--solved-trials", type=int, default=1, metavar="N",
        help="a search ends when so many trials have solved T (default: %(default)s)",
    )  # fmt: skip
    add_configuration(parser)
    add_replay_files(parser, Path(__file__).with_suffix(""))
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count(),
        help="processes that replay (default: number of CPUs)",
    )
    parser.add_argument(
        "--real", action="store_true", help="train, one search at a time, and do not replay"
    )
    parser.add_argument(
        "--races",
        type=int,
        default=1,
        metavar="N",
        help="with --real: searches of each method (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=8,
        help="with --real: time limit of a search (default: %(default)s)",
    )
    return parser


def main() -> None:
    args = make_parser().parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        rows = train(args) if args.real else replay(args)
    except UserError as error:
        sys.exit(f"error: {error}")
    print(efficiency_table(rows))


def train(args: argparse.Namespace) -> pd.DataFrame:
    """Search for real; the file has all searches so far at every moment."""
    from benchmarks.baselines.race import race

    outcomes: list[dict[str, Any]] = []
    for outcome in race(args):
        outcomes.append(outcome)
        rows = pd.DataFrame(outcomes)
        rows.to_csv(f"{args.output}_real.csv", index=False, lineterminator="\n")
    return rows


def replay(args: argparse.Namespace) -> pd.DataFrame:
    """Search on recorded curves; prints the regret, draws it, and writes a row a search."""
    from benchmarks.replay.figure import draw_regret

    races = {model: make_race(args, model) for model in args.model}
    for model, race in races.items():
        recorded = ", ".join(f"{len(curves)} at T = {T}" for T, curves in race.curves.items())
        print(f"{model}: recorded curves {recorded}", file=sys.stderr)
    lengths = next(iter(races.values())).config.T
    sides = args.sides or [*sides_of(lengths), *(ABLATIONS if args.ablations else ())]
    results = replay_all(races, sides, args)
    rows = pd.DataFrame([row_of(*result) for result in results])
    print(regret_table(results))
    rows.to_csv(args.output.with_suffix(".csv"), index=False, lineterminator="\n")
    draw_regret(results, args.output.with_suffix(".png"))
    return rows


if __name__ == "__main__":
    main()
