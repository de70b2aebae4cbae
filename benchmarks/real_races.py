"""How long does a search really take until it has solved T, compared with other libraries?

    python -m benchmarks.real_races                    (hours; start it again to continue)
    python -m benchmarks.real_races --seeds 20         (go on with more seeds)

Trains; nothing else should run on the machine. All sides search the same space
on the same seeds, with the same grace period, the same number of workers and
the same limit. Their searches take turns: for each seed one search of each side,
in an order that rotates with the seed. The clock of each search begins with its
process, and ends when that process learns that a trial has solved T.

First every side starts from nothing. With --after, this project then searches a
smaller T, and every side starts at T with the three best configurations of that
search.

Writes a row to real_races.csv after each search. A row that is there is not
measured again; rows of other settings or other versions of a library or of this
project are refused. Only searches of the same seed are compared: the file may be
continued on another machine with the next seed.

The other libraries are installed with: pip install 'copytask-search[benchmarks]'
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmarks.baselines.race import OURS, SIDES, Point, Search
from benchmarks.machine import machine
from benchmarks.options import add_configuration, add_output
from benchmarks.paired import comparison_table
from benchmarks.rows import Rows
from benchmarks.versions import check_installed, versions
from copytask import MODELS
from search.config.reading import load_config
from search.config.study_config import StudyConfig
from search.errors import SearchFailedError, UserError
from studies.command_line import above_zero, at_least_one

COLD, BEFORE, WARM = "nothing", "nothing, for the next T", "the best at the T before"
"""What a search starts from: column ``start``. The second one is the search at the smaller T."""

KEY = ("model", "T", "start", "side", "seed")
VALUES = ("seconds", "tokens", "trials", "solved", "initial", "began", "machine")

SOLVED_BEFORE = 2
"""Trials that end the search at the smaller T, as in configs/default.yaml."""


class Task(NamedTuple):
    """A search that is to be in the file; the fields are its key there."""

    model: str
    T: int
    start: str
    side: str
    seed: int


def tasks(args: argparse.Namespace) -> Iterator[Task]:
    """All searches in their order."""
    for seed in range(args.seeds):
        turns = rotated(args.sides, seed)
        for model in args.model:
            yield from (Task(model, args.T, COLD, side, seed) for side in turns)
            if args.after:
                yield Task(model, args.after, BEFORE, OURS, seed)
                yield from (Task(model, args.T, WARM, side, seed) for side in turns)


def rotated(sides: Sequence[str], seed: int) -> list[str]:
    """The sides, beginning with another one for each seed."""
    first = seed % len(sides)
    return [*sides[first:], *sides[:first]]


class Races:
    """Runs searches, and keeps their rows.

    Args:
        configs: model -> the configuration of its searches at T.
    """

    def __init__(self, args: argparse.Namespace, configs: dict[str, StudyConfig], rows: Rows):
        self._args = args
        self._configs = configs
        self._rows = rows

    def run(self, task: Task) -> None:
        """Run a search unless its row is there.

        Raises:
            SearchFailedError: it failed, or the one before it, whose configurations it needs.
            UserError: its seed was begun on another machine.
        """
        if self._rows.find(**task._asdict()):
            return
        if other := self._rows.values_of("machine", seed=task.seed) - {machine()}:
            raise UserError(
                f"seed {task.seed} was begun on another machine ({other.pop()}), and only searches "
                "of one machine can be compared: remove its rows"
            )
        began = datetime.now(timezone.utc).isoformat(timespec="seconds")
        search = self._search(task)
        if task.start == BEFORE:
            took, initial = search.run_for_points(self._configs[task.model])
        else:
            took, initial = search.run(), list(search.initial)
        row = {
            **task._asdict(), **took._asdict(), "seconds": round(took.seconds, 2),
            "initial": json.dumps(initial), "began": began, "machine": machine(),
        }  # fmt: skip
        self._rows.append(row)
        print(
            f"{task.model}, T = {task.T}, seed {task.seed}, {task.side}, from {task.start}: "
            f"{'solved' if took.solved else 'not solved'} after {took.seconds:.0f} s",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    def _search(self, task: Task) -> Search:
        args = self._args
        options = ["--model", task.model, "--config", str(args.config.absolute())]
        options += [part for text in args.set for part in ("--set", text)]
        return Search(
            side=task.side,
            options=[*options, "--seed", str(task.seed)],
            T=task.T,
            workers=args.workers,
            minutes=args.minutes,
            initial=self._initial(task) if task.start == WARM else (),
            solved_trials=SOLVED_BEFORE if task.start == BEFORE else 1,
        )

    def _initial(self, task: Task) -> list[Point]:
        """The best configurations of the search at the smaller T."""
        before = task._replace(T=self._args.after, start=BEFORE, side=OURS)
        row = self._rows.find(**before._asdict())
        if row is None:
            raise SearchFailedError(f"the search at T = {before.T} has failed")
        points: list[Point] = json.loads(row["initial"])
        return points


def settings(args: argparse.Namespace, config: StudyConfig) -> dict[str, Any]:
    """What all rows of the file have in common."""
    return {
        "config": args.config.name,
        "workers": args.workers,
        "minutes": args.minutes,
        "grace_iterations": config.search.grace_iterations,
        "validation_payloads": config.training["validation_payloads"],
        "precision": config.training["precision"],
        "overrides": " ".join(args.set),
        **versions(),
    }


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real_races",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        nargs="+",
        choices=sorted(MODELS),
        default=["lstm"],
        help="architectures (default: lstm)",
    )
    parser.add_argument(
        "--T", type=at_least_one, default=1000, help="length (default: %(default)s)"
    )
    parser.add_argument(
        "--after", type=at_least_one, metavar="T",
        help="also start every side from the best configurations of a search at this smaller T",
    )  # fmt: skip
    parser.add_argument(
        "--seeds",
        type=at_least_one,
        default=10,
        help="searches of each side (default: %(default)s)",
    )
    parser.add_argument(
        "--sides", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE",
        help="methods to compare (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=above_zero, default=6.0, help="limit of a search (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=at_least_one, default=2, help="trials at once (default: %(default)s)"
    )
    add_configuration(parser)
    add_output(parser, Path(__file__).with_suffix(".csv"))
    return parser


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    if args.after and args.after >= args.T:
        parser.error(f"--after {args.after} must be smaller than --T {args.T}")
    # What a shell runs in its background is deaf to Ctrl-C, and the searches would inherit that. A
    # SIGTERM must end the search that runs as well.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    failed = 0
    try:
        check_installed(args.sides)
        configs = {
            model: load_config(args.config, args.set, {"model": model, "T": [args.T]})
            for model in args.model
        }
        rows = Rows(args.output, KEY, settings(args, configs[args.model[0]]), VALUES)
        races = Races(args, configs, rows)
        for task in tasks(args):
            try:
                races.run(task)
            except SearchFailedError as error:
                failed += 1
                print(f"{task.model}, seed {task.seed}: {error}", file=sys.stderr, flush=True)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; start this again to continue")
    frame = pd.read_csv(args.output)
    for start in (COLD, WARM):
        if (frame["start"] == start).any():
            print(f"From {start}\n\n{comparison_table(frame[frame['start'] == start], SIDES)}\n")
    if failed:
        sys.exit(f"error: {failed} searches failed; start this again to repeat them")


if __name__ == "__main__":
    main()
