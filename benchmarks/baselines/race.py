"""Searches for real, one after the other, each until its first trial has solved T."""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import study_format as files
from benchmarks.replay.sides import OURS, RANDOM
from copytask import MALLOC_ENVIRONMENT
from search.config import load_config
from search.errors import UserError

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
"""seconds since the start of the process, tokens of all trials, trials, solved."""


def race(args: argparse.Namespace) -> Iterator[Result]:
    """Run the sides for each model and seed, one search at a time, and yield what came of each.

    Args:
        args: those of ``benchmarks.search_efficiency``.

    Raises:
        UserError: a side of ``args`` is only replayed.
    """
    runs: dict[str, Callable[..., Result]] = {
        OURS: run_ours,
        RANDOM: partial(run_ours, random=True),
        **{side: partial(run_other, script=script) for side, script in OTHERS.items()},
    }
    sides = args.sides or list(runs)
    if only_replayed := [side for side in sides if side not in runs]:
        raise UserError(f"--real: {', '.join(only_replayed)} can only be replayed")
    for model in args.model:
        config = load_config(args.config, args.set, {"model": model})
        options = ["--model", model, "--config", str(args.config)]
        options += ["--set", f"training.precision={config.measure_precision()}"]
        options += [part for text in args.set for part in ("--set", text)]
        for seed in range(args.races):
            for side in sides:
                command = [*options, "--T", str(config.T[-1]), "--seed", str(seed)]
                outcome = {"model": model, "side": side, "seed": seed, **runs[side](args, command)}
                print(json.dumps(outcome), file=sys.stderr, flush=True)
                yield outcome


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
