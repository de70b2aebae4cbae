"""Searches as a user starts them, for the tests on real Ray."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import optuna
import pytest
from filelock import FileLock

from search.study.event_log import read_events
from studies import format as files
from studies.events import Event, Result

ROOT = Path(__file__).parents[2]


HOSTS_CONFIG = """
model: gru
task: sequence
T: [3]
training:
  {batch_size: 32, tokens_per_iteration: 20000, max_tokens: 200000, validation_payloads: 32,
   precision: fp32, device: cpu}
space: {learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}, hidden_size: 12}
search:
  {trials: 6, solved_trials: 99, scheduler: none, budget_minutes: null, test_payloads: 100,
   race_seeds: 0, max_failures: 0}
"""

PATIENT_CELL = """
import sys, time
from pathlib import Path
from torch import nn

IN_WORKER = sys.argv[0].endswith("default_worker.py")

class Patient(nn.GRU):
    '''Trains a few iterations in a worker, and waits there until it may go on.'''

    calls = 0

    def forward(self, input, state=None):
        Patient.calls += 1
        while IN_WORKER and Patient.calls > 150 and not Path(__file__).with_name("go").exists():
            time.sleep(0.1)
        return super().forward(input, state)
"""

SHORT_CELL = """
from torch import nn

class Short(nn.RNN):
    def forward(self, input, state=None):
        if len(input) > 5:
            raise RuntimeError("this cell is made for five steps")
        return super().forward(input, state)
"""

SHY_CELL = """
import threading
from torch import nn

class Shy(nn.GRU):
    '''Fails in the thread in which models are tested.'''

    def forward(self, input, state=None):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("I am shy")
        return super().forward(input, state)
"""

SMALL = """
model: gru
task: sequence
T: [1, 2]
training:
  {batch_size: 16, tokens_per_iteration: 8000, max_tokens: 80000, validation_payloads: 32,
   precision: fp32}
space:
  learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}
  hidden_size: 12
  curriculum_length: {low: 1, high: 50}
search:
  {trials: 6, solved_trials: 6, budget_minutes: null, grace_iterations: 1, test_payloads: 200,
   race_seeds: 0, startup_trials: 2, carried_trials: 2,
   initial: [{learning_rate: 1.0e-2, curriculum_length: 10}]}
"""

TIMES = {"seconds", "seconds_to_solve"}
"""Columns that a machine does not repeat."""

started: list[subprocess.Popen] = []


def start(*arguments: object, cwd: Path = ROOT) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    started.append(process)
    return process


def end_all() -> None:
    """End what a test that failed has left running."""
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()
    started.clear()


class Followed(threading.Thread):
    """Reads what a process prints while it prints it; ``lines`` are those so far."""

    def __init__(self, process: subprocess.Popen):
        super().__init__(daemon=True)
        self.lines: list[str] = []
        self._process = process
        self.start()

    def run(self) -> None:
        self.lines.extend(self._process.stdout)

    def say(self, text: str) -> bool:
        """Whether there is a line with this text."""
        return any(text in line for line in self.lines)

    def wait(self) -> int:
        """Wait until the process has ended and all is read; returns its exit code."""
        self.join()
        return self._process.wait()


def run(*arguments: object, cwd: Path = ROOT) -> tuple[int, str, str]:
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate()  # the time limit is the test's
    return process.returncode, out, err


def searched_once(
    temporary: pytest.TempPathFactory, name: str, *arguments: object, cwd: Path = ROOT
) -> tuple[Path, str]:
    """The storage of a finished search, for this process to do with as it likes, and its output.

    Processes of pytest-xdist do not share fixtures: the first one that asks makes the search, and
    each has a copy.
    """
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    shared = (temporary.getbasetemp() if alone else temporary.getbasetemp().parent) / name
    output = shared.with_suffix(".out")
    with FileLock(shared.with_suffix(".lock")):
        if not output.exists():
            code, out, err = run(*arguments, "--storage", shared, cwd=cwd)
            assert (code, err) == (0, "")
            output.write_text(out)
    return Path(shutil.copytree(shared, temporary.mktemp(name) / "runs")), output.read_text()


def read(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def events(study: Path) -> list[Event]:
    """What has happened so far; nothing before there is a study."""
    return list(read_events(study))


def results(study: Path) -> int:
    """Iterations reported so far."""
    return sum(isinstance(event, Result) for event in events(study))


def outcome(study: Path) -> dict[str, list[dict]]:
    """The tables of a study, without the columns that a machine does not repeat."""
    names = (files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE)
    return {
        name: [{k: v for k, v in row.items() if k not in TIMES} for row in read(study / name)]
        for name in names
    }


def optuna_trials(study: Path, T: int) -> list[optuna.trial.FrozenTrial]:
    backend = optuna.storages.journal.JournalFileBackend(str(study / files.OPTUNA_FILE))
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name=f"T={T}", storage=storage).trials


def wait_for(condition, *processes: subprocess.Popen, pause: float = 0.1) -> None:
    """Wait for a state, as long as the test may take; fail if a process ends before."""
    while not condition():
        for process in processes:
            assert process.poll() is None, process.communicate()
        time.sleep(pause)


def children(search: int, name: str) -> list[int]:
    """Processes below that of a search whose command line has this name."""
    listed = subprocess.run(
        ["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    commands = {int(pid): command for pid, _, command in rows}
    below, found = {search}, []
    for _ in range(4):
        below |= {int(pid) for pid, parent, _ in rows if int(parent) in below}
    for pid, parent, command in rows:
        # What a process starts has its command line until it is another program.
        copied = command == commands.get(int(parent))
        if int(pid) in below and name in command and not copied:
            found.append(int(pid))
    return found


def kill(*pids: int) -> None:
    """Kill processes; one may just have ended by itself."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
