"""Does training with bf16 products need more tokens than with fp32, or end less accurate?

    python -m benchmarks.precision                   (measure; writes precision.csv)
    python -m benchmarks.published docs/training.md  (print the tables)

Trains every gated cell with the same seeds in both precisions until it solves
T, and tests the weights in fp32. Two tables are made of it: medians over the
seeds, and ratios seed by seed. A second start goes on with the rest; to
measure again, or with another T, name another file.
"""

import argparse
import contextlib
import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.cells import CELLS
from benchmarks.estimates import bootstrap_t, exponential
from benchmarks.markdown import NAMES, interval, table
from benchmarks.options import add_output
from benchmarks.processes import be_like_a_worker, results
from benchmarks.rows import Rows
from copytask import DivergedError, Trainer, TrainingConfig, evaluate
from search.errors import UserError
from studies.command_line import at_least_one

TABLE = Path(__file__).with_suffix(".csv")
PRECISIONS = ("fp32", "bf16")
LEARNING_RATES = {"gru": 4e-3, "lstm": 4e-3, "mgru": 2e-3, "mlstm": 3e-3}

KEY = ("model", "precision", "seed")
VALUES = ("solved", "tokens", "seconds", "test_accuracy")


def trained(model: str, precision: str, seed: int, T: int) -> dict[str, Any]:
    """The row of one training."""
    torch.set_num_threads(1)
    config = TrainingConfig(
        model=model, T=T, hidden_size=128, learning_rate=LEARNING_RATES[model],
        curriculum_length=2500, batch_size=32, validation_payloads=64, precision=precision,
        seed=seed, device="cpu",
    )  # fmt: skip
    trainer = Trainer(config)
    start = time.perf_counter()
    with contextlib.suppress(DivergedError):  # then it has not solved T
        list(trainer)
    return {
        "model": model,
        "precision": precision,
        "seed": seed,
        "solved": trainer.progress.solved,
        "tokens": trainer.progress.tokens,
        "seconds": round(time.perf_counter() - start, 1),
        "test_accuracy": evaluate(trainer.model, "delay", T, payloads=2000).accuracy,
    }


def measure(T: int, seeds: int, processes: int, output: Path) -> None:
    """Train all that is not in the file.

    Raises:
        UserError: the file has rows of another T.
    """
    rows = Rows(output, KEY, {"T": T}, VALUES)
    runs = [
        (model, precision, seed)
        for model, seed, precision in itertools.product(CELLS, range(seeds), PRECISIONS)
        if not rows.find(model=model, precision=precision, seed=seed)
    ]
    jobs = [(*run, T) for run in runs]
    for done, (_, row) in enumerate(results(trained, jobs, processes), 1):
        rows.append(row)
        print(f"{done} of {len(jobs)}: {row}", file=sys.stderr)


def medians_table(rows: pd.DataFrame) -> str:
    """What each cell takes in each precision: medians over the seeds."""
    lines = []
    for model, precision in itertools.product(CELLS, PRECISIONS):
        runs = rows[(rows["model"] == model) & (rows["precision"] == precision)]
        tokens, accuracy = runs["tokens"] / 1e6, runs["test_accuracy"]
        lines.append(
            [
                NAMES[model], precision, f"{runs['solved'].sum()} of {len(runs)}",
                f"{tokens.median():.1f} ({tokens.min():.1f} to {tokens.max():.1f})",
                f"{runs['seconds'].median():.1f}",
                f"{accuracy.median():.4f} ({accuracy.min():.4f} to {accuracy.max():.4f})",
            ]
        )  # fmt: skip
    return table(["", "precision", "solve T", "M tokens", "seconds", "test accuracy"], lines)


def ratios_table(rows: pd.DataFrame) -> str:
    """What bf16 takes, compared with fp32 on the same seeds, where both solve T."""
    fp32, bf16 = (rows[rows["precision"] == precision] for precision in PRECISIONS)
    pairs = fp32.merge(bf16, on=["model", "seed"], suffixes=PRECISIONS)
    pairs = pairs[pairs["solvedfp32"] & pairs["solvedbf16"]]
    lines = []
    for unit in ("tokens", "seconds"):
        logs = np.log((pairs[f"{unit}bf16"] / pairs[f"{unit}fp32"]).to_numpy())
        lines.append([unit, interval(exponential(bootstrap_t(logs)), 2), f"{len(logs)}"])
    return table(["", "bf16 / fp32 [95 %]", "pairs"], lines)


if __name__ == "__main__":
    be_like_a_worker()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.precision",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--T", type=at_least_one, default=1000, help="length (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds",
        type=at_least_one,
        default=10,
        help="of each cell and precision (default: %(default)s)",
    )
    parser.add_argument(
        "--processes", type=at_least_one, default=os.cpu_count() or 1,
        help="trainings at once (default: number of CPUs)",
    )  # fmt: skip
    add_output(parser, TABLE)
    args = parser.parse_args()
    try:
        measure(args.T, args.seeds, args.processes, args.output)
    except UserError as error:
        sys.exit(f"error: {error}")
