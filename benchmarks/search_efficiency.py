"""How long does a search take to solve T, compared with other libraries and with its own variants?

    python -m benchmarks.search_efficiency             (hours; start it again to continue)

Replays searches on the pool of benchmarks/learning_curves.py: a trial gets a
recorded training of the configuration nearest to its own, and a simulated clock
runs. All methods search the same space on two workers, on the same seeds and
with the same grace period. The clock stops when a search knows that a trial has
solved T, at the second of two evaluations in a row. It also stops where a trial
finds no configuration that the search has not had: the search needs more trials
than the pool has.

The pool is a sample as well. So the same searches run on pools whose
configurations were drawn from the recorded ones with replacement, see
benchmarks.estimates.two_levels.

Writes rows to replayed_searches.csv after every few searches, and packs them into
replayed_searches.csv.gz at the end. Searches that are there are not replayed
again; rows of other settings or versions are refused.

The other libraries are installed with: pip install 'copytask-search[benchmarks]'
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.options import add_configuration
from benchmarks.paired import RECORDED
from benchmarks.processes import results
from benchmarks.replay.curves import Pool, read_table
from benchmarks.replay.options import add_models, add_replay_files
from benchmarks.replay.sides import ALL_SIDES, Race
from benchmarks.replay.simulator import Outcome
from benchmarks.rows import Rows, pack, unpack
from benchmarks.versions import check_installed, versions
from search.config.reading import load_config
from search.errors import UserError
from studies.command_line import above_zero, at_least_one

JOB = 10
"""Searches that a process replays in a row."""

LOGGED = 100
"""A line is printed after so many jobs."""

KEY = ("model", "side", "pool", "seed")
VALUES = ("solved", "exhausted", "seconds", "tokens", "trials", "again")


class Job(NamedTuple):
    """Searches of one side on one pool."""

    model: str
    side: str
    pool: int
    seeds: Sequence[int]


def make_race(args: argparse.Namespace, table: pd.DataFrame, model: str) -> Race:
    """What all sides are given for one model.

    Raises:
        UserError: the configuration cannot be used, or the table does not fit to it.
    """
    config = load_config(args.config, args.set, {"model": model})
    try:
        pool = Pool.read(table, model, config.T[-1], config.dimensions())
    except ValueError as error:
        raise UserError(f"{args.table}: {error}") from None
    return Race(config, pool, args.workers, args.horizon)


def row_of(job: Job, seed: int, outcome: Outcome) -> dict[str, Any]:
    """The row of a search."""
    return {
        "model": job.model,
        "side": job.side,
        "pool": job.pool,
        "seed": seed,
        "solved": outcome.solved,
        "exhausted": outcome.exhausted,
        "seconds": round(outcome.clock, 2),
        "tokens": outcome.tokens,
        "trials": outcome.trials,
        "again": outcome.again,
    }


def replay(race: Race, job: Job) -> list[dict[str, Any]]:
    """Replay the searches of a job; their rows."""
    race = race.resampled(job.pool)
    return [row_of(job, seed, ALL_SIDES[job.side](race, seed)) for seed in job.seeds]


def missing(args: argparse.Namespace, rows: Rows) -> Iterator[Job]:
    """What is to be replayed: the recorded pool first, then one pool after another."""
    for pool in range(args.pools + 1):
        seeds = range(args.seeds if pool == RECORDED else args.pool_seeds)
        for model in args.model:
            for side in args.sides or ALL_SIDES:
                left = [
                    seed for seed in seeds
                    if not rows.find(model=model, side=side, pool=pool, seed=seed)
                ]  # fmt: skip
                for first in range(0, len(left), JOB):
                    yield Job(model, side, pool, left[first : first + JOB])


def replay_all(races: dict[str, Race], jobs: Sequence[Job], rows: Rows, processes: int) -> None:
    """Replay the jobs in several processes, and write their rows as they come."""
    calls = [(races[job.model], job) for job in jobs]
    for number, (_, replayed) in enumerate(results(replay, calls, processes), 1):
        for row in replayed:
            rows.append(row)
        if number % LOGGED == 0 or number == len(jobs):
            print(f"{number} of {len(jobs)} jobs", file=sys.stderr, flush=True)


def settings(args: argparse.Namespace, races: dict[str, Race]) -> dict[str, Any]:
    """What all rows of the file have in common."""
    first = next(iter(races.values()))
    return {
        "T": first.target,
        "configurations": " ".join(str(len(race.pool)) for race in races.values()),
        "workers": args.workers,
        "horizon": args.horizon,
        "grace_iterations": first.config.search.grace_iterations,
        "overrides": " ".join(args.set),
        **versions(),
    }


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search_efficiency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_models(parser)
    parser.add_argument(
        "--seeds", type=at_least_one, default=400,
        help="searches of each side on the recorded pool (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--pools", type=int, default=100, help="resampled pools (default: %(default)s)"
    )
    parser.add_argument(
        "--pool-seeds", type=at_least_one, default=10,
        help="searches of each side on a resampled pool (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=at_least_one, default=2, help="trials at once (default: %(default)s)"
    )
    parser.add_argument(
        "--horizon", type=above_zero, default=900.0, metavar="S",
        help="give a search up after this many simulated seconds (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--sides",
        nargs="+",
        choices=list(ALL_SIDES),
        metavar="SIDE",
        help="methods to compare (default: all)",
    )
    add_configuration(parser)
    add_replay_files(parser, Path(__file__).with_name("replayed_searches"))
    parser.add_argument(
        "--processes",
        type=at_least_one,
        default=os.cpu_count(),
        help="processes that replay (default: number of CPUs)",
    )
    return parser


def main() -> None:
    args = make_parser().parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        check_installed(args.sides or ALL_SIDES)
        table = read_table(args.table)
        races = {model: make_race(args, table, model) for model in args.model}
        path = args.output.with_suffix(".csv")
        unpack(path)
        rows = Rows(path, KEY, settings(args, races), VALUES)
    except UserError as error:
        sys.exit(f"error: {error}")
    for model, race in races.items():
        print(f"{model}: {len(race.pool)} configurations", file=sys.stderr)
    try:
        replay_all(races, list(missing(args, rows)), rows, args.processes)
    except KeyboardInterrupt:
        sys.exit("interrupted; start this again to continue")
    pack(path)


if __name__ == "__main__":
    main()
