"""Runs real searches one after the other, each until its first trial has solved T."""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.replay.sides import IN_ORDER, OURS, RANDOM, sides_of
from copytask import MALLOC_ENVIRONMENT
from search.config.reading import load_config
from search.errors import UserError
from search.study.event_log import read_events
from studies import events
from studies import format as files

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

ENDED_BY_SIGINT = 130
"""Exit code of a search that was interrupted."""

Result = dict[str, Any]
"""seconds since the start of the process, tokens of all trials, trials, and whether T is solved;
without what the T before took, which is seconds_before, tokens_before."""


def race(args: argparse.Namespace) -> Iterator[Result]:
    """Run the sides for each model and seed, one search at a time, and yield what came of each.

    Args:
        args: those of ``benchmarks.search_efficiency``.

    Raises:
        UserError: a side of ``args`` is only replayed.
    """
    runs: dict[str, Callable[..., Result]] = {
        OURS: run_ours,
        IN_ORDER: run_ours,
        RANDOM: partial(run_ours, random=True),
        **{side: partial(run_other, script=script) for side, script in OTHERS.items()},
    }
    if only_replayed := [side for side in args.sides or () if side not in runs]:
        raise UserError(f"--real: {', '.join(only_replayed)} can only be replayed")
    for model in args.model:
        config = load_config(args.config, args.set, {"model": model})
        options = ["--model", model, "--config", str(args.config)]
        options += ["--set", f"training.precision={config.measure_precision()}"]
        options += [part for text in args.set for part in ("--set", text)]
        for seed in range(args.races):
            for side in args.sides or sides_of(config.T):
                lengths = config.T if side == IN_ORDER else config.T[-1:]
                result = runs[side](args, [*options, "--seed", str(seed)], lengths)
                outcome = {"model": model, "side": side, "seed": seed, **result}
                print(json.dumps(outcome), file=sys.stderr, flush=True)
                yield outcome


def run_ours(
    args: argparse.Namespace, options: list[str], lengths: list[int], random: bool = False
) -> Result:
    """This project's search, or a random one without early stopping by the same program.

    The clock stops, and the search is interrupted, when the first trial that solved the largest T
    is in the log of its events.
    """
    settings = ["initial=[]", "trials=100000", "test_payloads=1"]
    target = lengths[-1]
    with tempfile.TemporaryDirectory() as storage:
        command = [
            sys.executable, "-m", "search.run", *options, "--T", *map(str, lengths),
            "--budget-minutes", str(args.minutes), "--max-concurrent", str(args.workers),
            "--storage", storage, "--name", "race", "--quiet",
            *(part for text in settings for part in ("--set", f"search.{text}")),
            *(("--sampler", "random", "--scheduler", "none") if random else ()),
        ]  # fmt: skip
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
        study = Path(storage) / "race"
        while process.poll() is None and not has_solved(study, target):
            time.sleep(LOOK_INTERVAL)
        seconds = time.perf_counter() - start
        process.send_signal(signal.SIGINT)
        if process.wait() not in (0, ENDED_BY_SIGINT):
            sys.exit(f"error: the search failed with exit code {process.returncode}")
        solved = has_solved(study, target)
        began = [
            event.elapsed for event in read_events(study) if isinstance(event, events.LengthBegan)
        ]
        with (study / files.TRIALS_FILE).open(newline="") as file:
            trials = list(csv.DictReader(file))
    if len(began) < len(lengths):
        sys.exit(f"error: the search did not come to T = {target}; give it more --minutes")
    before = began[-1] - began[0]
    tokens = dict.fromkeys(lengths, 0)
    for trial in trials:
        tokens[int(trial["T"])] += int(trial["tokens"] or 0)
    return {
        "seconds": round(seconds - before, 1),
        "tokens": tokens.pop(target),
        "trials": sum(int(trial["T"]) == target for trial in trials),
        "solved": solved,
        "seconds_before": round(before, 1),
        "tokens_before": sum(tokens.values()),
    }


def has_solved(study: Path, T: int) -> bool:
    """Whether a trial of this study has solved T."""
    return any(
        isinstance(event, events.Result)
        and event.trial_id.startswith(f"T{T}-")
        and event.metrics.tokens_to_solve is not None
        for event in read_events(study)
    )


def run_other(
    args: argparse.Namespace, options: list[str], lengths: list[int], script: tuple[str, ...]
) -> Result:
    """Another library's search, by a script beside this file, which prints its result."""
    name, *own = script
    command = [
        sys.executable, "-m", f"benchmarks.baselines.{name}", *options, *own,
        "--T", str(lengths[-1]), "--minutes", str(args.minutes), "--workers", str(args.workers),
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
