"""What does a search cost in addition to the training: memory, disk and time?

    python -m benchmarks.null_trials [--trials 2000] [--sampler tpe|random] [--scheduler asha|none]

Runs a real search whose trials train on a single sequence of one symbol, and
watches its processes from outside: processor time of the driver, resident
memory of the driver and its workers, size of the study directory. Takes two
minutes for 2,000 trials. Reads /proc, so it needs Linux. Writes
benchmarks/null_trials.csv.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.options import add_output
from studies.command_line import at_least_one

ROOT = Path(__file__).parent.parent
STEPS = 10
"""Rows of the table."""

SETTINGS = {
    "training.batch_size": 1,
    "training.tokens_per_iteration": 1,
    "training.max_tokens": 1,
    "training.validation_payloads": 1,
    "training.precision": "fp32",
    "search.solved_trials": 10**6,
    "search.patience": "null",
    "search.budget_minutes": "null",
    "search.initial": "[]",
    "search.test_payloads": 1,
    "space.hidden_size": "{low: 1, high: 64}",
}


def memory(pid: int) -> float:
    """Resident memory of a process in MB; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def processor_time(pid: int) -> float:
    """Seconds that all threads of a process have computed, which other work hardly stretches."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def workers() -> list[int]:
    """Processes that run trials."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::CopyTrainable" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def size(folder: Path) -> float:
    """Size of all files below a folder in MB."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total / 1e6


def ended_trials(events: Path) -> int:
    """Trials that have reported: a null trial has one result, which is its last."""
    return events.read_text().count('"event":"result"') if events.exists() else 0


def start_search(study: Path, trials: int, options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """A search over null trials, in a process of its own, that makes this study directory."""
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    command = [
        sys.executable, "-m", "search.run", "--model", "gru", "--task", "sequence", "--T", "1",
        "--trials", str(trials), "--storage", str(study.parent), "--name", study.name,
        *options, *settings,
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def measure(trials: int, options: list[str]) -> list[dict[str, float]]:
    """Run the search; one row at the start and one for each further tenth of the trials."""
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as storage:
        study = Path(storage) / "null"
        process = start_search(study, trials, options)
        start = 0.0
        while process.poll() is None:
            done = ended_trials(study / "events.jsonl")
            start = start or (time.perf_counter() if done else 0.0)
            if done and done >= len(rows) * trials / STEPS:
                rows.append(
                    {
                        "trials": done,
                        "seconds": time.perf_counter() - start,
                        "driver_seconds": processor_time(process.pid),
                        "driver_mb": memory(process.pid),
                        "worker_mb": max(map(memory, workers()), default=0.0),
                        "study_mb": size(study),
                    }
                )
                print(
                    f"{done:6} trials  {rows[-1]['seconds']:6.1f} s  "
                    f"driver {rows[-1]['driver_mb']:6.1f} MB  "
                    f"worker {rows[-1]['worker_mb']:6.1f} MB  study {rows[-1]['study_mb']:6.1f} MB",
                    flush=True,
                )
            time.sleep(0.2)
        if process.returncode:
            raise SystemExit(f"the search failed with exit code {process.returncode}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.null_trials",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--trials", type=at_least_one, default=2000, help="number of trials (default: %(default)s)"
    )
    parser.add_argument(
        "--sampler", default="tpe", help="sampler of the search (default: %(default)s)"
    )
    parser.add_argument(
        "--scheduler", default="asha", help="scheduler of the search (default: %(default)s)"
    )
    add_output(parser, Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    rows = measure(args.trials, ["--sampler", args.sampler, "--scheduler", args.scheduler])
    first, last = rows[1], rows[-1]  # the very first trials load what all others use as well
    trials = last["trials"] - first["trials"]
    for name, what in (("seconds", ""), ("driver_seconds", "of the driver's processor time ")):
        print(f"{(last[name] - first[name]) / trials * 1e3:.0f} ms {what}a trial")
    for name in ("driver_mb", "worker_mb", "study_mb"):
        growth = (last[name] - first[name]) / trials * 1e3
        print(f"{name.partition('_')[0]} grows by {growth:.2f} MB per 1,000 trials")
    with args.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(first), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: round(value, 1) for name, value in row.items()} for row in rows)


if __name__ == "__main__":
    main()
