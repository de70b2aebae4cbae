"""How far does the search scale with its workers, and when does its single driver saturate?

    python -m benchmarks.scale --model lstm
    python -m benchmarks.scale --model lstm --stretch 6 --output long

Replays this project's search at the largest T on recorded curves (see
search_efficiency.py) with 1, 2, 4, ..., 1024 workers, until ten trials have
solved T. It simulates each search several times: with free decisions; with one
driver, where each call of sampler, scheduler and study takes the processor time
that we measure here, one after the other, while the workers wait; with what
else a driver does, Ray Tune's controller above all, charged in addition, as
driver_split.py and ray_waits.py have measured it; the same with suggestions made
in the driver and results that come one by one, as in a search with few trials;
and with a driver for every 64 workers, which share the study. The study is
written to the disk as in a real search. Not counted: waiting for the disk.
Writes scale.csv and scale.png into this folder.

The recorded trials are short: with --stretch each takes so many times as long.
"""

import argparse
import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from benchmarks import ray_waits
from benchmarks.cells import CELLS
from benchmarks.driver_split import costs
from benchmarks.options import add_configuration
from benchmarks.replay.curves import Pool, PoolSearch, read_table
from benchmarks.replay.options import RECORDED_MODELS, add_replay_files
from benchmarks.replay.policies import OtherProcess, StudySearch, memory_study
from benchmarks.replay.sides import change
from benchmarks.replay.simulator import Charge, Outcome, Simulation
from benchmarks.scale_tables import DRIVEN, driver_table, summary, time_table, verdict
from search.config.reading import load_config
from search.config.study_config import StudyConfig
from search.decide.samplers import MANY_TRIALS
from search.decide.schedulers import rung_iterations
from search.errors import UserError
from search.execute.trial_source import MESSAGES
from search.study.optuna_journal import OptunaJournal
from search.study.study import Study
from studies import format as files
from studies.command_line import above_zero, at_least_one

FOLDER = Path(__file__).parent

CHARGED = ("ray controller", "ours tables", "ours console", "ours rest", "rest")
"""Parts of the driver's time, see driver_split.py, that the simulated search does not spend."""

REQUESTS = "ray suggester"
"""One more, in a search with many trials."""

COLUMNS = ("solved", "clock", "tokens", "trials", "evaluations", "utilisation")


def charge(workers: int, many: bool) -> Charge:
    """What a driver with so many workers is charged beside the policy's own calls.

    Args:
        many: whether it does what a search with many trials does: it requests suggestions from
            another process.
    """
    split, waits = (pd.read_csv(FOLDER / f"{name}.csv") for name in ("driver_split", "ray_waits"))
    trial, message, result = costs(split, (*CHARGED, REQUESTS) if many else CHARGED)
    more = ray_waits.seconds_of(waits, workers) - ray_waits.seconds_of(waits, split["slots"].max())
    more = max(0.0, more)  # each look of a driver that keeps up finds one event
    return Charge(trial + more, message + more, result)


def simulate(
    config: StudyConfig, pool: Pool, workers: int, args: argparse.Namespace, driver: str
) -> Outcome:
    """One search; see :func:`simulated` for ``driver``. If its time counts, it is on a disk.

    It needs more trials than the pool has, so these come again.
    """
    T = config.T[-1]
    curves = PoolSearch(pool, config.search.seed, repeat=True)
    settings = {"workers": workers, "horizon": args.horizon, "solved_trials": args.solved}
    if driver == "free":
        return Simulation(StudySearch(memory_study(config), T), curves, **settings).run()
    many = driver != "plain" and workers >= MANY_TRIALS
    drivers = drivers_of(driver, workers)
    charged = Charge() if driver == "decisions" else charge(workers // drivers, many)
    groups = (
        rung_iterations(config, T, files.SEARCH),
        0.0 if driver == "plain" else workers / MESSAGES,
    )
    other = OtherProcess()
    with tempfile.TemporaryDirectory() as folder:
        study = Study.create(Path(folder) / "study", config)
        journal = OptunaJournal(study.path / files.OPTUNA_FILE)
        policy = StudySearch(study, T, journal, other.suggester if many else None)
        outcome = Simulation(
            policy, curves, charge=charged, drivers=drivers, groups=groups,
            elsewhere=lambda: other.seconds, **settings,
        ).run()  # fmt: skip
        study.close()
    return outcome


def recorded_pool(args: argparse.Namespace) -> tuple[StudyConfig, Pool]:
    """The configuration, and the pool at its largest T."""
    config = load_config(args.config, args.set, {"model": args.model})
    pool = Pool.read(read_table(args.table), args.model, config.T[-1], config.dimensions())
    return config, pool.stretched(args.stretch)


def measure(config: StudyConfig, pool: Pool, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row a search."""
    T = config.T[-1]
    for workers in args.workers:
        for seed in range(args.seeds):
            study = change(config, T=[T], seed=seed, initial=[])
            for driver in simulated(workers):
                outcome = simulate(study, pool, workers, args, driver)
                values = asdict(outcome)
                own, other = outcome.ask_seconds + outcome.report_seconds, outcome.charged_seconds
                yield {
                    "workers": workers,
                    "seed": seed,
                    "driver": driver,
                    **{name: values[name] for name in COLUMNS},
                    "ask_ms": 1e3 * outcome.ask_seconds / outcome.trials,
                    "suggest_ms": 1e3 * outcome.other_seconds / outcome.trials,
                    "report_ms": 1e3 * outcome.report_seconds / max(1, outcome.evaluations),
                    "ray_ms": 1e3 * other / outcome.trials,
                    "driver_share": (own + other) / outcome.clock / drivers_of(driver, workers),
                }


def simulated(workers: int) -> list[str]:
    """What is simulated with so many workers: column ``driver`` of the file.

    Decisions are ``free``; they take their time (``decisions``); so does all else that the driver
    does (``measured``); suggestions and results come as in a search with few trials (``plain``); or
    there are ``several`` drivers.
    """
    more = ["decisions", "plain", "several"] if workers > DRIVEN else []
    return ["free", "measured", *more]


def drivers_of(driver: str, workers: int) -> int:
    """The number of drivers."""
    return workers // DRIVEN if driver == "several" else 1


def draw(table: pd.DataFrame, path: Path) -> None:
    """Time to solve, utilisation and the driver's time against the number of workers."""
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    axes = figure.subplots(1, 3)
    for driver, label, colour in (
        ("free", "decisions take no time", "#0077bb"),
        ("several", f"a driver for every {DRIVEN} workers", "#009988"),
        ("plain", "without process and groups", "#888888"),
        ("measured", "one driver charged", "#ee7733"),
    ):
        rows = table[table["driver"] == driver]
        axes[0].plot(rows["workers"], rows["clock"], "o-", color=colour, label=label)
        axes[1].plot(rows["workers"], rows["utilisation"], "o-", color=colour)
    linear = rows["clock"].iloc[0] * rows["workers"].iloc[0] / rows["workers"]
    axes[0].plot(rows["workers"], linear, ":", color="grey", label="linear")
    for name, style, label in (
        ("ask_ms", "o-", "the start of a trial"), ("report_ms", "s--", "a result"),
    ):  # fmt: skip
        axes[2].plot(rows["workers"], rows[name], style, color=colour, label=label)
    axes[1].set_ylim(0, 1.05)
    titles = ("simulated seconds", "share of workers' time in training", "ms of the driver for")
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xlabel="workers", title=title)
        axis.set_xscale("log", base=2)
        axis.set_xticks(rows["workers"], [str(workers) for workers in rows["workers"]])
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(alpha=0.3)
    axes[2].set_ylim(bottom=0)
    axes[0].set_yscale("log")
    axes[0].yaxis.set_major_formatter("{x:g}")
    for axis in (axes[0], axes[2]):
        axis.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        choices=CELLS,
        default=RECORDED_MODELS[0],
        help="a model of the table (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        nargs="*",
        type=at_least_one,
        default=[2**n for n in range(11)],
        help="numbers of workers (default: 1 2 4 ... 1024)",
    )
    parser.add_argument(
        "--seeds",
        type=at_least_one,
        default=3,
        help="searches for each number of workers (default: %(default)s)",
    )
    parser.add_argument(
        "--solved",
        type=at_least_one,
        default=10,
        help="end a search after this many trials have solved T (default: %(default)s)",
    )
    parser.add_argument(
        "--horizon",
        type=above_zero,
        default=7200,
        metavar="S",
        help="give a search up after this many simulated seconds (default: %(default)s)",
    )
    parser.add_argument(
        "--stretch",
        type=above_zero,
        default=1.0,
        metavar="X",
        help="let each training take X times as long as it was recorded (default: 1)",
    )
    add_configuration(parser)
    add_replay_files(parser, Path(__file__).with_suffix(""))
    args = parser.parse_args()
    rows = []
    try:
        config, pool = recorded_pool(args)
        for row in measure(config, pool, args):
            rows.append(row)
            print(
                f"{row['workers']} workers, seed {row['seed']}, driver {row['driver']}: "
                f"{row['clock']:.0f} s, {row['trials']} trials", file=sys.stderr,
            )  # fmt: skip
    except (UserError, ValueError) as error:
        sys.exit(f"error: {error}")
    frame = pd.DataFrame(rows)
    frame.round(3).to_csv(args.output.with_suffix(".csv"), index=False, lineterminator="\n")
    table = summary(frame)
    print(time_table(frame, len(pool)), driver_table(frame), verdict(table), sep="\n\n")
    draw(table, args.output.with_suffix(".png"))


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    main()
