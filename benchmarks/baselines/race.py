"""Runs one search for real, in a process of its own, until it has solved T or its time is up."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.baselines.results import FILE, Taken, taken
from copytask import MALLOC_ENVIRONMENT
from search.config.study_config import StudyConfig
from search.errors import SearchFailedError, UserError
from search.study.warm_start import warm_started

ROOT = Path(__file__).parents[2]

LOOK_INTERVAL = 0.1
"""Seconds between two looks at the results; each result has its time, so the clock is exact."""

PATIENCE = 60.0
"""Seconds that an interrupted search has to end."""

LISTENER = "benchmarks.baselines.listener:RaceListener"
STUDY = "race"

OURS = "ours"
RANDOM = "random search"

OF_THIS_PROJECT: Mapping[str, tuple[str, ...]] = {
    OURS: (),
    RANDOM: ("--sampler", "random", "--scheduler", "none"),
}
"""Side -> options of ``search.run``."""

ON_LADDER = ("--metric", "ladder_accuracy")

OTHERS: Mapping[str, tuple[str, ...]] = {
    "Ray Tune: OptunaSearch, ASHA": ("ray_tune",),
    "Optuna: TPE, Hyperband": ("optuna_hyperband",),
    "Syne Tune: ASHA": ("syne_tune_asha",),
    "Syne Tune: ASHACQR": ("syne_tune_asha", "--scheduler", "ASHACQR"),
    "Syne Tune: BOHB": ("syne_tune_asha", "--scheduler", "BOHB"),
    "Ray Tune, ladder accuracy": ("ray_tune", *ON_LADDER),
    "Optuna, ladder accuracy": ("optuna_hyperband", *ON_LADDER),
    "Syne Tune: ASHA, ladder accuracy": ("syne_tune_asha", *ON_LADDER),
}
"""Side -> its script beside this file, and options. The first ones see the accuracy at T, as a user
would write it."""

SIDES = (*OF_THIS_PROJECT, *OTHERS)

Point = Mapping[str, Any]
"""The values of a configuration."""


@dataclass(frozen=True)
class Search:
    """A search that is to be run.

    Attributes:
        side: one of :data:`SIDES`.
        options: ``--model``, ``--config``, ``--set`` and ``--seed``, the same for all sides.
        T: the length that is to be solved.
        workers: trials at once.
        minutes: its limit.
        initial: configurations that it tries first.
        solved_trials: it ends when so many trials have solved T.
    """

    side: str
    options: Sequence[str]
    T: int
    workers: int
    minutes: float
    initial: Sequence[Point] = ()
    solved_trials: int = 1

    def command(self, storage: Path) -> list[str]:
        """The command that runs it.

        Args:
            storage: where this project's study is to be.
        """
        points = json.dumps(list(self.initial))
        if self.side in OF_THIS_PROJECT:
            return [
                sys.executable, "-m", "search.run", *self.options, "--T", str(self.T),
                "--max-concurrent", str(self.workers), "--storage", str(storage),
                "--name", STUDY, "--quiet", "--set", f"search.loggers=[{LISTENER}]",
                "--set", f"search.initial={points}", *OF_THIS_PROJECT[self.side],
            ]  # fmt: skip
        script, *own = OTHERS[self.side]
        return [
            sys.executable, "-m", f"benchmarks.baselines.{script}", *self.options, *own,
            "--T", str(self.T), "--workers", str(self.workers), "--initial", points,
        ]  # fmt: skip

    def run(self) -> Taken:
        """Run it; see :func:`run`."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return run(self, Path(folder))

    def run_for_points(self, config: StudyConfig) -> tuple[Taken, list[Point]]:
        """Run it, and name the configurations that this project would try first at the next T.

        Args:
            config: of the search at the next T.

        Raises:
            SearchFailedError: as for :func:`run`, or no trial has reported anything.
        """
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            took = run(self, Path(folder))
            try:
                warm = warm_started(config, str(Path(folder) / STUDY), Path(folder)).search.warm
            except UserError as error:
                raise SearchFailedError(str(error)) from None
        return took, list(warm[0].points)


def run(search: Search, folder: Path) -> Taken:
    """Run a search in a process of its own, and say what it took.

    The clock begins when the process is started. It ends when the search learns that T is solved.

    Args:
        folder: for its files.

    Raises:
        SearchFailedError: it ended before T was solved and before its time was up, or none of its
            trials has reported anything.
    """
    results, errors = folder / "results", folder / "errors"
    results.touch()
    limit = 60 * search.minutes
    environment = {**os.environ, **MALLOC_ENVIRONMENT, "OMP_NUM_THREADS": "1", FILE: str(results)}
    with errors.open("w") as stderr:
        start = time.monotonic()
        process = subprocess.Popen(
            search.command(folder), cwd=ROOT, env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip
        took = taken(results, start, limit)
        try:
            while process.poll() is None and time.monotonic() < start + limit and not took.solved:
                time.sleep(LOOK_INTERVAL)
                took = taken(results, start, limit, search.solved_trials)
        finally:
            early = process.poll() is not None
            end(process)
    took = taken(results, start, limit, search.solved_trials)
    if early and not took.solved:
        last = errors.read_text().strip().splitlines()[-1:] or ["no message"]
        raise SearchFailedError(
            f"{search.side} ended with exit code {process.returncode}: {last[0]}"
        )
    if not took.trials:
        raise SearchFailedError(f"{search.side}: no trial has reported anything in its time")
    return took


def end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a search, and leave nothing of it that would slow down the next one."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # the group that start_new_session made for it
    process.wait()
