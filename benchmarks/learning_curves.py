"""Records the learning curves of random configurations, on which search methods are compared.

    python -m benchmarks.learning_curves      (hours; run it again to continue)
    python -m benchmarks.learning_curves --models mgru --configurations 20 --workers 1

Draws configurations from the space of configs/wide.yaml. Trains each at every T
of that file as a search would, but never stops it early: a training ends when
it has solved T, has spent its tokens, or diverges. Writes one row for each
evaluation to benchmarks/learning_curves.csv.gz; a curve that diverged ends with
a row without accuracies. ``seconds`` is processor time, so other work on the
machine does not change it.
"""

import argparse
import csv
import gzip
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import optuna

from copytask import MALLOC_ENVIRONMENT, MODELS, DivergedError, Trainer, TrainingConfig
from search.config.reading import load_config
from search.decide.samplers import trial_seed

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "configs" / "wide.yaml"
TABLE = Path(__file__).with_suffix(".csv.gz")
COLUMNS = (
    "model", "T", "configuration", "learning_rate", "hidden_size", "curriculum_length",
    "iteration", "tokens", "seconds", "validation_accuracy", "ladder_accuracy",
)  # fmt: skip
Row = dict[str, Any]


def configurations(count: int) -> list[dict[str, Any]]:
    """The first ``count`` random configurations; the same ones for every model and T."""
    config = load_config(CONFIG, [], {"model": "gru"})
    space = {name: d.distribution() for name, d in config.dimensions().items()}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [study.ask(space).params for _ in range(count)]


def learning_curve(training: TrainingConfig) -> list[Row]:
    """Train it as far as it goes; one row an evaluation."""
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


def recorded() -> list[Row]:
    """The rows that there are."""
    if not TABLE.exists():
        return []
    with gzip.open(TABLE, "rt", newline="") as file:
        return list(csv.DictReader(file))


def place(row: Row) -> tuple[str, int, int, int]:
    """What the table is sorted by."""
    return row["model"], *(int(row[name]) for name in ("T", "configuration", "iteration"))


def write(rows: list[Row]) -> None:
    """Replace the table."""
    new = TABLE.with_suffix(".new")
    with gzip.GzipFile(new, "wb", mtime=0) as raw:  # the same rows give the same file
        lines = [",".join(COLUMNS)]
        lines += [
            ",".join(str(row.get(name, "")) for name in COLUMNS) for row in sorted(rows, key=place)
        ]
        raw.write(("\n".join(lines) + "\n").encode())
    new.replace(TABLE)


def missing(args: argparse.Namespace, rows: list[Row]) -> Iterator[tuple[Row, TrainingConfig]]:
    """What is to be trained: its identity and its training."""
    done = {(row["model"], int(row["T"]), int(row["configuration"])) for row in rows}
    config = load_config(CONFIG, [], {"model": "gru"})
    points = list(enumerate(configurations(args.configurations)))
    for (number, point), model, T in product(points, args.models, args.T or config.T):
        if (model, T, number) in done:
            continue
        study = load_config(CONFIG, [], {"model": model, "training.precision": args.precision})
        training = study.training_config(T, point, trial_seed(0, T, number))
        yield {"model": model, "T": T, "configuration": number, **point}, training


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--models", nargs="*", default=sorted(MODELS), help="architectures (default: all)"
    )
    parser.add_argument(
        "--T", type=int, nargs="*", help="lengths (default: those of configs/wide.yaml)"
    )
    parser.add_argument(
        "--configurations",
        type=int,
        default=200,
        help="number of configurations (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count(),
        help="trainings at once (default: number of CPUs)",
    )
    parser.add_argument(
        "--precision",
        default="bf16",
        help="precision of products, fp32 or bf16 (default: %(default)s)",
    )
    args = parser.parse_args()
    os.environ.update(MALLOC_ENVIRONMENT)
    rows = recorded()
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        jobs = {pool.submit(learning_curve, t): identity for identity, t in missing(args, rows)}
        for number, job in enumerate(as_completed(jobs), 1):
            curve = job.result()
            rows += [jobs[job] | point for point in curve]
            last = curve[-1]
            print(
                f"{number}/{len(jobs)} {jobs[job]['model']} T={jobs[job]['T']} "
                f"#{jobs[job]['configuration']} {last['tokens'] / 1e6:.1f} M {last['seconds']} s "
                f"accuracy {last.get('validation_accuracy')}",
                flush=True,
            )
            write(rows)


if __name__ == "__main__":
    main()
