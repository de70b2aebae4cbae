"""Does training take as long as it did at an earlier commit?

    python -m benchmarks.since COMMIT            (ten minutes)
    python -m benchmarks.since COMMIT --models lstm mgru --rounds 4

Checks out the commit into a temporary folder, and compiles the kernels of both
versions. Trains each model with the code of both, each time in a process of its
own with one thread; the two take turns. What is timed is a step at T = 1000 and
the evaluation of one payload on the ladder. Each training counts with its
fastest step, as other work on the machine only adds time. Prints the ratio of
these. Writes one row for each training. Needs git, a C compiler, and setuptools
as the extra `benchmarks` has it.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cells import CELLS
from benchmarks.estimates import bootstrap_t, exponential
from benchmarks.machine import machine
from benchmarks.markdown import NAMES, interval, table
from benchmarks.versions import ROOT, versions
from copytask import MALLOC_ENVIRONMENT
from search.errors import UserError
from studies.command_line import at_least_one

TABLE = Path(__file__).with_suffix(".csv")
EARLIER, NOW = "earlier", "now"

BUILD = (sys.executable, "setup.py", "--quiet", "build_ext", "--inplace")

TRAIN = """
import json, sys, time, torch
from copytask import Trainer, TrainingConfig, compiled_kernels

torch.set_num_threads(1)
trainer = Trainer(TrainingConfig(
    model=sys.argv[1], T=1000, hidden_size=128, batch_size=32, curriculum_length=0,
    tokens_per_iteration=1, validation_payloads=1, precision="fp32", device="cpu",
))
times = []
for _ in range(20):
    start = time.process_time()
    trainer.run_iteration()
    times.append(time.process_time() - start)
print(json.dumps({"seconds": round(min(times), 4), "kernels": compiled_kernels()}))
"""
"""What each side runs: iterations of one step. Both versions must have what it names."""


def run(command: Sequence[str], where: Path, **environment: str) -> str:
    """What a command prints.

    Raises:
        UserError: it fails.
    """
    done = subprocess.run(
        command, cwd=where, env=os.environ | environment, capture_output=True, text=True
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise UserError(f"{Path(command[0]).name} {command[1]} failed: {last}")
    return done.stdout


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """The files of a commit in a temporary folder, with compiled kernels.

    Raises:
        UserError: git has no such commit.
    """
    with TemporaryDirectory() as folder:
        archive = Path(folder, "files.tar")
        files = Path(folder, "files")
        files.mkdir()
        run(("git", "archive", f"--output={archive}", commit), ROOT)
        run(("tar", "-xf", f"{archive}", "-C", f"{files}"), ROOT)
        run(BUILD, files)
        yield files


def train(code: Path, model: str) -> dict[str, Any]:
    """Processor time of a step with the code in a folder, and the kernels that it runs on.

    Raises:
        UserError: the training fails, or there are no compiled kernels.
    """
    command = (sys.executable, "-c", TRAIN, model)
    row: dict[str, Any] = json.loads(run(command, code, **MALLOC_ENVIRONMENT, PYTHONPATH=f"{code}"))
    if row["kernels"] is None:
        raise UserError("there are no compiled kernels: install a C compiler")
    return row


def ratios_table(rows: pd.DataFrame) -> str:
    """The time of each model now, divided by the earlier one, as a Markdown table."""
    (commit,) = rows.loc[rows["side"] == EARLIER, "project"].unique()
    lines = []
    for model, of in rows.groupby("model", sort=False):
        wide = of.pivot(index="round", columns="side", values="seconds").dropna()
        logs = np.log((wide[NOW] / wide[EARLIER]).to_numpy())
        middle = wide.median()
        ms = [f"{1e3 * middle[side]:.0f}" for side in (EARLIER, NOW)]
        ratio = interval(exponential(bootstrap_t(logs)), 2)
        lines.append([NAMES.get(str(model), f"`{model}`"), *ms, ratio, str(len(logs))])
    return table(["model", f"ms a step at {commit}", NOW, "ratio [95 %]", "pairs"], lines)


def measure(commit: str, models: Sequence[str], rounds: int, output: Path) -> pd.DataFrame:
    """Train each model on both sides in each round; the file is written after each."""
    rows = []
    now = {**versions(("copytask",), ["torch"]), "machine": machine()}
    then = run(("git", "rev-parse", "--short=10", f"{commit}^{{commit}}"), ROOT).strip()
    run(BUILD, ROOT)
    with checkout(then) as earlier:
        sides = [(EARLIER, earlier, now | {"project": then}), (NOW, ROOT, now)]
        for number in range(rounds):
            for model in models:
                for side, folder, known in sides if number % 2 else reversed(sides):
                    row = {"model": model, "round": number, "side": side, **train(folder, model)}
                    rows.append(row | known)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            pd.DataFrame(rows).to_csv(output, index=False)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.since",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("commit", help="what to compare with; its package has a Trainer")
    parser.add_argument("--models", nargs="+", default=CELLS, help="default: the four gated cells")
    parser.add_argument(
        "--rounds", type=at_least_one, default=10, help="pairs (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=TABLE, help="default: benchmarks/since.csv")
    args = parser.parse_args()
    try:
        rows = measure(args.commit, list(dict.fromkeys(args.models)), args.rounds, args.output)
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(f"interrupted; rounds that were complete are in {args.output}")
    print(machine())
    print(ratios_table(rows))


if __name__ == "__main__":
    main()
