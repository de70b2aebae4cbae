"""How often does a training that counts as solved test below 0.99?

    python -m benchmarks.solved_rule --minutes 25       (measure; writes solved_rule.csv)
    python -m benchmarks.published docs/training.md     (print the table)

Compares rules for "solved" that evaluate on fixed or on fresh validation
payloads. Every rule judges the same trainings of the gated cells, with six validation seeds each.
A training is tested at the point where the rule would have stopped it.
"""

import argparse
import csv
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.cells import CELLS
from benchmarks.markdown import table
from copytask import (
    SOLVED_ACCURACY,
    DivergedError,
    Purpose,
    Trainer,
    TrainingConfig,
    evaluate,
)
from studies.command_line import above_zero

TABLE = Path(__file__).with_suffix(".csv")

LENGTHS = (100, 200)
CONFIGURATIONS = ((3e-3, 3000), (4e-3, 2000))
"""Learning rate and curriculum length: the initial configurations of configs/default.yaml."""

VALIDATION_SEEDS = range(6)
RULES = tuple(itertools.product((64, 200), ("the same each time", "fresh")))
"""Payloads of an evaluation, and whether each evaluation has its own."""

TEST_PAYLOADS = 4000
HOPELESS = 0.95
"""Validation accuracy below which no rule would be near."""

RUN = ["model", "T", "learning_rate", "curriculum_length", "seed"]
COLUMNS = [*RUN, "payloads", "rule", "validation_seed", "tokens", "accuracy"]
"""Of a row: a training as one rule with one seed stops it; ``accuracy`` is that of the test."""


def judged(config: TrainingConfig) -> Iterator[tuple[int, str, int, int, float]]:
    """Train once; yield payloads, rule, seed, tokens and test accuracy as each rule is met."""
    trainer = Trainer(config)
    waiting = set(itertools.product(RULES, VALIDATION_SEEDS))
    hits: dict[tuple[tuple[int, str], int], int] = {}
    while waiting and not trainer.finished:
        metrics = trainer.run_iteration()
        if metrics.validation_accuracy < HOPELESS:
            continue
        i = metrics.iteration
        tested = evaluate(trainer.model, config.task, config.T, payloads=TEST_PAYLOADS).accuracy
        for judge in sorted(waiting):
            (payloads, rule), seed = judge
            stream = seed if rule != "fresh" else 1_000_000 + 1000 * seed + i
            score = evaluate(
                trainer.model, config.task, config.T,
                payloads=payloads, seed=stream, purpose=Purpose.VALIDATION,
            )  # fmt: skip
            if score.accuracy < SOLVED_ACCURACY:
                continue
            if hits.get(judge) == i - 1:
                waiting.remove(judge)
                yield payloads, rule, seed, metrics.tokens, tested
            hits[judge] = i


def measure(minutes: float) -> None:
    """Train and judge until the time is over; what was begun is finished."""
    end = time.monotonic() + 60 * minutes
    torch.set_num_threads(1)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        runs = itertools.product(itertools.count(), LENGTHS, CONFIGURATIONS, CELLS)
        for seed, T, (rate, ramp), model in runs:
            if time.monotonic() > end:
                return
            config = TrainingConfig(
                model=model, T=T, learning_rate=rate, curriculum_length=ramp, seed=seed,
                validation_payloads=64, stop_when_solved=False,
            )  # fmt: skip
            try:
                for row in judged(config):
                    writer.writerow([model, T, rate, ramp, seed, *row])
            except DivergedError as error:
                print(f"{model} T={T} seed {seed}: {error}")
            file.flush()


def rule_table(rows: pd.DataFrame) -> str:
    """Share of solved trainings that test below 0.99, and what each rule costs.

    Intervals: 95 % bootstrap over trainings and validation seeds, each with all that belongs to it.
    """
    rows = rows.assign(below=rows["accuracy"] < SOLVED_ACCURACY)
    rng = np.random.default_rng(0)
    lines = []
    for payloads, rule in RULES:
        of = rows[(rows["payloads"] == payloads) & (rows["rule"] == rule)]
        below = of.pivot(index=RUN, columns="validation_seed", values="below").to_numpy(float)
        n, seeds = below.shape
        draws = [
            np.nanmean(below[rng.integers(n, size=n)][:, rng.integers(seeds, size=seeds)])
            for _ in range(4000)
        ]
        low, high = np.quantile(draws, (0.025, 0.975))
        lines.append(
            [
                f"{payloads}, {rule}", str(n),
                f"{100 * np.nanmean(below):.0f} % ({100 * low:.0f} to {100 * high:.0f})",
                f"{of['accuracy'].min():.3f}", f"{of['tokens'].mean() / 1e6:.2f}",
            ]
        )  # fmt: skip
    header = [
        "validation payloads", "trainings", "solved, but test below 0.99", "lowest test",
        "M tokens until it stops",
    ]  # fmt: skip
    return table(header, lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.solved_rule",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--minutes", type=above_zero, default=25, help="how long to measure (default: %(default)s)"
    )
    measure(parser.parse_args().minutes)
