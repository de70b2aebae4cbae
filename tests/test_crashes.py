"""What a search loses when something dies: nothing but iterations since the last checkpoint."""

import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from searches import ROOT, optuna_trials, read, run, searched_once, start, wait_for

from search.cluster.ray_compat import HEAD_PATIENCE
from search.execute.replay import replay
from search.study.event_log import read_events
from studies import format as files

CONFIG = """
model: gru
task: sequence
T: [3, 4]
training:
  {batch_size: 32, tokens_per_iteration: 15000, max_tokens: 150000, validation_payloads: 32,
   precision: fp32}
space:
  learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}
  hidden_size: {choices: [12, 16]}
  curriculum_length: {low: 1, high: 300}
search:
  {trials: 5, solved_trials: 99, budget_minutes: null, grace_iterations: 2, test_payloads: 100,
   startup_trials: 3, carried_trials: 2, initial: [{learning_rate: 1.0e-2}]}
"""

TIMES = {"seconds", "seconds_to_solve"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("config") / "crashes.yaml"
    file.write_text(CONFIG)
    return file


def arguments(config: Path, storage: Path, workers: int = 1) -> list[object]:
    return [*search(config, workers), "--storage", storage]


def search(config: Path, workers: int) -> list[object]:
    return ["search.run", "--config", config, "--name", "s", "--max-concurrent", workers]


def resume(storage: Path, *more: object) -> list[object]:
    return ["search.run", "--storage", storage, "--name", "s", "--resume", *more]


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory) -> Path:
    """A study of one worker whose search nothing happened to."""
    storage, _ = searched_once(tmp_path_factory, "undisturbed", *search(config, workers=1))
    return storage / "s"


def outcome(study: Path) -> dict[str, list[dict]]:
    """All files that a study is read by, but for how long things took."""
    names = (files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE)
    return {
        name: [{k: v for k, v in row.items() if k not in TIMES} for row in read(study / name)]
        for name in names
    }


def optuna_outcome(study: Path) -> list[tuple]:
    lengths = sorted({int(row["T"]) for row in read(study / files.TRIALS_FILE)})
    return [
        (t.user_attrs, t.state, t.value, t.params, t.intermediate_values)
        for T in lengths
        for t in optuna_trials(study, T)
    ]


def check_whole(study: Path, trials: int = 10) -> None:
    """No trial lost, none double, none left running, and every curve is the trial's own."""
    rows, progress = read(study / files.TRIALS_FILE), read(study / files.PROGRESS_FILE)
    assert len({row["trial_id"] for row in rows}) == len(rows) == trials
    assert {row["status"] for row in rows} <= {files.COMPLETED, files.STOPPED_EARLY}
    states = Counter(state.name for _, state, *_ in optuna_outcome(study))
    assert states["COMPLETE"] + states["PRUNED"] == trials
    assert states["PRUNED"] == sum(row["status"] == files.STOPPED_EARLY for row in rows)
    for row in rows:
        curve = [r for r in progress if r["trial_id"] == row["trial_id"]]
        assert [int(r["iteration"]) for r in curve] == list(range(1, len(curve) + 1))
        assert replay(study, row["trial_id"]) == 0
    started = [e["trial_id"] for e in events(study) if e["event"] == "trial_started"]
    assert len(set(started)) == len(started) == trials


def events(study: Path) -> list[dict]:
    return list(read_events(study))


def results(study: Path) -> int:
    """Iterations reported so far."""
    if not (study / files.EVENTS_FILE).exists():
        return 0
    return sum(event["event"] == "result" for event in events(study))


def check_readable(study: Path) -> None:
    """What anybody may read at any moment can be read."""
    if not study.exists():
        return
    for name in (files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE):
        assert all(None not in row.values() for row in read(study / name))
    if (study / files.OPTUNA_FILE).exists():
        optuna_trials(study, 3)


def kill_at_random_moments(command, study: Path, kills: int, seed: int) -> int:
    """Kill the search and go on with it, so many times; returns how often it was killed.

    Three of four times it is killed while trials run, else anywhere from its start on.
    """
    chance = random.Random(seed)
    for number in range(kills):
        process = start(*(resume(study.parent) if study.exists() else command))
        known = results(study)
        if chance.random() < 0.75:
            while results(study) == known and process.poll() is None:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 0.5))
        else:
            time.sleep(chance.uniform(0.2, 5))
        if process.poll() is not None:  # it was faster
            assert process.returncode == 0, process.communicate()
            return number
        process.kill()
        process.communicate()
        check_readable(study)
    return kills


def test_a_search_killed_again_and_again_ends_as_one_that_was_not(config, undisturbed, tmp_path):
    study = tmp_path / "s"
    assert kill_at_random_moments(arguments(config, tmp_path), study, 3, seed=1) == 3
    code, _, err = run(*resume(tmp_path))
    assert (code, err) == (0, "")
    assert outcome(study) == outcome(undisturbed)
    assert optuna_outcome(study) == optuna_outcome(undisturbed)
    check_whole(study)


def test_a_search_of_two_workers_killed_again_and_again_loses_no_trial(
    config, undisturbed, tmp_path
):
    kills = kill_at_random_moments(arguments(config, tmp_path, 2), tmp_path / "s", 3, seed=2)
    assert kills >= 2
    code, _, err = run(*resume(tmp_path))
    assert (code, err) == (0, "")
    check_whole(tmp_path / "s")
    # What is tried before TPE has seen anything does not depend on who finishes first.
    first = [row for row in read(tmp_path / "s" / files.TRIALS_FILE) if row["T"] == "3"][:3]
    alone = read(undisturbed / files.TRIALS_FILE)[:3]
    names = ("trial_id", "learning_rate", "hidden_size", "curriculum_length", "seed")
    assert [[row[n] for n in names] for row in first] == [[row[n] for n in names] for row in alone]


def children(search: int, name: str) -> list[int]:
    """Processes below that of a search whose command line has this name."""
    listed = subprocess.run(
        ["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    below, found = {search}, []
    for _ in range(4):
        below |= {int(pid) for pid, parent, _ in rows if int(parent) in below}
    for pid, _, command in rows:
        if int(pid) in below and name in command:
            found.append(int(pid))
    return found


def test_killed_workers_cost_at_most_an_iteration_each_and_the_search_goes_on(
    config, undisturbed, tmp_path
):
    process = start(*arguments(config, tmp_path), "--set", "search.max_failures=1")
    study = tmp_path / "s"
    for _ in range(5):
        known = results(study)
        wait_for(lambda known=known: results(study) >= known + 2, process)
        for pid in children(process.pid, "ray::CopyTrainable"):
            os.kill(pid, signal.SIGKILL)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.count(" goes on from iteration ") == out.count(": worker lost: ") >= 4
    assert outcome(study) == outcome(undisturbed)


def test_a_killed_raylet_is_started_again_and_the_search_goes_on(
    config, undisturbed, tmp_path, monkeypatch
):
    """Also without a parent: Ray takes that for the raylet, and ends the process from C++.

    The head that went with the raylet stays away; the search has to watch the new one.
    """
    monkeypatch.setenv(HEAD_PATIENCE, "8")
    study = tmp_path / "s"
    command = shlex.join([sys.executable, "-m", *map(str, arguments(config, tmp_path))])
    shell = subprocess.Popen(
        ["sh", "-c", f"{command} & echo $!"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    search = int(shell.stdout.readline())
    try:
        wait_for(lambda: results(study) >= 4)
        (raylet,) = children(search, "raylet/raylet")
        workers = children(search, "ray::CopyTrainable")
        for pid in (raylet, *workers):  # a worker that is left would do without for some seconds
            os.kill(pid, signal.SIGKILL)
        out, err = shell.communicate()  # until the search, too, has ended
    except BaseException:
        os.kill(search, signal.SIGKILL)
        raise
    assert err == ""
    assert "Ray's processes have died; they are started again, and trials go on" in out
    assert "Best trial of each T" in out
    assert outcome(study) == outcome(undisturbed)


def ray_has_begun_to_start(process: subprocess.Popen, folder: Path) -> bool:
    return bool(children(process.pid, "gcs/gcs_server"))


def tune_has_begun_to_start(process: subprocess.Popen, folder: Path) -> bool:
    return bool(list(folder.glob("copytask-search-*")))


def trials_run(process: subprocess.Popen, folder: Path) -> bool:
    return results(folder / "s") >= 2


@pytest.mark.parametrize(
    ("moment", "number", "code", "says"),
    [
        (ray_has_begun_to_start, signal.SIGTERM, 130, "interrupted\n"),
        (tune_has_begun_to_start, signal.SIGINT, 130, ""),
        (trials_run, signal.SIGUSR1, 130, ""),  # Tune has a handler for it
        (trials_run, signal.SIGKILL, -signal.SIGKILL,
         "failed: the search was killed, or crashed: see the end of {study}/search.log. Resume "
         "with: python -m search.run --name s --storage {study.parent} --resume\n"),
    ],
)  # fmt: skip
def test_whenever_a_signal_comes_the_search_says_what_became_of_it(
    config, tmp_path, monkeypatch, moment, number, code, says
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # the names of its sockets must be short
    process = start(*arguments(config, tmp_path))
    wait_for(lambda: moment(process, tmp_path), process, pause=0.005)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, err) == (code, says.format(study=tmp_path / "s"))
    assert ("interrupted; what ran is kept" in out) == (code == 130 and not says)


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(config, undisturbed, tmp_path):
    command = f"python -m search.run --name s --storage {tmp_path} --resume"
    for number in (signal.SIGINT, signal.SIGTERM):
        known = results(tmp_path / "s")
        process = start(*(command.split()[2:] if known else arguments(config, tmp_path)))
        wait_for(lambda known=known: results(tmp_path / "s") >= known + 4, process)
        process.send_signal(number)
        out, err = process.communicate()  # it would end with 0 if it went on
        assert (process.returncode, err) == (130, "")
        assert command in out
    code, _, err = run(*command.split()[2:])
    assert (code, err) == (0, "")
    assert outcome(tmp_path / "s") == outcome(undisturbed)


def test_a_search_goes_on_when_nobody_reads_its_output_any_more(config, undisturbed, tmp_path):
    process = start(*arguments(config, tmp_path))
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (0, "")
    assert outcome(tmp_path / "s") == outcome(undisturbed)


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
        subprocess.run(["umount", str(folder)], check=True)


def fill(file: Path) -> None:
    """Write until the disk has no room left."""
    subprocess.run(["dd", "if=/dev/zero", f"of={file}", "bs=4k"], capture_output=True)


@pytest.mark.privileged
def test_a_full_disk_is_told_in_a_line_and_damages_nothing(config, undisturbed, tmp_path):
    storage = tmp_path / "disk"
    study, ballast = storage / "s", storage / "ballast"
    with small_disk(storage, megabytes=8):
        for attempt in range(2):
            known = results(study)
            process = start(*(resume(storage) if attempt else arguments(config, storage)))
            wait_for(lambda known=known: results(study) >= known + 4, process)
            fill(ballast)
            _, err = process.communicate()
            assert process.returncode == 1
            assert err == (
                f"failed: cannot write to {study}: No space left on device. What was written is "
                "whole: mend that, then go on with --resume\n"
            )
            check_readable(study)
            ballast.unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(storage)], check=True)
        code, out, err = run(*resume(storage))
        assert (code, out) == (2, "")
        assert "Read-only file system" in err or "not a folder that can be written" in err
        assert len(err.splitlines()) == 1
        subprocess.run(["mount", "-o", "remount,rw", str(storage)], check=True)
        code, _, err = run(*resume(storage))
        assert (code, err) == (0, "")
        assert outcome(study) == outcome(undisturbed)


CELLS = """
import os, signal, threading, time
from pathlib import Path
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

class Shy(nn.GRU):
    '''Fails in the thread in which models are tested.'''

    def forward(self, input, state=None):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("I am shy")
        return super().forward(input, state)

class Once(Fragile):
    '''Fails once, in its second iteration.'''

    last_call = 40

    def unlucky(self):
        marker = Path(__file__).with_name(f"failed.{self.hidden_size}")
        known = marker.exists()
        marker.touch()
        return not known
"""


def search_cells(cell: str, config: Path, folder: Path, monkeypatch, *more: object):
    """Search four trials of a fragile cell, one of each width."""
    (folder / "cells.py").write_text(CELLS)
    monkeypatch.setenv("PYTHONPATH", str(folder))  # for the search
    monkeypatch.syspath_prepend(folder)  # for a replay in this process
    initial = ", ".join(f"{{hidden_size: {width}}}" for width in (12, 13, 14, 15, 16))
    settings = [
        "space.hidden_size={choices: [12, 13, 14, 15, 16]}", f"search.initial=[{initial}]",
        "search.stall_minutes=1", "search.max_failures=1", "training.tokens_per_iteration=10000",
        "training.max_tokens=60000", "search.scheduler=none",
    ]  # fmt: skip
    overrides = [part for text in settings for part in ("--set", text)]
    return run(
        *arguments(config, folder / "runs", workers=2), "--model", f"cells:{cell}", "--T", 3,
        "--trials", 5, *overrides, *more,
    )  # fmt: skip


def test_what_may_have_been_bad_luck_is_tried_again(config, tmp_path, monkeypatch):
    code, out, err = search_cells("Once", config, tmp_path, monkeypatch)
    assert (code, err) == (0, "")
    rows = read(tmp_path / "runs" / "s" / files.TRIALS_FILE)
    status = {row["hidden_size"]: row["status"] for row in rows}
    assert status == {**dict.fromkeys(["12", "13", "14", "15"], files.COMPLETED), "16": "failed"}
    assert out.count("goes on from iteration") == 3
    for row in rows[:4]:
        assert replay(tmp_path / "runs" / "s", row["trial_id"], "cells:Once") == 0


def test_what_fails_again_has_failed_with_its_reason_and_runs_again_if_asked(
    config, tmp_path, monkeypatch
):
    code, out, err = search_cells("Fragile", config, tmp_path, monkeypatch)
    assert (code, err) == (0, "")
    study = tmp_path / "runs" / "s"
    rows = read(study / files.TRIALS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED, *[files.FAILED] * 4]
    reasons = [row["error"] for row in rows]
    assert reasons[1].startswith("worker lost: ")
    assert reasons[2] == "no result for 1 min: its worker was ended"
    assert reasons[3:] == ["MemoryError: no room for 1 GB", "ValueError: a mistake in the cell"]
    assert out.count("goes on from iteration") == 3
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)

    (tmp_path / "cells.py").write_text(CELLS.replace("return True", "return False"))
    code, out, err = run(*resume(study.parent, "--retry-failed", "--model", "cells:Fragile"))
    assert (code, err) == (0, "")
    assert "4 failed trials run again: T3-0001, T3-0002, T3-0003, ..." in out
    again = read(study / files.TRIALS_FILE)
    assert [(row["status"], row["error"]) for row in again] == [(files.COMPLETED, "")] * 5
    names = ("trial_id", "hidden_size", "learning_rate", "curriculum_length", "seed")
    assert [[row[n] for n in names] for row in again] == [[row[n] for n in names] for row in rows]
    assert again[0] == rows[0]
    for row in again:
        curve = [r for r in read(study / files.PROGRESS_FILE) if r["trial_id"] == row["trial_id"]]
        assert [int(r["iteration"]) for r in curve] == list(range(1, len(curve) + 1))
        assert int(curve[-1]["tokens"]) >= 60000
    assert {t.state.name for t in optuna_trials(study, 3)} == {"COMPLETE"}
    assert not list((study / files.RAY_FOLDER).iterdir())
    code, out, err = run(*resume(study.parent, "--retry-failed", "--model", "cells:Fragile"))
    assert (code, err) == (0, "")
    assert "no trial has failed: there is none to run again" in out


def test_a_mistake_that_ends_the_search_is_one_line_and_its_traceback_in_the_log(
    config, tmp_path, monkeypatch
):
    """It is met in a thread, raised in a callback, and turned into text by Tune."""
    code, _, err = search_cells("Shy", config, tmp_path, monkeypatch)
    log = tmp_path / "runs" / "s" / files.LOG_FILE
    assert code == 1
    assert err == (
        f"failed: RuntimeError: I am shy. The traceback is at the end of {log}; "
        f"resume with: python -m search.run --name s --storage {tmp_path / 'runs'} --resume "
        "--model cells:Shy\n"
    )
    assert "Traceback (most recent call last)" in log.read_text()


def test_a_finished_search_raised_to_more_trials_runs_exactly_those(config, undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path / "s")
    before = outcome(undisturbed)
    code, out, err = run(*resume(tmp_path, "--trials", 8))
    assert (code, err) == (0, "")
    after = outcome(tmp_path / "s")
    known = {row["trial_id"] for row in before[files.TRIALS_FILE]}
    for name in (files.TRIALS_FILE, files.PROGRESS_FILE):
        assert [row for row in after[name] if row["trial_id"] in known] == before[name]
    new = [row["trial_id"] for row in after[files.TRIALS_FILE] if row["trial_id"] not in known]
    assert new == [f"T{T}-{number:04d}" for T in (3, 4) for number in (5, 6, 7)]
    assert [row["trials"] for row in after[files.BEST_FILE]] == ["8", "8"]
    check_whole(tmp_path / "s", trials=16)
    code, out, err = run(*resume(tmp_path))
    assert (code, err) == (0, "")
    assert not any("accuracy" in line for line in out.splitlines())  # nothing left to run


def test_a_study_killed_in_later_stages_ends_as_one_that_was_not(config, tmp_path):
    more = [
        "--T", 3, "--trials", 2, "--final", "--confirm-seeds", 2,
        "--set", "final={max_tokens: 300000, stop_when_solved: false, validation_payloads: 64}",
    ]  # fmt: skip
    code, _, err = run(*arguments(config, tmp_path / "undisturbed"), *more)
    assert (code, err) == (0, "")
    undisturbed, study = tmp_path / "undisturbed" / "s", tmp_path / "killed" / "s"

    def reported(trial_id: str) -> bool:
        known = events(study) if (study / files.EVENTS_FILE).exists() else []
        return any(e["event"] == "result" and e["trial_id"] == trial_id for e in known)

    for trial_id in ("T3-final", "T3-confirm-01"):
        command = resume(study.parent) if study.exists() else arguments(config, study.parent)
        process = start(*command, *([] if study.exists() else more))
        wait_for(lambda trial_id=trial_id: reported(trial_id), process)
        process.kill()
        process.communicate()
    code, _, err = run(*resume(study.parent))
    assert (code, err) == (0, "")
    assert outcome(study) == outcome(undisturbed)
    confirmed, expected = (
        [{k: v for k, v in row.items() if k not in TIMES} for row in read(s / files.CONFIRM_FILE)]
        for s in (study, undisturbed)
    )
    assert confirmed == expected
    assert [row["trial_id"] for row in confirmed] == ["T3-confirm-00", "T3-confirm-01"]
    for trial_id in ("T3-final", "T3-confirm-01"):
        assert replay(study, trial_id) == 0
    assert not list((study / files.RAY_FOLDER).iterdir())


def test_a_search_in_progress_can_be_copied_and_goes_on_elsewhere(config, undisturbed, tmp_path):
    process = start(*arguments(config, tmp_path / "here"))
    wait_for(lambda: results(tmp_path / "here" / "s") >= 6, process)
    process.send_signal(signal.SIGSTOP)  # else it may end before the other one has started
    partial = shutil.ignore_patterns(".*.partial")  # gone when its turn comes
    shutil.copytree(tmp_path / "here" / "s", tmp_path / "there" / "s", ignore=partial)
    code, out, err = run(*resume(tmp_path / "here"))
    assert (code, out) == (2, "starting Ray\n")
    assert "another process is searching in" in err
    process.kill()
    process.communicate()
    code, _, err = run(*resume(tmp_path / "there"))
    assert (code, err) == (0, "")
    assert outcome(tmp_path / "there" / "s") == outcome(undisturbed)


def test_four_slots_run_four_trials_and_a_smaller_cap_holds_after_a_restart(config, tmp_path):
    study = tmp_path / "s"
    settings = ["--cpus-per-trial", 0.25, "--set", "search.scheduler=none", "--T", 3, "--trials", 6]
    settings += ["--set", "training.tokens_per_iteration=60000"]
    settings += ["--set", "training.max_tokens=600000"]
    process = start(*arguments(config, tmp_path, workers=4), *settings)
    wait_for(lambda: results(study) and most_at_once(events(study)) == 4, process)
    process.kill()
    process.communicate()
    before = len(events(study))
    code, _, err = run(*resume(tmp_path, "--max-concurrent", 2))
    assert (code, err) == (0, "")
    rows = read(study / files.TRIALS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED] * 6
    assert most_at_once(events(study)) == 4
    assert most_at_once(events(study)[before:]) == 2


def most_at_once(happened: list[dict]) -> int:
    """The largest number of trials that were between their first result and their last."""
    running: set[str] = set()
    most = 0
    for event in happened:
        if event["event"] == "result":
            running.add(event["trial_id"])
            most = max(most, len(running))
            if event["status"]:
                running.remove(event["trial_id"])
    return most


def test_paths_stay_short_with_many_hyperparameters(config, tmp_path):
    names = (
        "batch_size", "clip_norm", "weight_decay", "forget_bias", "decay_share",
        "tokens_per_iteration", "max_tokens", "validation_payloads", "optimizer", "beyond_share",
    )  # fmt: skip
    values = (8, 1.0, 0.0, 1.0, 0.5, 15000, 30000, 32, "adam", 0.0)
    space = [
        part
        for name, value in zip(names, values, strict=True)
        for part in ("--set", f"space.{name}={{choices: [{value}]}}")
    ]
    process = start(*arguments(config, tmp_path), *space, "--T", 3, "--trials", 2)
    longest = 0
    while process.poll() is None:
        paths = (len(str(path.relative_to(tmp_path))) for path in tmp_path.rglob("*"))
        longest = max(longest, *paths, 0)
        time.sleep(0.05)
    assert process.returncode == 0, process.communicate()
    assert 30 < longest < 80
