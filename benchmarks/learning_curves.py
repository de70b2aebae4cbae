"""Records the trainings of random configurations, the pool on which search methods are compared.

    python -m benchmarks.learning_curves      (hours; start it again to continue)
    python -m benchmarks.learning_curves --model mgru --configurations 20 --processes 1

Draws configurations at random from the space of searches.yaml. Trains each at
the largest T of that file with two seeds, as a search would, but never stops it
early: a training ends when it has solved T, has spent its tokens, or diverges.
Each evaluation has payloads that no other one has. Writes one row for each
evaluation to pool.csv.gz; a training that diverged ends with a row without
accuracies. ``seconds`` is processor time; a replay takes the usual speed of
trainings of the same size, so they may run beside other work, and the file may
be continued on another machine.

The file is complete after each training. Trainings that are in it are not
repeated; rows of other settings or versions are refused.
"""

import argparse
import csv
import gzip
import io
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import optuna

from benchmarks.machine import machine
from benchmarks.options import add_configuration, add_output
from benchmarks.processes import results
from benchmarks.replay.curves import TABLE
from benchmarks.replay.options import add_models
from benchmarks.rows import check_settings
from benchmarks.versions import TRAINING, versions
from copytask import MALLOC_ENVIRONMENT, DivergedError, Trainer, TrainingConfig
from search.config.reading import load_config
from search.config.study_config import StudyConfig
from search.decide.suggester import trial_seed
from search.errors import UserError
from studies.command_line import at_least_one

DRAW = 1
"""Seed of the configurations: others than those on which earlier settings were chosen."""

Row = dict[str, Any]


def configurations(config: StudyConfig, count: int) -> list[Row]:
    """The first ``count`` random configurations; the same ones for every model."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {name: d.distribution() for name, d in config.dimensions().items()}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=DRAW))
    return [study.ask(space).params for _ in range(count)]


def learning_curve(training: TrainingConfig) -> list[Row]:
    """Train as far as it goes; one row an evaluation."""
    import torch

    torch.set_num_threads(1)
    rows: list[Row] = []
    start = time.process_time()
    trainer = Trainer(training)
    try:
        for metrics in trainer:
            rows.append(
                {
                    "iteration": metrics.iteration,
                    "tokens": metrics.tokens,
                    "seconds": round(time.process_time() - start, 2),
                    "validation_accuracy": round(metrics.validation_accuracy, 4),
                    "ladder_accuracy": round(metrics.ladder_accuracy, 4),
                    "tokens_to_solve": metrics.tokens_to_solve,
                }
            )
    except DivergedError:
        rows.append(
            {
                "iteration": trainer.progress.iteration + 1,
                "tokens": trainer.progress.tokens,
                "seconds": round(time.process_time() - start, 2),
            }
        )
    return rows


class PoolFile:
    """The file of the pool, which is replaced after each training.

    Args:
        hyperparameters: their names.
        settings: what all rows have in common.

    Raises:
        UserError: the file was recorded with other settings.
    """

    def __init__(self, path: Path, hyperparameters: Sequence[str], settings: Mapping[str, Any]):
        self._path = path
        self._settings = settings
        self._columns = [
            "model", "T", "configuration", "seed", *hyperparameters, "iteration", "tokens",
            "seconds", "validation_accuracy", "ladder_accuracy", "tokens_to_solve", "machine",
            *settings,
        ]  # fmt: skip
        self._rows: list[Row] = []
        if path.exists():
            with gzip.open(path, "rt", newline="") as file:
                self._rows = list(csv.DictReader(file))
            for row in self._rows:
                check_settings(path, row, settings)
        self.done = {training_of(row) for row in self._rows}

    def add(self, identity: Row, curve: Sequence[Row]) -> None:
        """Write the file with one more training."""
        self._rows += [{**identity, **point, **self._settings} for point in curve]
        self._rows.sort(key=lambda row: (*training_of(row), int(row["iteration"])))
        new = self._path.with_suffix(".new")
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        with gzip.GzipFile(new, "wb", 6, mtime=0) as raw:  # the same rows give the same file
            raw.write(text.getvalue().encode())
        new.replace(self._path)


def training_of(row: Mapping[str, Any]) -> tuple[str, int, int, int]:
    """Which training a row belongs to: its model, T, configuration and seed."""
    return row["model"], int(row["T"]), int(row["configuration"]), int(row["seed"])


def missing(
    args: argparse.Namespace, configs: Mapping[str, StudyConfig], done: set[Any]
) -> Iterator[tuple[Row, TrainingConfig]]:
    """What is to be trained, its identity and its training."""
    first = next(iter(configs.values()))
    T = first.T[-1]
    points = list(enumerate(configurations(first, args.configurations)))
    for (number, sample), seed, model in product(points, range(args.seeds), configs):
        identity = {"model": model, "T": T, "configuration": number, "seed": seed}
        if training_of(identity) not in done:
            training = configs[model].training_config(T, sample, 0)
            fresh = trial_seed(DRAW + seed, T, number)
            values = {name: getattr(training, name) for name in sample}
            yield (
                {**identity, **values},
                configs[model].fresh_training(training.to_dict(), fresh),
            )


def settings(config: StudyConfig) -> Row:
    """What all rows of the file have in common."""
    return {
        "validation_payloads": config.training["validation_payloads"],
        "precision": config.training["precision"],
        **versions(TRAINING, ["torch"]),
    }


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning_curves",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_models(parser)
    parser.add_argument(
        "--configurations", type=at_least_one, default=200, help="how many (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds", type=at_least_one, default=2, help="trainings of each (default: %(default)s)"
    )
    add_configuration(parser)
    add_output(parser, TABLE)
    parser.add_argument(
        "--processes",
        type=at_least_one,
        default=os.cpu_count(),
        help="trainings at once (default: number of CPUs)",
    )
    return parser


def main() -> None:
    args = make_parser().parse_args()
    os.environ.update(MALLOC_ENVIRONMENT)
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        configs = {m: load_config(args.config, args.set, {"model": m}) for m in args.model}
        first = next(iter(configs.values()))
        pool = PoolFile(args.output, list(first.dimensions()), settings(first))
    except UserError as error:
        sys.exit(f"error: {error}")
    identities, trainings = [], []
    for identity, training in missing(args, configs, pool.done):
        identities.append(identity)
        trainings.append((training,))
    try:
        done = results(learning_curve, trainings, args.processes)
        for number, (place, curve) in enumerate(done, 1):
            identity, last = identities[place], curve[-1]
            pool.add({**identity, "machine": machine()}, curve)
            print(
                f"{number} of {len(trainings)}: {identity['model']}, T = {identity['T']}, "
                f"configuration {identity['configuration']}, seed {identity['seed']}: "
                f"{last['tokens'] / 1e6:.1f} million tokens, {last['seconds']} s, "
                f"accuracy {last.get('validation_accuracy')}",
                flush=True,
            )
    except KeyboardInterrupt:
        sys.exit("interrupted; start this again to continue")


if __name__ == "__main__":
    main()
