"""How much faster does linear attention train by its kernel than by torch's operations?

    python -m benchmarks.fast_weights_speed

Takes the steps of ``architecture_speed.py`` for its variants that have no clock: a batch at T =
1000 in float32, forward and backward, on one core. Only the memory differs, all around it is the
same. Steps of both sides take turns, after one that warms up. The last column of the table is the
median of the ratios of two steps, [lowest, highest]. Writes fast_weights_speed.csv; ``python -m
benchmarks.published`` prints the table.
"""

import argparse
import statistics
from collections.abc import Callable
from itertools import product
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import torch

from benchmarks.architecture_speed import (
    SWITCHED,
    TASKS,
    make_model,
    make_step,
    take_turns,
    variant_training,
)
from benchmarks.machine import machine
from benchmarks.markdown import table
from benchmarks.processes import be_like_a_worker
from copytask import configure_process
from copytask.engine.fast_weights import memory_by_operations
from copytask.models import linear_attention
from studies.command_line import at_least_one

TABLE = Path(__file__).with_suffix(".csv")


def by_operations(step: Callable[[], None]) -> None:
    """A step whose memory runs in torch's operations."""
    with patch.object(linear_attention, "chunked_memory", memory_by_operations):
        step()


def compare(variant: str, task: str, rounds: int) -> dict[str, object]:
    """Seconds of a step on both sides, and their ratio in each round."""
    training = variant_training(variant, task)
    step = make_step(make_model(training, task), training.batch_size, task)
    seconds = take_turns({"kernel": step, "operations": lambda: by_operations(step)}, rounds)
    ratios = [b / a for a, b in zip(seconds["kernel"], seconds["operations"], strict=True)]
    return {
        "model": variant, "task": task,
        "kernel_seconds": round(statistics.median(seconds["kernel"]), 4),
        "operations_seconds": round(statistics.median(seconds["operations"]), 4),
        "ratio": round(statistics.median(ratios), 3), "ratio_low": round(min(ratios), 3),
        "ratio_high": round(max(ratios), 3), "rounds": rounds, "machine": machine(),
    }  # fmt: skip


def kernel_table(rows: pd.DataFrame) -> str:
    """How many times as fast each variant trains with the kernel, as Markdown."""
    lines = [
        [
            row.model, f"`{row.task}`", f"{1e3 * row.kernel_seconds:.0f}",
            f"{1e3 * row.operations_seconds:.0f}",
            f"{row.ratio:.1f} [{row.ratio_low:.1f}, {row.ratio_high:.1f}]",
        ]
        for row in rows.itertuples()
    ]  # fmt: skip
    header = ["", "task", "ms a step", "by torch's operations", "times as fast"]
    return table(header, lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fast_weights_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=at_least_one, default=9, metavar="N")
    rounds = parser.parse_args().rounds
    be_like_a_worker()
    configure_process()
    torch.set_num_threads(1)
    rows = pd.DataFrame([compare(*of, rounds) for of in product(SWITCHED, TASKS)])
    rows.to_csv(TABLE, index=False)
    print(kernel_table(rows))


if __name__ == "__main__":
    main()
