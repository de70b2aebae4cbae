"""What does a search cost in addition to the training, and does it keep its workers busy?

    python -m benchmarks.overhead                            (five minutes)
    python -m benchmarks.overhead --study runs/gru-delay     (of an existing study)

1. Time between trials: a real search with trials that hardly train, in reused
   workers. It is the wall time of a slot from the end of one trial to the first
   result of the next, without the training of that result.
2. Share of the workers' time that is training, in a search with the default
   configuration: seconds of all trials / (slots x wall time from the start of
   the first trial to the last event of the study). A part of an iteration that
   was cut off does not count as training.
3. Processor time of one suggestion of TPE and one decision of ASHA after 10 to
   10,000 trials.

Prints a table with our goals beside the measurements, and writes
benchmarks/overhead.csv.
"""

import argparse
import csv
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import optuna

from benchmarks.machine import machine
from benchmarks.null_trials import ROOT, start_search
from benchmarks.replay.curves import Evaluation
from benchmarks.replay.policies import as_point, memory_study
from search.cluster.slots import count_slots, limit_slots
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config, read_yaml
from search.config.study_config import StudyConfig
from search.decide.samplers import Sampler
from search.decide.schedulers import as_result, restored_scheduler
from search.study.event_log import read_events
from search.study.study import Study
from search.study.study_file import read_config
from studies import format as files
from studies.command_line import at_least_one
from studies.events import Point, Result, TrialStarted

SIZES = (10, 100, 1000, 10_000)
"""Finished trials before a suggestion or decision."""

NULL_TRIALS = 200
REPEATS = 15
"""Suggestions and decisions measured at each size."""

BUDGET = 30
"""Iterations of a trial of the default configuration."""


class Figure(NamedTuple):
    """One row of the table; ``aim`` is empty where there is none."""

    what: str
    value: float
    unit: str
    aim: str = ""


def study_slots(study: Path) -> int:
    """Trials that ran at once in a study on one machine without GPUs."""
    cpus = read_yaml(study / files.STUDY_FILE)["provenance"]["cpus"]
    resources = read_config(study).resources
    return limit_slots(resources, count_slots(resources, [{"CPU": cpus}])).total


def between_trials() -> Iterator[Figure]:
    """What a slot does between two trials."""
    with tempfile.TemporaryDirectory() as storage:
        study = Path(storage) / "null"
        if start_search(study, NULL_TRIALS).wait():
            raise SystemExit("the search over null trials failed")
        events = list(read_events(study))
        workers = study_slots(study)
    started = [event.trial_id for event in events if isinstance(event, TrialStarted)]
    results = [event for event in events if isinstance(event, Result)]
    ends = [event.elapsed for event in results]  # a null trial's one result is its end
    end_of = {event.trial_id: event for event in results}
    # The slot that is the first to be free takes the next trial.
    gaps = [
        1e3 * (end_of[trial].elapsed - free - end_of[trial].metrics.seconds)
        for free, trial in zip(ends, started[workers:], strict=False)
    ]
    wall = 1e3 * (ends[-1] - ends[0]) / (len(ends) - 1)
    yield Figure(f"a null trial, {workers} slots, mean of {len(ends)}", wall, "ms", "<= 60")
    for name, percent in (("median", 50), ("95th percentile", 95)):
        yield Figure(f"a slot between two trials, {name}", percentile(gaps, percent), "ms")


def percentile(values: list[float], percent: int) -> float:
    """With linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def run_default_search(study: Path) -> None:
    """The search of the README."""
    command = [
        sys.executable, "-m", "search.run", "--model", "gru", "--storage", str(study.parent),
        "--name", study.name,
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def busy_workers(study: Path, workers: int) -> Iterator[Figure]:
    """Which share of the workers' time a search trained."""
    events = list(read_events(study))
    first = next(event.elapsed for event in events if isinstance(event, TrialStarted))
    wall = events[-1].elapsed - first
    with (study / files.TRIALS_FILE).open(newline="") as file:
        trained = sum(float(row["seconds"] or 0) for row in csv.DictReader(file))
    share = 100 * trained / (workers * wall)
    yield Figure(f"training, of {workers} slots x {wall:.0f} s", share, "%", ">= 95")


def report(study: Study, trial: str, iterations: int, accuracy: float) -> None:
    """Let a trial have reported so many iterations in all, and have ended."""
    ending = files.COMPLETED if iterations == BUDGET else files.STOPPED_EARLY
    for iteration in range(1, iterations + 1):
        status = ending if iteration == iterations else ""
        study.add_result(trial, point(iteration, accuracy * iteration / iterations), 1, status)


def point(iteration: int, accuracy: float) -> Point:
    """An iteration with this accuracy."""
    return as_point(Evaluation(iteration, iteration, 1.0, accuracy, accuracy, None, None))


def finished_study(config: StudyConfig, trials: int) -> Study:
    """A study whose first T has so many finished trials, of which ASHA stopped most."""
    study, T, chance = memory_study(config), config.T[0], random.Random(0)
    space = {name: dimension.distribution() for name, dimension in config.dimensions().items()}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    source = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(trials):
        name = f"T{T}-{number:04d}"
        training = config.training_config(T, source.ask(space).params, seed=number)
        study.start_trial(name, training.to_dict())
        # One in nine spends its budget, two end at the second rung, the others at the first.
        rung = BUDGET if number % 9 == 0 else 12 if number % 3 == 0 else 4
        report(study, name, rung, chance.random())
    return study


def suggestion(study: Study) -> float:
    """Median time that TPE takes for a new trial, in ms."""
    sampler = Sampler(study, study.config.T[0])
    sampler.catch_up()
    times = []
    for number in range(REPEATS):
        start = time.process_time()
        name, training = sampler.ask(())
        times.append(1e3 * (time.process_time() - start))
        study.start_trial(name, training)
        sampler.started(study.history.trials[name])
        report(study, name, 4, number / REPEATS)
        sampler.reported(study.history.trials[name])
    return statistics.median(times)


def decision(study: Study) -> float:
    """Median time that ASHA takes for a trial at the first rung, in ms."""
    scheduler = restored_scheduler(study, study.config.T[0])
    times = []
    for number in range(REPEATS):
        trial = SimpleNamespace(trial_id=f"new {number}")
        scheduler.on_trial_add(None, trial)
        seen = as_result(point(4, number / REPEATS), "ladder_accuracy")
        start = time.process_time()
        scheduler.on_trial_result(None, trial, seen)
        times.append(1e3 * (time.process_time() - start))
    return statistics.median(times)


def many_trials() -> Iterator[Figure]:
    """Sampler and scheduler with more and more trials behind them."""
    settings = ["model=gru", "training.precision=fp32"]
    config = load_config(DEFAULT_CONFIG, settings, {})
    for size in SIZES:
        study = finished_study(config, size)
        after = f"after {size:,} trials"
        yield Figure(f"an ASHA decision {after}", decision(study), "ms", "<= 1")
        yield Figure(f"a TPE suggestion {after}", suggestion(study), "ms", "<= 50")


def figures(study: Path | None, workers: int | None) -> Iterator[Figure]:
    """All rows of the table, as they are measured."""
    yield from many_trials()
    yield from between_trials()
    with tempfile.TemporaryDirectory() as storage:
        if study is None:
            study = Path(storage) / "default"
            run_default_search(study)
        yield from busy_workers(study, workers or study_slots(study))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--study",
        type=Path,
        help="directory of an existing study to measure, in place of a new search",
    )
    parser.add_argument(
        "--slots", type=at_least_one, help="trials at once in --study, if it ran on a cluster"
    )
    args = parser.parse_args()
    if args.study and not (args.study / files.EVENTS_FILE).is_file():
        parser.error(f"--study {args.study}: no {files.EVENTS_FILE} there; give a study directory")
    print(machine())
    rows = []
    for row in figures(args.study, args.slots):
        rows.append(row._replace(value=float(f"{row.value:.3g}")))
        print(f"{row.what:56} {row.value:8.3g} {row.unit:2}  {row.aim}", flush=True)
    with (ROOT / "benchmarks" / "overhead.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*Figure._fields, "machine"])
        writer.writerows([*row, machine()] for row in rows)


if __name__ == "__main__":
    main()
