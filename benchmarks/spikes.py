"""Do fewer trainings fall back to guessing if spikes of the gradient are skipped?

    python -m benchmarks.spikes --seeds 10           (measure; writes spikes.csv)
    python -m benchmarks.published docs/training.md  (print the table)

Trains configurations that searches have found, each seed with ``spike_norm`` 0
and 10, both sides alternating on all cores. A training has collapsed if its
accuracy at T was at least 0.9 and is below 0.5 at its end.
"""

import argparse
import csv
import itertools
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import pandas as pd
import torch

from benchmarks.markdown import NAMES, table
from copytask import Purpose, Trainer, TrainingConfig, evaluate
from studies.format import SOLVED_ACCURACY

TABLE = Path(__file__).with_suffix(".csv")

CONFIGURATIONS = (
    ("gru", 500, 5.9e-3, 4156),
    ("mgru", 200, 7.8e-3, 2500),
    ("mgru", 500, 3e-3, 3000),
    ("mlstm", 200, 4e-3, 2000),
)
"""Model, T, learning rate and curriculum length of winners with which fresh seeds failed."""

SPIKE_NORMS = (0.0, 10.0)
FIRST_SEED = 5_000_000
"""Beyond the seeds of the searches that found the configurations."""

COLUMNS = [
    "model", "T", "learning_rate", "curriculum_length", "seed", "spike_norm", "solved", "tokens",
    "best_validation_accuracy", "accuracy", "learning_rate_at_end",
]  # fmt: skip
"""Of a row, one training; ``accuracy`` is that of the test."""


def trained(
    model: str, T: int, rate: float, ramp: int, seed: int, spike_norm: float
) -> list[object]:
    """The row of one training."""
    torch.set_num_threads(1)
    config = TrainingConfig(
        model=model, T=T, learning_rate=rate, curriculum_length=ramp, seed=seed,
        validation_seed=seed, spike_norm=spike_norm,
    )  # fmt: skip
    trainer = Trainer(config)
    history = list(trainer)
    tested = evaluate(trainer.model, config.task, T, payloads=2000, purpose=Purpose.TEST)
    best = max(metrics.validation_accuracy for metrics in history)
    progress = trainer.progress
    return [
        model, T, rate, ramp, seed, spike_norm, progress.solved, progress.tokens, best,
        tested.accuracy, history[-1].learning_rate,
    ]  # fmt: skip


def measure(seeds: int) -> None:
    """Train all; rows are written as trainings end."""
    runs = [
        (*configuration, FIRST_SEED + seed, spike_norm)
        for seed, configuration, spike_norm in itertools.product(
            range(seeds), CONFIGURATIONS, SPIKE_NORMS
        )
    ]
    with TABLE.open("w", newline="") as file, ProcessPoolExecutor(os.cpu_count()) as pool:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for done in as_completed([pool.submit(trained, *run) for run in runs]):
            writer.writerow(done.result())
            file.flush()


def spike_table(rows: pd.DataFrame) -> str:
    """How many trainings solve T and how many collapse, with and without skipping."""
    lines = []
    groups = [
        *rows.groupby(["model", "T", "learning_rate", "spike_norm"]),
        *((("all", "", None, norm), of) for norm, of in rows.groupby("spike_norm")),
    ]
    for (model, T, rate, norm), of in groups:
        fell = (of["best_validation_accuracy"] >= 0.9) & (of["accuracy"] < 0.5)
        solved = of[of["solved"]]
        lines.append(
            [
                NAMES.get(model, model), f"{T}", f"{rate:.1e}" if rate else "",
                "skipped" if norm else "followed", f"{len(solved)} of {len(of)}",
                f"{(of['accuracy'] >= SOLVED_ACCURACY).sum()} of {len(of)}", f"{fell.sum()}",
                f"{solved['tokens'].median() / 1e6:.1f}",
            ]
        )  # fmt: skip
    header = [
        "", "T", "learning rate", "spikes are", "solved", "test at 0.99", "collapsed",
        "M tokens of the solved",
    ]  # fmt: skip
    return table(header, lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.spikes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=10, help="of each (default: %(default)s)")
    measure(parser.parse_args().seeds)
