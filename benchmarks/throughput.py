"""How fast is a training step, compared with plain PyTorch and with its matrix products alone?

    python -m benchmarks.throughput                  (half an hour)
    python -m benchmarks.throughput --quick          (one shape, one round)
    python -m benchmarks.published docs/training.md  (print the tables)

A step is the forward and backward pass of one batch of the delay task. Each
variant runs in its own processes with one thread, and the variants take turns:

    default   plain PyTorch in a default process: nn.LSTM and nn.GRU; where torch has no such cell,
              the equations in a loop under autograd
    settings  the same, with denormals flushed and with malloc keeping its memory
    fallback  copytask without its compiled kernels, with the settings
    fp32      copytask, with the settings
    bf16      copytask with products in bfloat16, on processors that have them
    floor     only the matrix products of a step, in fp32 by torch, with the settings

Writes throughput.csv and throughput.png.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas
import torch
from rich import box
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from benchmarks.cells import CELLS
from benchmarks.machine import machine
from benchmarks.markdown import NAMES, table
from copytask import MALLOC_ENVIRONMENT, TASKS, build_model
from copytask.engine import kernels
from studies.command_line import at_least_one

ROOT = Path(__file__).parents[1]
SIDES = ("default", "settings", "fallback", "fp32", "bf16", "floor")
LABELS = {
    "default": "PyTorch, default process", "settings": "PyTorch, process settings",
    "fallback": "copytask, no compiler", "fp32": "copytask, fp32", "bf16": "copytask, bf16",
}  # fmt: skip
SHAPES = ((32, 64), (64, 128), (64, 256), (128, 256))  # (batch, hidden)
DELAYS = (100, 1000)  # T; sequences are 20 tokens longer
SECONDS = 2.0  # measured a length, or one step where that takes longer
RATIOS = (
    "default / fp32", "default / bf16", "settings / fp32", "settings / bf16",
    "settings / fallback", "fp32 / floor", "bf16 / floor",
)  # fmt: skip
Row = dict[str, Any]


def training_step(side: str, model: str, batch: int, hidden: int, T: int) -> Callable[[], None]:
    plain = "torch" if model in ("lstm", "gru") else "reference"
    implementation = plain if side in ("default", "settings") else "auto"
    network = build_model(model, hidden, implementation=implementation)
    tokens, targets = TASKS["delay"].sample_batch(torch.Generator(), batch, T)

    def step() -> None:
        logits = network(tokens, recalled=len(targets))
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
        kernels.library = lambda: None  # type: ignore[assignment]
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
    command = [
        sys.executable, "-m", "benchmarks.throughput",
        "--measure", side, model, str(batch), str(hidden),
    ]  # fmt: skip
    result = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)


def medians(rows: list[Row]) -> pandas.DataFrame:
    """One row for each side, model, shape and length, with tokens a second."""
    key = ["model", "batch", "hidden", "T", "side"]
    results = (
        pandas.DataFrame(rows)
        .groupby(key, as_index=False)
        .agg(ms=("ms", "median"), megabytes=("megabytes", "median"), processes=("ms", "size"))
    )
    tokens = results["batch"] * results["T"].map(TASKS["delay"].length)
    rates = (tokens / results["ms"] * 1e3).round().astype(int)
    results.insert(results.columns.get_loc("ms") + 1, "tokens_per_second", rates)
    return results.round({"ms": 2, "megabytes": 1})


def by_side(results: list[Row], T: int, value: str) -> dict[tuple[str, int, int], Row]:
    """(model, batch, hidden) -> side -> a value at this length, small shapes first."""
    found: dict[tuple[str, int, int], Row] = {}
    for row in sorted(results, key=lambda r: (r["batch"] * r["hidden"] ** 2, r["model"])):
        if row["T"] == T:
            of = found.setdefault((row["model"], row["batch"], row["hidden"]), {})
            of[row["side"]] = row[value]
    return found


def print_table(
    title: str, results: dict[tuple[str, int, int], Row], columns: Sequence[str]
) -> None:
    """A row a model and shape; a column is a side, or the ratio of two as "a / b"."""
    shown = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    shown.add_column("model   B   H", no_wrap=True)
    for column in columns:
        shown.add_column(column.replace(" / ", "\n/"), justify="right")
    for (model, batch, hidden), of in results.items():
        cells = []
        for column in columns:
            above, _, below = column.partition(" / ")
            if above not in of or (below and below not in of):
                cells.append("-")
            else:
                cells.append(f"{of[above] / of[below]:.2f}" if below else f"{of[above]:.0f}")
        shown.add_row(f"{model:5} {batch:>3} {hidden:>3}", *cells)
    Console().print(shown)


def step_table(rows: pandas.DataFrame, batch: int = 64, hidden: int = 128, T: int = 1000) -> str:
    """Milliseconds of a step of each cell, as a Markdown table of one shape."""
    shown = {
        "default": "PyTorch", "settings": "PyTorch, tuned process", "fp32": "copytask fp32",
        "bf16": "copytask bf16", "floor": "products alone",
    }  # fmt: skip
    of_shape = rows[(rows["batch"] == batch) & (rows["hidden"] == hidden) & (rows["T"] == T)]
    ms = of_shape.set_index(["model", "side"])["ms"]
    lines = [[NAMES[model], *(f"{ms[model, side]:.0f}" for side in shown)] for model in CELLS]
    return table(["ms a training step", *shown.values()], lines)


COMPARED = {
    "fp32, times as fast as PyTorch in a tuned process": ("ms", "settings / fp32"),
    "bf16, the same": ("ms", "settings / bf16"),
    "fp32, times as fast as without a compiler": ("ms", "fallback / fp32"),
    "memory of a step in fp32, in parts of that of PyTorch": ("megabytes", "fp32 / settings"),
}


def ranges_table(processors: Mapping[str, pandas.DataFrame]) -> str:
    """The least and the largest ratio over all cells and shapes, as a Markdown table.

    Args:
        processors: the rows that were measured on each.
    """
    header = [f"{name}, T = {T}" for name in processors for T in DELAYS]
    lines = []
    for what, (value, ratio) in COMPARED.items():
        above, _, below = ratio.partition(" / ")
        cells = []
        for rows in processors.values():
            for T in DELAYS:
                of = [
                    sides[above] / sides[below]
                    for sides in by_side(rows.to_dict("records"), T, value).values()
                    if above in sides and below in sides
                ]
                cells.append(f"{min(of):.2f} to {max(of):.2g}" if of else "")
        lines.append([what, *cells])
    return table(["over four cells and four shapes", *header], lines)


def report(results: list[Row], picture: Path) -> None:
    """Print the tables and draw the figure."""
    for T in DELAYS:
        ms = by_side(results, T, "ms")
        print_table(f"ms a step, T = {T}, one thread", ms, SIDES)
        print_table(f"ratios, T = {T}", ms, RATIOS)
    memory = by_side(results, max(DELAYS), "megabytes")
    columns = ("settings", "fp32", "fp32 / settings")
    print_table(f"peak memory of a step, MB, T = {max(DELAYS)}", memory, columns)
    draw(results, picture)


def draw(results: list[Row], path: Path) -> None:
    """Tokens a second of every side at T = 1000, one panel a shape."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shapes = [s for s in SHAPES if any((r["batch"], r["hidden"]) == s for r in results)]
    figure, panels = plt.subplots(
        1, len(shapes), figsize=(3.2 * len(shapes), 3.4), squeeze=False, layout="constrained"
    )
    sides = [s for s in SIDES if s != "floor"]
    rate = by_side(results, 1000, "tokens_per_second")
    for panel, (batch, hidden) in zip(panels[0], shapes, strict=True):
        for i, side in enumerate(sides):
            rates = [rate[model, batch, hidden].get(side, 0) for model in CELLS]
            positions = [x + (i - 2) * 0.16 for x in range(len(CELLS))]
            panel.bar(positions, [r / 1e3 for r in rates], 0.16, label=side, color=f"C{i}")
        panel.set_title(f"batch {batch}, hidden {hidden}", fontsize=10)
        panel.set_xticks(range(len(CELLS)), CELLS)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0][0].set_ylabel("thousand tokens a second")
    handles, _ = panels[0][0].get_legend_handles_labels()
    labels = [LABELS[side] for side in sides]
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    figure.suptitle("Training speed on one core, T = 1000", fontsize=11)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rounds",
        type=at_least_one,
        default=3,
        help="processes of each variant (default: %(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of one shape: batch 64, hidden size 128"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("benchmarks"),
        metavar="DIR",
        help="folder to write to (default: %(default)s)",
    )
    parser.add_argument(
        "--show", action="store_true", help="print the last results; do not measure"
    )
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        side, model, batch, hidden = args.measure
        print(json.dumps(measure(side, model, int(batch), int(hidden))))
        return
    file, picture = args.output / "throughput.csv", args.output / "throughput.png"
    if args.show:
        report(pandas.read_csv(file).to_dict("records"), picture)
        return
    sides = [s for s in SIDES if s != "bf16" or kernels.have_bf16()]
    shapes, rounds = (((64, 128),), 1) if args.quick else (SHAPES, args.rounds)
    runs = list(itertools.product(range(rounds), shapes, CELLS, sides))
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
    results.to_csv(file, index=False)
    print(f"{machine()}, torch {torch.__version__}")
    report(results.to_dict("records"), picture)
    print(f"written: {file} and {picture}")


if __name__ == "__main__":
    main()
