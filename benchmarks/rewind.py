"""Do trainings that have fallen far back solve T if they return to their best state?

    python -m benchmarks.rewind                      (measure; writes rewind.csv)
    python -m benchmarks.published docs/training.md  (print the table)

Trains configurations that searches have found, with ``rewind`` and without it,
on the same seed. Until it falls, a training is the same either way: so one that
never falls is trained once. A second start goes on with the rest.
"""

import argparse
import itertools
import os
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from scipy.stats import binomtest

from benchmarks.markdown import NAMES, table
from benchmarks.options import add_output
from benchmarks.processes import be_like_a_worker, results
from benchmarks.rows import Rows
from copytask import Purpose, Trainer, TrainingConfig, evaluate
from copytask.training.rewind import has_fallen
from studies.command_line import at_least_one
from studies.format import SOLVED_ACCURACY

TABLE = Path(__file__).with_suffix(".csv")

CONFIGURATIONS = (
    ("mgru", 200, 128, 7.8e-3, 2500),
    ("mgru", 500, 128, 3e-3, 3000),
    ("mgru", 500, 128, 4e-3, 2000),
    ("mgru", 500, 96, 6.6e-3, 1932),
    ("mgru", 500, 96, 8.5e-3, 1261),
    ("mlstm", 200, 128, 4e-3, 2000),
)
"""Model, T, hidden size, learning rate and curriculum length of configurations that searches have
found, and of which trainings with other seeds have fallen."""

FIRST_SEED = 7_000_000
"""Beyond the seeds of the searches that found the configurations."""

KEY = ("model", "T", "hidden_size", "learning_rate", "curriculum_length", "seed", "rewind")
VALUES = ("falls", "solved", "tokens", "best_validation_accuracy", "accuracy")
"""Of a row, one training; ``accuracy`` is that of the test."""


def trained(
    model: str, T: int, hidden_size: int, rate: float, ramp: int, seed: int, rewind: bool
) -> dict[str, Any]:
    """The row of one training."""
    torch.set_num_threads(1)
    config = TrainingConfig(
        model=model, T=T, hidden_size=hidden_size, learning_rate=rate, curriculum_length=ramp,
        seed=seed, validation_seed=seed, precision="bf16", rewind=rewind,
    )  # fmt: skip
    trainer = Trainer(config)
    history = list(trainer)
    ladder = [metrics.ladder_accuracy for metrics in history]
    best = itertools.accumulate(ladder, max)
    tested = evaluate(trainer.model, config.task, T, payloads=2000, purpose=Purpose.TEST)
    key = (model, T, hidden_size, rate, ramp, seed, rewind)
    return dict(zip(KEY, key, strict=True)) | {
        "falls": sum(has_fallen(now, then, 0.1) for now, then in zip(ladder, best, strict=True)),
        "solved": trainer.progress.solved,
        "tokens": trainer.progress.tokens,
        "best_validation_accuracy": max(metrics.validation_accuracy for metrics in history),
        "accuracy": tested.accuracy,
    }


def measure(seeds: int, output: Path) -> None:
    """Train all that is not in the file: without rewinding, then what has fallen with it."""
    rows = Rows(output, KEY, {"precision": "bf16"}, VALUES)
    runs = [
        (*configuration, FIRST_SEED + seed)
        for seed, configuration in itertools.product(range(seeds), CONFIGURATIONS)
    ]
    for rewind in (False, True):
        jobs = [
            (*run, rewind)
            for run in runs
            if not rows.find(**dict(zip(KEY, (*run, rewind), strict=True)))
            and (not rewind or _falls(rows, run))
        ]
        for _, row in results(trained, jobs, os.cpu_count() or 1):
            rows.append(row)
            print(*row.values(), flush=True)


def _falls(rows: Rows, run: tuple[Any, ...]) -> bool:
    row = rows.find(**dict(zip(KEY, (*run, False), strict=True)))
    return row is not None and int(row["falls"]) > 0


def mcnemar(helped: int, harmed: int) -> float:
    """p of the exact test that as many pairs change for the better as for the worse."""
    changed = helped + harmed
    return float(binomtest(helped, changed).pvalue) if changed else 1.0


def rewind_table(rows: pd.DataFrame) -> str:
    """How many trainings fall, and how many of those solve T, with and without rewinding."""
    lines = []
    configuration = list(KEY[:-2])
    groups: list[tuple[Any, pd.DataFrame]] = [*rows.groupby(configuration, sort=False)]
    for (model, T, hidden, rate, _), of in [*groups, (("all", "", "", None, None), rows)]:
        once, again = of[~of["rewind"]], of[of["rewind"]]
        pairs = once.merge(again, on=[*configuration, "seed"], suffixes=("", "_again"))
        helped = int((pairs["solved_again"] & ~pairs["solved"]).sum())
        harmed = int((pairs["solved"] & ~pairs["solved_again"]).sum())
        at = [
            f"{(of['accuracy'] >= SOLVED_ACCURACY).sum()}"
            for of in (once[once["falls"] > 0], again)
        ]
        lines.append(
            [
                NAMES.get(model, model), f"{T}", f"{hidden}", f"{rate:.1e}" if rate else "",
                f"{len(pairs)} of {len(once)}", f"{pairs['solved'].sum()}",
                f"{pairs['solved_again'].sum()}", *at,
                "" if rate else f"{mcnemar(helped, harmed):.2g}",
            ]
        )  # fmt: skip
    header = [
        "", "T", "hidden", "learning rate", "fell", "solved, without", "with",
        "test at 0.99, without", "with", "p",
    ]  # fmt: skip
    return table(header, lines)


if __name__ == "__main__":
    be_like_a_worker()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rewind",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seeds", type=at_least_one, default=12, help="of each (default: %(default)s)"
    )
    add_output(parser, TABLE)
    args = parser.parse_args()
    measure(args.seeds, args.output)
