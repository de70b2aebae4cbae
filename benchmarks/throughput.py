"""How fast is a training step, beside plain PyTorch and beside its matrix products alone?

A step is forward and backward of one batch of the delay task. Every side is measured in
processes of its own, one thread each, and the sides take turns:

    default   plain PyTorch in a process as it comes: nn.LSTM and nn.GRU; where torch has no
              such cell, the equations in a loop under autograd
    settings  the same with denormals flushed, and malloc told to keep its memory
    fallback  copytask where its kernels are not compiled, with the settings
    fp32      copytask, with the settings
    bf16      copytask with products in bfloat16, where the processor has them
    floor     the matrix products of a step alone, in fp32 by torch, with the settings

    python benchmarks/throughput.py            (twenty minutes)
    python benchmarks/throughput.py --quick    (one shape, one round)
"""

import argparse
import csv
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from copytask import MALLOC_ENVIRONMENT, MODELS, TASKS, build_model, compiled_kernels
from copytask.recurrence import kernels

SIDES = ("default", "settings", "fallback", "fp32", "bf16", "floor")
SHAPES = ((32, 64), (64, 128), (64, 256), (128, 256))  # (batch, hidden)
DELAYS = (100, 1000)  # T; sequences are 20 tokens longer
SECONDS = 2.0  # measured a length, or one step where that takes longer
RATIOS = (
    ("default", "fp32"), ("settings", "fp32"), ("settings", "fallback"), ("fp32", "floor"),
    ("bf16", "floor"),
)  # fmt: skip
Row = dict[str, Any]


def training_step(side: str, model: str, batch: int, hidden: int, T: int) -> Callable[[], None]:
    plain = "torch" if model in ("lstm", "gru") else "reference"
    implementation = plain if side in ("default", "settings") else "auto"
    network = build_model(model, hidden, implementation=implementation)
    tokens, targets = TASKS["delay"].sample_batch(torch.Generator(), batch, T)

    def step() -> None:
        logits = network(tokens, recall=len(targets))
        F.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
        network.zero_grad()

    return step


def products(model: str, batch: int, hidden: int, T: int) -> Callable[[], None]:
    """Only the products of a step: of the state, of its gradient, and of the weights'."""
    steps = TASKS["delay"].length(T)
    gates = 4 if "lstm" in model else 3
    widths = [gates * hidden] + ([hidden] if model.startswith("m") else [])
    h, dh = torch.randn(batch, hidden), torch.empty(batch, hidden)
    sides = [
        (
            torch.randn(width, hidden), torch.randn(batch, width), torch.empty(batch, width),
            torch.randn(steps * batch, width), torch.empty(width, hidden),
        )
        for width in widths
    ]  # fmt: skip
    states = torch.randn(steps * batch, hidden)

    def step() -> None:
        for weight, gradient, result, gradients, weight_gradient in sides:
            for _ in range(steps):
                torch.mm(h, weight.t(), out=result)
                torch.mm(gradient, weight, out=dh)
            torch.mm(gradients.t(), states, out=weight_gradient)

    return step


def measure(side: str, model: str, batch: int, hidden: int) -> list[Row]:
    """What one process measures, a row a length; runs under the side's environment."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(side != "default")
    torch.set_float32_matmul_precision("medium" if side == "bf16" else "highest")
    if side == "fallback":
        kernels.library = lambda: None
    rows = []
    for T in DELAYS:
        make = (
            products(model, batch, hidden, T)
            if side == "floor"
            else training_step(side, model, batch, hidden, T)
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times: list[float] = []
        while len(times) < 3 or sum(times) < SECONDS:
            start = time.perf_counter()
            make()
            times.append(time.perf_counter() - start)
            if times[0] > SECONDS:
                break
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        rows.append({
            "model": model, "batch": batch, "hidden": hidden, "T": T, "side": side,
            # The first step sets things up, unless it is so slow that there is no other.
            "ms": 1e3 * statistics.median(times[1:] or times),
            "megabytes": peak / 1024,
        })  # fmt: skip
    return rows


def run_process(side: str, model: str, batch: int, hidden: int) -> list[Row]:
    environment = {k: v for k, v in os.environ.items() if k not in MALLOC_ENVIRONMENT}
    if side != "default":
        environment |= MALLOC_ENVIRONMENT
    command = [sys.executable, __file__, "--measure", side, model, str(batch), str(hidden)]
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)


def medians(rows: list[Row]) -> list[Row]:
    """One row for each side, model, shape and length, with tokens a second."""
    results = []
    key = ("model", "batch", "hidden", "T", "side")
    for values, group in itertools.groupby(
        sorted(rows, key=lambda r: [str(r[k]) for k in key]), lambda r: tuple(r[k] for k in key)
    ):
        runs = list(group)
        row = dict(zip(key, values, strict=True))
        ms = statistics.median(r["ms"] for r in runs)
        tokens = row["batch"] * TASKS["delay"].length(row["T"])
        results.append({
            **row, "ms": round(ms, 2), "tokens_per_second": round(tokens / ms * 1e3),
            "megabytes": round(statistics.median(r["megabytes"] for r in runs), 1),
            "processes": len(runs),
        })  # fmt: skip
    return results


def table(results: list[Row], T: int) -> Table:
    """Milliseconds a step of each side, and the ratios."""
    ms = {(r["model"], r["batch"], r["hidden"], r["side"]): r["ms"] for r in results if r["T"] == T}
    shown = Table(title=f"ms a step, T = {T}, one thread", title_justify="left")
    shown.add_column("model (B, H)")
    for name in (*SIDES, *(f"{a}\n/ {b}" for a, b in RATIOS)):
        shown.add_column(name, justify="right")
    for model, batch, hidden in dict.fromkeys(key[:3] for key in ms):
        of = {side: ms.get((model, batch, hidden, side)) for side in SIDES}
        cells = [f"{of[s]:.0f}" if of[s] else "-" for s in SIDES]
        cells += [f"{of[a] / of[b]:.2f}" if of[a] and of[b] else "-" for a, b in RATIOS]
        shown.add_row(f"{model} ({batch}, {hidden})", *cells)
    return shown


def memory_table(results: list[Row], T: int) -> Table:
    """Peak memory of a step."""
    mb = {(r["model"], r["batch"], r["hidden"], r["side"]): r["megabytes"]
          for r in results if r["T"] == T}  # fmt: skip
    shown = Table(title=f"peak memory of a step, MB, T = {T}", title_justify="left")
    for name in ("model (B, H)", "settings", "fp32", "fp32 / settings"):
        shown.add_column(name, justify="left" if "model" in name else "right")
    for model, batch, hidden in dict.fromkeys(key[:3] for key in mb):
        plain, ours = (mb.get((model, batch, hidden, s)) for s in ("settings", "fp32"))
        if plain and ours:
            shown.add_row(
                f"{model} ({batch}, {hidden})", f"{plain:.0f}", f"{ours:.0f}", f"{ours / plain:.2f}"
            )
    return shown


def draw(results: list[Row], path: Path) -> None:
    """Tokens a second of every side at T = 1000, one panel a shape."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shapes = [s for s in SHAPES if any((r["batch"], r["hidden"]) == s for r in results)]
    figure, panels = plt.subplots(
        1, len(shapes), figsize=(3.2 * len(shapes), 3.4), squeeze=False, layout="constrained"
    )
    sides = [s for s in SIDES if s != "floor"]
    for panel, (batch, hidden) in zip(panels[0], shapes, strict=True):
        for i, side in enumerate(sides):
            rates = [
                next((r["tokens_per_second"] for r in results
                      if (r["model"], r["batch"], r["hidden"], r["T"], r["side"])
                      == (model, batch, hidden, 1000, side)), 0)
                for model in MODELS
            ]  # fmt: skip
            positions = [x + (i - 2) * 0.16 for x in range(len(MODELS))]
            panel.bar(positions, [r / 1e3 for r in rates], 0.16, label=side, color=f"C{i}")
        panel.set_title(f"batch {batch}, hidden {hidden}", fontsize=10)
        panel.set_xticks(range(len(MODELS)), list(MODELS))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("thousand tokens a second")
    panels[0][0].legend(fontsize=8, frameon=False)
    figure.suptitle("Training speed on one core, T = 1000", fontsize=11)
    figure.savefig(path, dpi=120)


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="processes a side (default: 3)")
    parser.add_argument("--quick", action="store_true", help="(64, 128) alone, one round")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), metavar="DIR")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        side, model, batch, hidden = args.measure
        print(json.dumps(measure(side, model, int(batch), int(hidden))))
        return
    console = Console()
    sides = [s for s in SIDES if s != "bf16" or kernels.have_bf16()]
    shapes, rounds = (((64, 128),), 1) if args.quick else (SHAPES, args.rounds)
    runs = list(itertools.product(range(rounds), shapes, MODELS, sides))
    rows: list[Row] = []
    for i, (number, (batch, hidden), model, side) in enumerate(runs):
        # A plain loop in a default process takes minutes a step: once is enough.
        if side == "default" and number > 0:
            continue
        rows += run_process(side, model, batch, hidden)
        last = rows[-1]
        print(f"{i + 1} of {len(runs)}: {model} ({batch}, {hidden}) {side}: {last['ms']:.1f} ms",
              file=sys.stderr)  # fmt: skip
    results = medians(rows)
    args.output.mkdir(parents=True, exist_ok=True)
    with (args.output / "throughput.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(results[0]))
        writer.writeheader()
        writer.writerows(results)
    draw(results, args.output / "throughput.png")
    console.print(f"{processor()}, torch {torch.__version__}, kernels {compiled_kernels()}")
    for T in DELAYS:
        console.print(table(results, T))
    console.print(memory_table(results, max(DELAYS)))
    console.print(f"written: {args.output}/throughput.csv and .png")


if __name__ == "__main__":
    main()
