"""How fast does each architecture train, beside the time that its products alone would need?

    python -m benchmarks.architecture_speed

A step is the forward and backward pass of one batch of `delay` or `sequence` at T = 1000, in
float32, in one thread of a process like a search's worker, with the shape that the architecture's
default search tries first; beside linear attention stand its variants of ``architectures.py``, with
keys of 64 numbers. The products' time is the number of floating-point operations in the
products of that step (masked ones included, and those that torch's fused attention makes again, but
not those that linear attention does), at the speed of torch's product of two square matrices of
512. Products that the first block of a stack does once a symbol count once a step, as in its
equations. Steps of all architectures and that product take turns. Writes architecture_speed.csv;
``python -m benchmarks.published`` prints the table.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks.architectures import VARIANTS
from benchmarks.markdown import table
from benchmarks.processes import be_like_a_worker
from copytask import (
    MODELS,
    CopyModel,
    Task,
    TrainingConfig,
    build_model,
    configure_process,
    find_task,
)
from copytask.models import linear_attention
from copytask.models.recurrent import RecurrentCell
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config
from studies.command_line import at_least_one

TABLE = Path(__file__).with_suffix(".csv")
TASKS = ("delay", "sequence")
SWITCHED = ("linear attention, content", "gated DeltaNet")
T = 1000
SQUARE = 512

FUSED_ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v)
    ),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda grad, q, k, v, *_, **__: sdpa_backward_flop_count(grad, q, k, v)
    ),
}
"""Operations in the products of torch's fused attention on CPUs, which its counter does not know;
the way back makes the scores again."""


def default_training(
    model: str, task: str = "delay", T: int = T, seed: int = 0, settings: Sequence[str] = ()
) -> TrainingConfig:
    """The training that the default search tries first, with these settings."""
    config = load_config(DEFAULT_CONFIG, settings, {"model": model, "task": task})
    return config.training_config(T, config.initial_points()[0], seed=seed)


def variant_training(name: str, task: str) -> TrainingConfig:
    """That of a model, or of a variant of :data:`SWITCHED` with keys of 64 numbers."""
    if name in MODELS:
        return default_training(name, task)
    model, settings = VARIANTS[name]
    return default_training(model, task, settings=(*settings, "space.key_size=64"))


def many_symbols(name: str) -> Task:
    """A task with so many symbols that the first block of a stack computes each step alone, as its
    equations say; with few it computes each symbol once, see :class:`copytask.models.stack.Steps`.
    """
    task = type(find_task(name))
    return type(task.__name__, (task,), {"symbols": 20_000})()


def make_model(training: TrainingConfig, task: str | Task) -> CopyModel:
    torch.manual_seed(0)
    return build_model(training.model, training.hidden_size, task=task, **training.architecture)


def make_step(model: CopyModel, batch: int, name: str = "delay") -> Callable[[], None]:
    """A training step without the optimizer; T is :data:`T`."""
    task = find_task(name)
    data = task.sample_batch(torch.Generator().manual_seed(0), batch, T, torch.device("cpu"))

    def step() -> None:
        logits = model(data.tokens, recalled=task.recalled(T))
        F.cross_entropy(logits.flatten(0, 1), data.targets.flatten()).backward()

    return step


def count_operations(training: TrainingConfig) -> int:
    """Floating-point operations in the products of a step.

    A recurrent cell multiplies each of its recurrent matrices with one vector a step, and twice on
    the way back. Those of other architectures are counted, with one sequence in float64, for which
    they use torch's operations; linear attention then makes nothing again.
    """
    model = make_model(training, many_symbols(training.task))
    tokens = find_task(training.task).length(T) * training.batch_size
    if isinstance(model.core, RecurrentCell):
        matrices = [weight for weight in model.core.parameters() if weight.ndim == 2]
        width = training.hidden_size
        recurrent = sum(weight.numel() for weight in matrices if weight.shape[1] == width)
        return 3 * 2 * recurrent * tokens
    counter = FlopCounterMode(display=False, custom_mapping=FUSED_ATTENTION)
    with counter, patch.object(linear_attention, "checkpoint", _run):
        make_step(model.double(), 1, training.task)()
    return counter.get_total_flops() * training.batch_size


def _run(function: Callable[..., Any], *arguments: Any, **_: Any) -> Any:
    return function(*arguments)


def take_turns(steps: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each step in each round; a further round before them warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.architecture_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=at_least_one, default=5, metavar="N")
    rounds = parser.parse_args().rounds
    be_like_a_worker()
    configure_process()
    torch.set_num_threads(1)
    square = torch.randn(SQUARE, SQUARE)
    trainings = {
        f"{name} {task}": (name, variant_training(name, task))
        for task, name in product(TASKS, (*MODELS, *SWITCHED))
    }
    steps: dict[str, Callable[[], object]] = {
        key: make_step(make_model(of, of.task), of.batch_size, of.task)
        for key, (_, of) in trainings.items()
    }
    steps[""] = lambda: [square @ square for _ in range(20)]
    seconds = take_turns(steps, rounds)
    speed = 20 * 2 * SQUARE**3 / statistics.median(seconds[""])
    rows = []
    for key, (name, training) in trainings.items():
        tokens = training.batch_size * find_task(training.task).length(T)
        median = statistics.median(seconds[key])
        operations = count_operations(training)
        rows.append(
            {
                "task": training.task, "model": name,
                "hidden_size": training.hidden_size, "batch": training.batch_size,
                "tokens_per_second": round(tokens / median),
                "operations_per_token": round(operations / tokens),
                "giga_operations_per_second": round(speed / 1e9, 1),
                "times_its_products": round(median / (operations / speed), 2), "rounds": rounds,
            }
        )  # fmt: skip
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    print(speed_table(pd.DataFrame(rows)))


def speed_table(rows: pd.DataFrame) -> str:
    """Tokens a second of each architecture, and its time over that of its products."""
    lines = []
    for model, of in rows.groupby("model", sort=False):
        first = of.iloc[0]
        name = f"`{first['model']}`" if model in MODELS else first["model"]
        line = [name, f"{first['hidden_size']}", f"{first['batch']}"]
        for task in TASKS:
            (row,) = of[of["task"] == task].to_dict("records")
            line += [
                f"{row['tokens_per_second'] / 1e3:.0f}", f"{row['operations_per_token'] / 1e3:.0f}",
                f"{row['times_its_products']:.1f}",
            ]  # fmt: skip
        lines.append(line)
    header = ["", "hidden size", "batch"]
    for task in TASKS:
        header += [
            f"`{task}`: thousand tokens a second", "thousand operations a token in products",
            "time over that of its products",
        ]  # fmt: skip
    return table(header, lines)


if __name__ == "__main__":
    main()
