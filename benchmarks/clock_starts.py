"""How often does a clock find the token that has to set it back, from several starts?

    python -m benchmarks.clock_starts                  (measure; writes clock_starts.csv)
    python -m benchmarks.published docs/models.md      (print the table)

Trains linear attention on `sequence` at T = 100 with the configuration that its default search
tries first, up to the first evaluation, from a memory of 10,000 and of 10 steps, without and with
noise on the gates; ten seeds each, tested on 100 payloads.
"""

import argparse
import itertools
import math
from pathlib import Path

import pandas as pd
import torch

from benchmarks.architecture_speed import default_training
from benchmarks.markdown import table
from benchmarks.processes import results
from copytask import SOLVED_ACCURACY, Trainer, configure_process, evaluate
from copytask.models import clock
from studies.command_line import at_least_one

TABLE = Path(__file__).with_suffix(".csv")
MODEL, TASK, T = "linear_attention", "sequence", 100
STEPS = (10_000, 10)
NOISE = (0.0, 1.0)
SEEDS = range(10)


def train(steps: int, noise: float, seed: int) -> dict[str, float]:
    """Train one model whose clock starts so; return its row."""
    configure_process()
    torch.set_num_threads(1)
    clock.START, clock.NOISE = math.log(steps), noise
    trainer = Trainer(default_training(MODEL, TASK, T, seed))
    trainer.run_iteration()
    accuracy = evaluate(trainer.model, TASK, T, payloads=100).accuracy
    return {"steps": steps, "noise": noise, "seed": seed, "accuracy": accuracy}


def start_table(rows: pd.DataFrame) -> str:
    """How many seeds copy T symbols from each start, and the lowest accuracy."""
    lines = [
        [
            f"{steps:,} steps", "yes" if noise else "no",
            f"{(of['accuracy'] >= SOLVED_ACCURACY).sum()} of {len(of)}",
            f"{of['accuracy'].min():.3f}",
        ]
        for (steps, noise), of in rows.groupby(["steps", "noise"], sort=False)
    ]  # fmt: skip
    return table(["memory at the start", "noise", "seeds at 0.99", "lowest accuracy"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.clock_starts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--processes", type=at_least_one, default=1, metavar="N")
    jobs = list(itertools.product(STEPS, NOISE, SEEDS))
    rows = {}
    for place, row in results(train, jobs, parser.parse_args().processes):
        rows[place] = row
        print(row, flush=True)
        pd.DataFrame([rows[i] for i in sorted(rows)]).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
