"""A search that is stopped at any moment of its life, and resumed, ends as one that was not.

In one process, see :mod:`fake_tune`; tests/test_crashes.py kills real ones.
"""

import errno
import math
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_tune import Machine
from faulty_searches import make_config, make_faults, whole
from fsspec.implementations.memory import MemoryFileSystem
from moments import at_events, moments, put, with_halves
from searches import optuna_trials
from upath import UPath

from search.decide import steering
from search.errors import StorageError, UserError
from search.execute import trial_source
from search.storage.csv_tables import read_rows
from search.study.creation import holds_study
from search.study.event_log import FileLog, read_events
from search.study.inbox import Enqueue, NextT, StopTrial, leave, waiting
from search.study.study import Study
from studies import format as files
from studies.events import ConfigurationEnqueued, Event, Result, TrialRetried, TrialStarted
from studies.paths import StudyPath


def search(machine: Machine, study: StudyPath, workers: int = 1) -> None:
    """The command that a user gives again after whatever happened."""
    machine.search(study, None if holds_study(study) else make_config(), workers)


def check_whole(study: StudyPath, trials: int) -> None:
    """No trial was lost or started twice, no iteration counted twice, and no limit passed."""
    rows, points = (read_rows(study / name) for name in (files.TRIALS_FILE, files.PROGRESS_FILE))
    happened = list(read_events(study))
    started = Counter(e.trial_id for e in happened if isinstance(e, TrialStarted))
    assert started == Counter(row["trial_id"] for row in rows)
    assert set(started.values()) == {1}
    searched = Counter(row["T"] for row in rows if row["stage"] == files.SEARCH)
    assert searched == {3: trials, 5: trials}
    stages = Counter(row["stage"] for row in rows)
    assert stages[files.FINAL] == stages[files.CONFIRM] == 2
    cut_off = [row["trial_id"] for row in rows if row["status"] == files.INTERRUPTED]
    assert all("-race-" in name for name in cut_off)
    for row in rows:
        curve = [p for p in points if p["trial_id"] == row["trial_id"]]
        assert [p["iteration"] for p in curve] == list(range(1, len(curve) + 1))
        if curve:
            assert row["tokens"] == curve[-1]["tokens"]
            assert row["validation_accuracy"] == max(p["validation_accuracy"] for p in curve)
    for best in read_rows(study / files.BEST_FILE):
        (row,) = (row for row in rows if row["trial_id"] == best["trial_id"])
        assert {name: best[name] for name in row} == row
        assert best["trials"] == trials
    confirmed = read_rows(study / files.CONFIRM_FILE)
    assert [row["T"] for row in confirmed] == [3, 5]


def check_raced(study: StudyPath) -> None:
    """At T = 3 the first candidate fails, the second one solves T once and wins by its record."""
    rows = {row["trial_id"]: row for row in read_rows(study / files.TRIALS_FILE)}
    assert [rows[f"T3-000{k}"]["rank"] for k in (0, 1)] == [1, 2]
    raced = [row["tokens_to_solve"] for row in rows.values() if row["stage"] == files.RACE]
    assert raced == [None, 400, None]
    best = read_rows(study / files.BEST_FILE)
    assert [(row["race_solved"], row["race_seeds"]) for row in best] == [(1, 2), (None, None)]
    assert best[0]["trial_id"] == "T3-final"
    assert best[0]["seed"] == rows["T3-0001"]["seed"]


@pytest.fixture(params=["folder", "store"])
def runs(request, folder) -> Iterator[StudyPath]:
    yield folder / "runs" if request.param == "folder" else UPath(f"memory://{folder.name}")
    MemoryFileSystem.store.clear()


def test_a_search_killed_at_any_moment_ends_as_one_that_was_not(
    machine, runs, folder, killed_at, thorough
):
    machine.faults = make_faults()
    kept = moments(machine, runs, lambda: search(machine, runs / "s"))
    expected = whole(runs / "s", folder)
    check_whole(runs / "s", trials=4)
    check_raced(runs / "s")
    if isinstance(runs, Path):  # an object store has no half lines
        kept = list(with_halves(kept))
    for number, moment in enumerate(killed_at(kept) + (kept[::3] if thorough else [])):
        again = runs.with_name(f"{runs.name}-{number}") / "s"
        put(moment.files, again.parent)
        machine.faults = moment.faults
        search(machine, again)
        assert whole(again, folder) == expected, number
    assert len(at_events(kept)) > 50


def test_results_that_come_in_groups_leave_the_same_study_also_if_it_is_killed(
    machine, folder, killed_at, monkeypatch
):
    machine.faults = make_faults()
    search(machine, folder / "single" / "s")
    expected = whole(folder / "single" / "s", folder)
    monkeypatch.setattr(trial_source, "MANY_TRIALS", 1)
    machine.faults = make_faults()
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: search(machine, runs / "s"))
    assert whole(runs / "s", folder) == expected
    when = Counter(e.elapsed for e in read_events(runs / "s") if isinstance(e, Result))
    assert max(when.values()) > 1
    for number, moment in enumerate(killed_at(kept)):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.faults = moment.faults
        search(machine, again)
        assert whole(again, folder) == expected, number


CONDITIONAL = {
    "learning_rate": {"low": 0.001, "high": 0.01, "step": 0.001},
    "hidden_size": 8,
    "gates": {"choices": ["plain", "refined"]},
    "forget_bias": {"choices": [0.0, 1.0], "when": {"gates": "refined"}},
    "curriculum_length": {"low": 20, "high": 110, "step": 30, "log": True},
}


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes", "grid"])
def test_other_choices_and_conditions_resume_as_exactly(machine, folder, sampler):
    """With Hyperband, under conditions and with steps."""
    search = {"sampler": sampler, "scheduler": "hyperband", "trials": 7, "race_seeds": 0}
    config = make_config(CONDITIONAL, final=False, confirm_seeds=0, **search)
    config = config.model_copy(update={"T": [3]})
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: machine.search(runs / "s", config))
    expected = whole(runs / "s", folder)
    rows = read_rows(runs / "s" / files.TRIALS_FILE)
    assert {(row["gates"], row["forget_bias"] is None) for row in rows} == {
        ("plain", True), ("refined", False),
    }  # fmt: skip
    assert {row["curriculum_length"] for row in rows} <= {20, 50, 80, 110}
    for number, moment in enumerate(at_events(kept)[::3]):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.search(again, None if holds_study(again) else config)
        assert whole(again, folder) == expected, number


def test_a_search_of_two_workers_killed_at_any_moment_loses_nothing(
    machine, folder, killed_at, thorough
):
    machine.faults = make_faults()
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: search(machine, runs / "s", workers=2))
    for number, moment in enumerate(killed_at(kept) + (kept[::3] if thorough else [])):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.faults = moment.faults
        search(machine, again, workers=2)
        check_whole(again, trials=4)
        known = [line for line in moment.log().splitlines(True) if line.endswith(b"\n")]
        assert (again / files.EVENTS_FILE).read_bytes().startswith(b"".join(known))
    assert len(at_events(kept)) > 50


def test_a_search_that_a_limit_cuts_off_loses_nothing_when_it_is_killed(machine, folder, killed_at):
    """Two workers; at each T one trial solves it, and the other one is cut off."""
    config = make_config(trials=9, solved_trials=1, scheduler="none", final=False)
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: machine.search(runs / "s", config, workers=2))
    assert all(trial.state.is_finished() for T in (3, 5) for trial in optuna_trials(runs / "s", T))
    cut_off = 0
    for number, moment in enumerate(killed_at(kept)):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.search(again, None if holds_study(again) else config, workers=2)
        opened = Study.open(again)
        assert opened.history.complete
        opened.close()
        for T, length in opened.history.lengths.items():
            assert length.limit == "solved_trials"
            states = [trial.status for trial in length.trials]
            assert states.count(files.COMPLETED) == len(states) - states.count(files.INTERRUPTED)
            assert states.count(files.INTERRUPTED) <= 1
            cut_off += states.count(files.INTERRUPTED)
            assert length.solved >= 1
            (best,) = (r for r in read_rows(again / files.BEST_FILE) if r["T"] == T)
            assert best["tokens_to_solve"] is not None
    assert len(at_events(kept)) > 20
    assert cut_off > number


def test_a_search_beyond_its_list_that_is_killed_at_any_moment_comes_as_far(
    machine, folder, killed_at
):
    config = make_config(trials=9, solved_trials=1, final=False, reach=13, seed=0)
    config = config.model_copy(update={"T": [3]})
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: machine.search(runs / "s", config))
    expected = whole(runs / "s", folder)
    for number, moment in enumerate(killed_at(kept)):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.search(again, None if holds_study(again) else config)
        assert whole(again, folder) == expected, number
    rows = read_rows(again / files.REACH_FILE)
    assert [(row["T"], row["limit"]) for row in rows] == [(T, "solved_trials") for T in (3, 6, 12)]
    assert len(at_events(kept)) > 20


def test_a_search_with_a_budget_of_tokens_killed_at_any_moment_ends_as_one_that_was_not(
    machine, folder, killed_at
):
    """At each T the search ends with its share of the tokens."""
    config = make_config(trials=99, budget_tokens=5000, race_seeds=0, final=False)
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: machine.search(runs / "s", config))
    expected = whole(runs / "s", folder)
    opened = Study.open(runs / "s")
    opened.close()
    assert [length.limit for length in opened.history.lengths.values()] == ["budget_tokens"] * 2
    assert opened.history.tokens == 5000
    for number, moment in enumerate(killed_at(kept)):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.search(again, None if holds_study(again) else config)
        assert whole(again, folder) == expected, number
    assert len(at_events(kept)) > 20


def test_what_users_ask_of_a_search_is_done_once_when_it_is_killed_at_any_moment(
    machine, runs, folder, killed_at, monkeypatch
):
    """A configuration is enqueued, a trial is stopped, and the search at the last T is ended."""
    requests = {
        ("T3-0000", 1): Enqueue(3, {"learning_rate": 5e-3}),
        ("T3-0002", 2): StopTrial("T3-0002"),
        ("T5-0001", 1): NextT(5),
    }
    add_result = Study.add_result

    def ask_and_add(study, trial_id, metrics, *arguments, **options) -> None:
        if request := requests.get((trial_id, metrics.iteration)):
            # Always under the same name, so that a repeated iteration does not ask twice.
            with monkeypatch.context() as patch:
                patch.setattr(time, "time_ns", lambda: 1)
                patch.setattr(uuid, "uuid4", lambda: SimpleNamespace(hex=f"{trial_id:8}"))
                leave(study.path, request)
        add_result(study, trial_id, metrics, *arguments, **options)

    monkeypatch.setattr(Study, "add_result", ask_and_add)
    monkeypatch.setattr(steering, "STORE_LOOK_SECONDS", steering.LOOK_SECONDS)
    config = make_config(grace_iterations=9, final=False)
    kept = moments(machine, runs, lambda: machine.search(runs / "s", config))
    expected = whole(runs / "s", folder)
    rows = {row["trial_id"]: row for row in read_rows(runs / "s" / files.TRIALS_FILE)}
    assert rows["T3-0001"]["learning_rate"] == 5e-3
    assert rows["T3-0002"]["status"] == files.INTERRUPTED
    assert [row["T"] for row in rows.values() if row["stage"] == files.SEARCH] == [3] * 4 + [5] * 2
    for number, moment in enumerate(killed_at(kept)):
        again = runs.with_name(f"{runs.name}-{number}") / "s"
        put(moment.files, again.parent)
        machine.search(again, None if holds_study(again) else config)
        assert whole(again, folder) == expected, number
        assert list(waiting(again)) == []
    happened = list(read_events(again))
    assert sum(isinstance(event, ConfigurationEnqueued) for event in happened) == 1
    assert len(at_events(kept)) > 20


def test_a_race_in_which_trainings_are_cut_off_loses_nothing_when_it_is_killed(
    machine, folder, killed_at
):
    """Two workers at one T: both train the same candidate, and who is out stops training."""
    config = make_config(race_seeds=3, final=False).model_copy(update={"T": [3]})
    runs = folder / "runs"
    kept = moments(machine, runs, lambda: machine.search(runs / "s", config, workers=2))
    kept = [moment for moment in kept if b"racing_began" in moment.log()]
    for number, moment in enumerate(killed_at(kept)):
        again = folder / str(number) / "s"
        put(moment.files, again.parent)
        machine.search(again, workers=2)
        opened = Study.open(again)
        assert opened.history.complete
        opened.close()
        candidates = opened.history.race(3).candidates
        assert not any(candidate.running for candidate in candidates)
        raced = [training for candidate in candidates for training in candidate.trainings]
        assert [t.id for t in opened.history.lengths[3].races] == sorted(t.id for t in raced)
        for candidate in candidates:
            cut_off = [t for t in candidate.trainings if t.status == files.INTERRUPTED]
            assert len(cut_off) <= candidate.is_out
        assert not (again / files.RAY_FOLDER / "T=3").exists()
    assert cut_off
    assert len(at_events(kept)) > 10


def test_a_search_interrupted_after_every_event_ends_as_one_that_was_not(
    machine, folder, monkeypatch
):
    machine.faults = make_faults()
    search(machine, folder / "through")
    append = FileLog.append

    def append_and_interrupt(*arguments, **options) -> None:
        append(*arguments, **options)
        machine.interrupts.requested = True

    machine.faults = make_faults()
    interrupted, study = 0, folder / "s"
    with monkeypatch.context() as patch:
        patch.setattr(FileLog, "append", append_and_interrupt)
        for _ in range(1000):
            try:
                search(machine, study)
                break
            except KeyboardInterrupt:
                interrupted += 1
    assert 30 < interrupted < 1000
    assert whole(study, folder) == whole(folder / "through", folder)


def test_a_disk_that_is_full_from_any_moment_on_costs_nothing(
    machine, folder, monkeypatch, thorough
):
    """The search ends in an orderly way, what it has written is whole, and it can be resumed."""
    written = 0
    room: float = math.inf

    def fsync(handle: int) -> None:
        nonlocal written
        written += 1
        if written > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    machine.faults = make_faults()
    search(machine, folder / "through")
    expected = whole(folder / "through", folder)
    for limit in range(0, written, 3 if thorough else 31):
        study = folder / str(limit) / "s"
        machine.faults = make_faults()
        written, room = 0, limit
        with pytest.raises((StorageError, UserError), match="No space left on device"):
            search(machine, study)
        room = math.inf
        search(machine, study)
        assert whole(study, folder) == expected, limit
    assert written > 100


def test_what_goes_wrong_with_a_trial_is_in_its_row(machine, folder):
    machine.faults = make_faults()
    search(machine, folder / "s")
    rows = {row["trial_id"]: row for row in read_rows(folder / "s" / files.TRIALS_FILE)}
    errors = {name: row["error"] for name, row in rows.items() if row["error"]}
    assert errors == {
        "T3-0002": "training diverged: loss nan",
        "T3-0003": "its host is lost, 4 times without a new iteration",
        "T5-0001": "ValueError: a mistake",
        "T5-0002": "worker lost: The actor died unexpectedly before finishing this task.",
    }
    assert all((row["status"] == files.FAILED) == (name in errors) for name, row in rows.items())
    retried = [e for e in read_events(folder / "s") if isinstance(e, TrialRetried)]
    assert Counter(event.trial_id for event in retried) == {
        "T3-0000": 1, "T3-0001": 3, "T3-0003": 3, "T5-0000": 1, "T5-0002": 1, "T3-final": 1,
        "T5-confirm-00": 1, "T3-race-00": 1, "T3-race-01": 1,
    }  # fmt: skip
    (hung,) = (event for event in retried if event.trial_id == "T5-0000")
    assert hung.error == "no result for 0.1 min; its worker was stopped"


def test_a_finished_search_raised_to_more_trials_runs_exactly_those(machine, folder):
    study = folder / "s"
    machine.search(study, make_config(race_seeds=0, final=False, confirm_seeds=0))
    before = trials_and_points(study)
    known = {row["trial_id"] for row in before[0]}
    change(study, trials=7)
    search(machine, study)
    after = trials_and_points(study)
    for old, new in zip(before, after, strict=True):
        assert [row for row in new if row["trial_id"] in known] == old
    new = [row["trial_id"] for row in after[0] if row["trial_id"] not in known]
    assert new == [f"T{T}-{number:04d}" for T in (3, 5) for number in (4, 5, 6)]
    assert [row["trials"] for row in read_rows(study / files.BEST_FILE)] == [7, 7]


def trials_and_points(study: Path) -> list[list[dict]]:
    """The rows of trials.csv and progress.csv, without the ranks, which more trials change."""
    tables = [read_rows(study / name) for name in (files.TRIALS_FILE, files.PROGRESS_FILE)]
    return [[{k: v for k, v in row.items() if k != "rank"} for row in rows] for rows in tables]


def change(study: Path, **limits) -> None:
    opened = Study.open(study)
    changed = opened.config.search.model_copy(update=limits)
    opened.change_config(opened.config.model_copy(update={"search": changed}))
    opened.close()


def test_as_many_trials_run_as_there_are_places_also_after_a_restart(machine, folder):
    study = folder / "s"
    config = make_config(trials=9, scheduler="none", final=False, confirm_seeds=0)
    kept = moments(
        machine, folder / "runs", lambda: machine.search(folder / "runs" / "s", config, 4)
    )
    put(at_events(kept)[20].files, folder)
    before = len(list(read_events(study)))
    machine.search(study, workers=2)
    happened = list(read_events(study))
    assert most_at_once(happened[:before]) == 4
    assert most_at_once(happened[before:]) == 2


def most_at_once(happened: list[Event]) -> int:
    """The largest number of trials that were between their first result and their last."""
    running: set[str] = set()
    most = 0
    for event in happened:
        if isinstance(event, Result):
            running.add(event.trial_id)
            most = max(most, len(running))
            if event.status:
                running.remove(event.trial_id)
    return most
