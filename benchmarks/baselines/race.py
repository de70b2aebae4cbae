"""Every search once for real, one after the other, until its first trial has solved T."""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

import study_format as files
from benchmarks.replay.sides import OURS
from benchmarks.replay.statistics import median
from benchmarks.replay.tables import to_solve
from copytask import MALLOC_ENVIRONMENT
from search.config import load_config

ROOT = Path(__file__).parents[2]
LOOK_INTERVAL = 0.5
"""Seconds between two looks at a study."""

OTHERS = {
    "Ray Tune: OptunaSearch, ASHA": ("ray_tune",),
    "Optuna: TPE, Hyperband": ("optuna_hyperband",),
    "Syne Tune: ASHA": ("syne_tune_asha", "--scheduler", "ASHA"),
    "Syne Tune: ASHACQR": ("syne_tune_asha", "--scheduler", "ASHACQR"),
    "Syne Tune: BOHB": ("syne_tune_asha", "--scheduler", "BOHB"),
}
"""Side -> its script and options."""

Result = dict[str, Any]
"""side, seconds since the start of the process, tokens of all trials, trials, solved."""


def race_table(args: argparse.Namespace, replayed: pd.DataFrame) -> str:
    """Run all sides for each model; real seconds beside the replayed ones.

    Args:
        args: those of ``benchmarks.search_efficiency``.
        replayed: the rows of search_efficiency.csv.
    """
    lines = []
    for model in args.model:
        config = load_config(args.config, args.set, {"model": model})
        options = ["--model", model, "--T", str(config.T[-1]), "--config", str(args.config)]
        options += ["--set", f"training.precision={config.measure_precision()}"]
        options += [part for text in args.set for part in ("--set", text)]
        runs = [
            partial(run_ours, args, options),
            partial(run_ours, args, options, random=True),
            *(partial(run_other, args, options, script) for script in OTHERS.values()),
        ]
        results = []
        for run in runs:
            results.append(run())
            print(json.dumps({"model": model} | results[-1]), file=sys.stderr, flush=True)
        lines += _lines(model, results, replayed[replayed["model"] == model])
    return "\n".join(lines)


def run_ours(args: argparse.Namespace, options: list[str], random: bool = False) -> Result:
    """This project's search, or a random one without early stopping by the same program.

    The clock stops when the first trial that solved T is in the log of its events.
    """
    settings = ["solved_trials=1", "initial=[]", "trials=100000", "test_payloads=1"]
    with tempfile.TemporaryDirectory() as storage:
        command = [
            sys.executable, "-m", "search.run", *options,
            "--budget-minutes", str(args.minutes), "--max-concurrent", str(args.workers),
            "--storage", storage, "--name", "race", "--quiet",
            *(part for text in settings for part in ("--set", f"search.{text}")),
            *(("--sampler", "random", "--scheduler", "none") if random else ()),
        ]  # fmt: skip
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
        study = Path(storage) / "race"
        seconds = None
        while process.poll() is None:
            time.sleep(LOOK_INTERVAL)
            if seconds is None and has_solved(study / files.EVENTS_FILE):
                seconds = time.perf_counter() - start
        if process.returncode:
            sys.exit(f"error: the search failed with exit code {process.returncode}")
        with (study / files.TRIALS_FILE).open(newline="") as file:
            trials = list(csv.DictReader(file))
    return {
        "side": "random search" if random else OURS,
        "seconds": round(seconds or time.perf_counter() - start, 1),
        "tokens": sum(int(trial["tokens"] or 0) for trial in trials),
        "trials": len(trials),
        "solved": any(trial["tokens_to_solve"] for trial in trials),
    }


def has_solved(events: Path) -> bool:
    """Whether a trial of this study has solved its T."""
    if not events.exists():
        return False
    content = events.read_text()
    return content.count('"tokens_to_solve":') > content.count('"tokens_to_solve":null')


def run_other(args: argparse.Namespace, options: list[str], script: tuple[str, ...]) -> Result:
    """Another library's search, by a script beside this file, which prints its result."""
    name, *own = script
    command = [
        sys.executable, "-m", f"benchmarks.baselines.{name}", *options, *own,
        "--minutes", str(args.minutes), "--workers", str(args.workers),
    ]  # fmt: skip
    process = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    try:
        result: Result = json.loads(process.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        sys.exit(f"error: {name} printed no result:\n{process.stderr[-2000:]}")
    return result


def environment() -> dict[str, str]:
    """The same for all sides: one thread a trial, and the allocator that suits training."""
    return {**os.environ, **MALLOC_ENVIRONMENT, "OMP_NUM_THREADS": "1"}


def _lines(model: str, results: list[Result], replayed: pd.DataFrame) -> list[str]:
    own = results[0]["seconds"]
    medians = {side: median(to_solve(rows)[0]).value for side, rows in replayed.groupby("side")}
    lines = [
        f"{model}, trained for real: from the start of a process until a trial has solved T",
        f"{'':36} {'solved':>6} {'seconds':>8} {'ratio':>6} {'M tokens':>9} {'trials':>6} "
        f"{'replayed s':>10} {'ratio':>6}",
    ]
    for result in results:
        side, seconds = result["side"], result["seconds"]
        line = (
            f"{side:36} {'yes' if result['solved'] else 'no':>6} {seconds:8.1f} "
            f"{'' if result['solved'] else '>'}{seconds / own:5.2f} "
            f"{result['tokens'] / 1e6:9.1f} {result['trials']:6}"
        )
        if side in medians and OURS in medians:
            line += f" {medians[side]:10.0f} {medians[side] / medians[OURS]:6.2f}"
        lines.append(line)
    return [*lines, ""]
