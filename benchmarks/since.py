"""Does training take as long as it did at an earlier commit?

    python -m benchmarks.since COMMIT            (five minutes)
    python -m benchmarks.since COMMIT --models lstm mgru --rounds 4

Checks out the commit into a temporary folder and compiles its kernels there.
Trains each model with the code of both, each time in a process of its own with
one thread; the two take turns. Each training counts with its fastest step, as
other work on the machine only adds time. Prints the ratio of these. Writes one
row for each training. Needs git and a C compiler.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.cells import CELLS
from benchmarks.estimates import bootstrap_t, exponential
from benchmarks.machine import machine
from benchmarks.markdown import NAMES, interval, table
from benchmarks.versions import ROOT
from copytask import MALLOC_ENVIRONMENT
from search.errors import UserError

TABLE = Path(__file__).with_suffix(".csv")
NOW = "now"

TRAIN = """
import sys, time, torch
from copytask import Trainer, TrainingConfig

torch.set_num_threads(1)
trainer = Trainer(TrainingConfig(
    model=sys.argv[1], T=1000, curriculum_length=0, tokens_per_iteration=1, validation_payloads=1,
    device="cpu",
))
times = []
for _ in range(20):
    start = time.process_time()
    trainer.run_iteration()
    times.append(time.process_time() - start)
print(min(times))
"""
"""What each side runs: iterations of one step at T = 1000. Both versions have what it names."""


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """The files of a commit in a temporary folder, with compiled kernels.

    Raises:
        UserError: git has no such commit, or its kernels do not compile.
    """
    with TemporaryDirectory() as folder:
        archive = Path(folder, "files.tar")
        files = Path(folder, "files")
        files.mkdir()
        commands = (
            (("git", "archive", f"--output={archive}", commit), ROOT),
            (("tar", "-xf", str(archive), "-C", str(files)), ROOT),
            ((sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"), files),
        )
        for command, where in commands:
            done = subprocess.run(command, cwd=where, capture_output=True, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no output"])[-1]
                raise UserError(f"cannot prepare commit {commit}: {' '.join(command[:2])}: {last}")
        yield files


def seconds(code: Path, model: str) -> float:
    """Processor time of a training step with the code in a folder."""
    environment = os.environ | MALLOC_ENVIRONMENT | {"PYTHONPATH": str(code)}
    done = subprocess.run(
        (sys.executable, "-c", TRAIN, model),
        cwd=code, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def ratios_table(rows: pd.DataFrame, commit: str) -> str:
    """The time of each model now, divided by that at the commit, as a Markdown table."""
    lines = []
    for model, of in rows.groupby("model", sort=False):
        wide = of.pivot(index="round", columns="code", values="seconds")
        logs = np.log((wide[NOW] / wide[commit]).to_numpy())
        middle = wide.median()
        ratio = interval(exponential(bootstrap_t(logs)), 3)
        name = NAMES.get(str(model), str(model))
        ms = [f"{1e3 * middle[code]:.0f}" for code in (commit, NOW)]
        lines.append([name, *ms, ratio, str(len(logs))])
    return table(["model", f"ms a step at {commit}", NOW, "ratio [95 %]", "pairs"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.since",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("commit", help="what to compare with; its package has a Trainer")
    parser.add_argument("--models", nargs="+", default=CELLS, help="default: the four gated cells")
    parser.add_argument("--rounds", type=int, default=10, help="pairs (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=TABLE, help="default: benchmarks/since.csv")
    args = parser.parse_args()
    rows = []
    try:
        with checkout(args.commit) as earlier:
            for number in range(args.rounds):
                sides = [(args.commit, earlier), (NOW, ROOT)]
                for model in args.models:
                    for code, folder in sides if number % 2 else reversed(sides):
                        took = seconds(folder, model)
                        rows.append({"model": model, "round": number, "code": code,
                                     "seconds": round(took, 4), "machine": machine()})  # fmt: skip
                print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
                pd.DataFrame(rows).to_csv(args.output, index=False)
    except UserError as error:
        sys.exit(f"error: {error}")
    print(machine())
    print(ratios_table(pd.DataFrame(rows), args.commit))


if __name__ == "__main__":
    main()
