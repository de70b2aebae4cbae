"""Does training with bf16 products need more tokens than with fp32, or end less accurate?

    python -m benchmarks.precision                   (a quarter of an hour on two cores)
    python -m benchmarks.precision --T 200 --seeds 2
    python -m benchmarks.precision --show benchmarks/precision.csv     (print earlier results)

Trains every gated cell with the same seeds in both precisions until it solves
T, and tests the weights in fp32. Prints a table with the ratios bf16 / fp32,
and writes one row for each training.
"""

import argparse
import contextlib
import csv
import itertools
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scipy.special import stdtrit

from benchmarks.cells import CELLS

PRECISIONS = ("fp32", "bf16")
LEARNING_RATES = {"gru": 4e-3, "lstm": 4e-3, "mgru": 2e-3, "mlstm": 3e-3}


def train(model: str, precision: str, seed: int, T: int) -> dict[str, Any]:
    """One run, in a process of its own."""
    import torch

    from copytask import DivergedError, Trainer, TrainingConfig, evaluate

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


def geometric_mean(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The geometric mean of at least two ratios, and its 95 % interval.

    It is Student's interval of the mean of the logarithms, so that the ratios the other way round
    give the other way round.
    """
    logs = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logs)
    half = float(stdtrit(len(logs) - 1, 0.975)) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def summary(rows: list[dict[str, Any]]) -> str:
    """The table: medians over the seeds, and ratios seed by seed."""
    lines = [
        "model  precision  solved  M tokens (min..max)  seconds  test accuracy (min..max)",
    ]
    for model, precision in itertools.product(CELLS, PRECISIONS):
        runs = [r for r in rows if (r["model"], r["precision"]) == (model, precision)]
        tokens = [r["tokens"] / 1e6 for r in runs]
        accuracy = [r["test_accuracy"] for r in runs]
        lines.append(
            f"{model:6} {precision:9}  {sum(r['solved'] for r in runs):>2} of {len(runs):<2}"
            f" {statistics.median(tokens):9.1f} ({min(tokens):.1f}..{max(tokens):.1f})"
            f" {statistics.median(r['seconds'] for r in runs):10.1f}"
            f" {statistics.median(accuracy):10.4f} ({min(accuracy):.4f}..{max(accuracy):.4f})"
        )
    of_run = {(r["model"], r["seed"], r["precision"]): r for r in rows}
    pairs = [
        (of_run[model, seed, "bf16"], fp32)
        for (model, seed, precision), fp32 in of_run.items()
        if precision == "fp32"
    ]
    solved = [(bf16, fp32) for bf16, fp32 in pairs if bf16["solved"] and fp32["solved"]]
    if len(solved) < 2:
        lines.append("no ratios: fewer than two pairs both solved T")
        return "\n".join(lines)
    for column in ("tokens", "seconds"):
        ratios = [bf16[column] / fp32[column] for bf16, fp32 in solved]
        mean, low, high = geometric_mean(ratios)
        lines.append(
            f"{column}, bf16 / fp32: geometric mean {mean:.2f} (95 % interval {low:.2f} to "
            f"{high:.2f}) over the {len(solved)} pairs that both solved T"
        )
    return "\n".join(lines)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """What an earlier run wrote."""
    numbers = {"seed": int, "tokens": int, "seconds": float, "test_accuracy": float}
    with path.open(newline="") as file:
        return [
            {**row, "solved": row["solved"] == "True"}
            | {name: number(row[name]) for name, number in numbers.items()}
            for row in csv.DictReader(file)
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.precision",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--T", type=int, default=1000, help="length (default: %(default)s)")
    parser.add_argument(
        "--seeds",
        type=int,
        default=10,
        help="trainings of each model and precision (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count(),
        help="trainings at once (default: number of CPUs)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("benchmarks/precision.csv"),
        help="CSV file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--show", type=Path, metavar="FILE", help="print the table of an earlier run; do not train"
    )
    args = parser.parse_args()
    if args.show:
        print(summary(read_rows(args.show)))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    runs = list(itertools.product(CELLS, range(args.seeds), PRECISIONS))
    rows = []
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        futures = [pool.submit(train, m, p, seed, args.T) for m, seed, p in runs]
        for future in as_completed(futures):
            rows.append(future.result())
            row = rows[-1]
            print(f"{len(rows)} of {len(runs)}: {row}", file=sys.stderr)
    rows.sort(key=lambda r: (r["model"], r["seed"], r["precision"]))
    with args.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(summary(rows))


if __name__ == "__main__":
    main()
