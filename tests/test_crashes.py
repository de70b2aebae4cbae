"""What a search loses when a process dies or a disk is full: iterations since the last checkpoint.

Here the processes are real ones; tests/search/execute/test_every_event.py stops a search at every
moment of its life.
"""

import os
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from searches import (
    ROOT,
    children,
    events,
    kill,
    optuna_trials,
    outcome,
    read,
    results,
    run,
    start,
    wait_for,
)

from search.cluster.ray_compat import HEAD_TIMEOUT
from studies import format as files
from studies.events import TrialRetried

pytestmark = pytest.mark.slow


def arguments(config: Path, storage: Path, workers: int = 1) -> list[object]:
    return [
        "search.run", "--config", config, "--storage", storage, "--name", "s",
        "--max-concurrent", workers,
    ]  # fmt: skip


def resume(storage: Path, *more: object) -> list[object]:
    return ["search.run", "--storage", storage, "--name", "s", "--resume", *more]


def ray_has_begun_to_start(process: subprocess.Popen, folder: Path) -> bool:
    return bool(children(process.pid, "gcs/gcs_server"))


def tune_has_begun_to_start(process: subprocess.Popen, folder: Path) -> bool:
    return bool(list(folder.glob("copytask-search-*")))


@pytest.mark.parametrize(
    ("moment", "number", "says"),
    [
        (ray_has_begun_to_start, signal.SIGTERM, "interrupted\n"),
        (tune_has_begun_to_start, signal.SIGINT, ""),
    ],
)
def test_whenever_a_signal_comes_the_search_ends(
    small, tmp_path, monkeypatch, moment, number, says
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # the names of its sockets must be short
    process = start(*arguments(small, tmp_path))
    wait_for(lambda: moment(process, tmp_path), process, pause=0.005)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, err) == (130, says)
    assert ("interrupted; the results so far are saved" in out) == (not says)


def test_a_search_goes_on_after_a_signal_a_killed_worker_and_a_killed_raylet(
    small, searched, tmp_path, monkeypatch
):
    """Also without a parent: Ray takes that for the raylet, and ends the process from C++.

    The head that went with the raylet stays away; the search has to watch the new one. Ray itself
    ends a process that has found no head for so long, and a new one takes seconds to start.
    """
    study = tmp_path / "s"
    process = start(*arguments(small, tmp_path), "--set", "search.max_failures=1")
    wait_for(lambda: results(study) >= 2, process, pause=0.005)
    process.send_signal(signal.SIGUSR1)  # Tune has a handler for it
    out, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    command = out.splitlines()[-1].strip()
    assert command == f"python -m search.run --name s --storage {tmp_path} --resume"

    monkeypatch.setenv(HEAD_TIMEOUT, "16")
    shell = subprocess.Popen(
        ["sh", "-c", f"{shlex.join([sys.executable, *command.split()[1:]])} & echo $!"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    search = int(shell.stdout.readline())
    try:
        wait_for(lambda: children(search, "ray::CopyTrainable") and results(study) >= 4, pause=0.02)
        kill(*children(search, "ray::CopyTrainable"))
        wait_for(lambda: retries(study), pause=0.02)
        so_far = results(study)
        wait_for(lambda: results(study) > so_far, pause=0.02)
        (raylet,) = children(search, "raylet/raylet")
        workers = children(search, "ray::CopyTrainable")
        kill(raylet, *workers)  # a worker that is left would do without for some seconds
        out, err = shell.communicate()  # until the search, too, has ended
    except BaseException:
        kill(search)
        raise
    assert err == ""
    before, died, _ = out.partition("Ray's processes have died; restarting them; trials resume")
    assert died
    assert retries(study) >= before.count(": worker lost: ") >= 1
    assert before.count(" resumes from iteration ") >= 1
    assert "Best trial of each T" in out
    assert outcome(study) == outcome(searched[0])


def retries(study: Path) -> int:
    return sum(isinstance(event, TrialRetried) for event in events(study))


@contextmanager
def small_disk(folder: Path, megabytes: int):
    """A file system of its own at ``folder``."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True).returncode != 0:
        pytest.skip("a file system of its own needs the right to mount one (root)")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """Change a file system, once no worker writes to it that its search has left for a moment."""
    options = ["-o", f"remount,{how}", str(folder)]
    wait_for(lambda: subprocess.run(["mount", *options], capture_output=True).returncode == 0)


def fill(file: Path) -> None:
    """Write until the disk has no room left."""
    subprocess.run(["dd", "if=/dev/zero", f"of={file}", "bs=4k"], capture_output=True)


def test_a_full_disk_is_told_in_a_line_and_damages_nothing(small, searched, tmp_path):
    storage = tmp_path / "disk"
    study, ballast = storage / "s", storage / "ballast"
    with small_disk(storage, megabytes=8):
        process = start(*arguments(small, storage))
        wait_for(lambda: results(study) >= 4, process, pause=0.02)
        fill(ballast)
        _, err = process.communicate()
        assert process.returncode == 1
        assert err == (
            f"failed: cannot write to {study}: No space left on device. Everything written so far "
            "is intact: fix the storage, then continue with --resume\n"
        )
        for name in (files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE):
            assert all(None not in row.values() for row in read(study / name))
        ballast.unlink()
        remount(storage, "ro")
        code, out, err = run(*resume(storage))
        assert (code, out) == (2, "")
        assert "Read-only file system" in err or "not a folder that can be written" in err
        assert len(err.splitlines()) == 1
        remount(storage, "rw")
        process = start(*resume(storage))
        process.stdout.readline()
        process.stdout.close()  # it goes on when nobody reads what it prints any more
        assert (process.wait(), process.stderr.read()) == (0, "")
        assert outcome(study) == outcome(searched[0])


CELLS = """
import os, signal, time
from torch import nn

class Fragile(nn.GRU):
    '''Fails in its first iteration, in a way that depends on its width.'''

    last_call = 20

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.calls = 0

    def forward(self, input, state=None):
        self.calls += 1
        if self.calls == self.last_call and self.unlucky():
            if self.hidden_size == 13:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.hidden_size == 14:
                time.sleep(1000)
            if self.hidden_size == 15:
                raise MemoryError("no room for 1 GB")
            if self.hidden_size == 16:
                raise ValueError("a mistake in the cell")
        return super().forward(input, state)

    def unlucky(self):
        return True
"""


def test_what_fails_again_has_failed_with_its_reason_and_runs_again_if_asked(
    small, tmp_path, monkeypatch
):
    (tmp_path / "cells.py").write_text(CELLS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    initial = ", ".join(f"{{hidden_size: {width}}}" for width in (12, 13, 14, 15, 16))
    settings = [
        "space.hidden_size={choices: [12, 13, 14, 15, 16]}", f"search.initial=[{initial}]",
        "search.stall_minutes=2", "search.max_failures=1", "training.tokens_per_iteration=10000",
        "training.max_tokens=60000", "search.scheduler=none",
    ]  # fmt: skip
    study = tmp_path / "runs" / "s"
    code, out, err = run(
        *arguments(small, study.parent, workers=2), "--model", "cells:Fragile", "--T", 3,
        "--trials", 5, *[part for text in settings for part in ("--set", text)],
    )  # fmt: skip
    assert (code, err) == (0, "")
    rows = read(study / files.TRIALS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED, *[files.FAILED] * 4]
    reasons = [row["error"] for row in rows]
    assert reasons[1].startswith("worker lost: ")
    assert reasons[2] == "no result for 2 min; its worker was stopped"
    assert reasons[3:] == ["MemoryError: no room for 1 GB", "ValueError: a mistake in the cell"]
    assert out.count("resumes from iteration") == 3
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)

    (tmp_path / "cells.py").write_text(CELLS.replace("return True", "return False"))
    code, out, err = run(*resume(study.parent, "--retry-failed", "--model", "cells:Fragile"))
    assert (code, err) == (0, "")
    assert "4 failed trials run again: T3-0001, T3-0002, T3-0003, ..." in out
    again = read(study / files.TRIALS_FILE)
    assert [(row["status"], row["error"]) for row in again] == [(files.COMPLETED, "")] * 5
    names = ("trial_id", "hidden_size", "learning_rate", "curriculum_length", "seed")
    assert [[row[n] for n in names] for row in again] == [[row[n] for n in names] for row in rows]
    assert again[0] | {"rank": ""} == rows[0] | {"rank": ""}  # others rank before it now
    assert sorted(row["rank"] for row in again) == ["1", "2", "3", "4", "5"]
    for row in again:
        curve = [r for r in read(study / files.PROGRESS_FILE) if r["trial_id"] == row["trial_id"]]
        assert [int(r["iteration"]) for r in curve] == list(range(1, len(curve) + 1))
        assert int(curve[-1]["tokens"]) >= 60000
    assert {t.state.name for t in optuna_trials(study, 3)} == {"COMPLETE"}
    assert not list((study / files.RAY_FOLDER).iterdir())
