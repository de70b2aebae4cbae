"""Studies that share the workers of one search end as each of them alone would.

In one process, see :mod:`fake_tune`; tests/test_several_models.py runs real ones.
"""

import errno
import os
from collections import Counter
from pathlib import Path

import pytest
from fake_tune import Machine, lost_worker
from faulty_searches import make_config, make_faults, whole
from moments import at_events, moments, put

from search.execute import background_evaluator
from search.execute.outcome import failure_of
from search.storage.csv_tables import read_rows
from search.study.creation import holds_study
from search.study.event_log import FileLog, read_events
from search.study.inbox import NextT, leave
from search.study.study import Study
from studies import format as files
from studies.events import Result

CONFIGS = {
    "a": make_config(),
    "b": make_config(seed=1, final=False).model_copy(update={"model": "lstm"}),
}


def search(machine: Machine, runs: Path, workers: int = 1, configs=CONFIGS) -> None:
    """The command that a user gives again after whatever happened."""
    studies = {runs / name: config for name, config in configs.items()}
    missing = {path: None if holds_study(path) else config for path, config in studies.items()}
    machine.search_several(missing, workers)
    for run in machine.runs:
        if run.guard.error:
            raise run.guard.error


def faults_of(name: str) -> dict:
    return {(f"{name}.{trial}", k): errors for (trial, k), errors in make_faults().items()}


@pytest.fixture
def alone(machine, folder) -> dict[str, dict]:
    """What each study holds after a search of its own."""
    found = {}
    for name, config in CONFIGS.items():
        machine.faults = faults_of(name)
        machine.search(folder / "alone" / name, config)
        found[name] = whole(folder / "alone" / name, folder)
    return found


def check(runs: Path, folder: Path, alone: dict[str, dict]) -> None:
    for name, expected in alone.items():
        assert whole(runs / name, folder) == expected, name


def test_two_studies_in_one_search_end_as_each_alone(machine, folder, alone):
    machine.faults = {**faults_of("a"), **faults_of("b")}
    search(machine, folder / "runs")
    check(folder / "runs", folder, alone)


def test_killed_after_any_event_they_end_as_each_alone_and_can_be_resumed_apart(
    machine,
    folder,
    alone,
    killed_at,
):
    machine.faults = {**faults_of("a"), **faults_of("b")}
    kept = moments(machine, folder / "runs", lambda: search(machine, folder / "runs"))
    for number, moment in enumerate(killed_at(kept)[::3]):
        again = folder / str(number)
        put(moment.files, again)
        machine.faults = moment.faults
        if number % 2:
            search(machine, again)
        else:
            for name, config in CONFIGS.items():
                path = again / name
                machine.search(path, None if holds_study(path) else config)
        check(again, folder, alone)
    assert len(at_events(kept)) > 60


def test_interrupted_after_every_event_they_end_as_each_alone(
    machine,
    folder,
    alone,
    monkeypatch,
):
    append = FileLog.append

    def append_and_interrupt(*arguments, **options) -> None:
        append(*arguments, **options)
        machine.interrupts.requested = True

    machine.faults = {**faults_of("a"), **faults_of("b")}
    interrupted = 0
    with monkeypatch.context() as patch:
        patch.setattr(FileLog, "append", append_and_interrupt)
        for _ in range(1000):
            try:
                search(machine, folder / "runs")
                break
            except KeyboardInterrupt:
                interrupted += 1
    assert 40 < interrupted < 1000
    check(folder / "runs", folder, alone)


def test_what_users_ask_of_one_study_leaves_the_other_alone(machine, folder, alone):
    machine.faults = {**faults_of("a"), **faults_of("b")}
    add_result = Study.add_result

    def ask_and_add(study, trial_id, *arguments, **options) -> None:
        if study.path.name == "b" and trial_id == "T3-0000" and not study.history.tokens:
            leave(study.path, NextT(3))
        add_result(study, trial_id, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Study, "add_result", ask_and_add)
        search(machine, folder / "runs")
    check(folder / "runs", folder, {"a": alone["a"]})
    rows = read_rows(folder / "runs" / "b" / files.TRIALS_FILE)
    searched = [row["T"] for row in rows if row["stage"] == files.SEARCH]
    assert searched.count(3) < 4
    assert searched.count(5) == 4


def plain(**search) -> dict:
    """A search and nothing that follows it, without early stops."""
    return make_config(scheduler="none", final=False, confirm_seeds=0, race_seeds=0, **search)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_slots_are_shared_fairly_and_the_time_with_them(machine, folder, workers):
    began = machine.clock
    names = "abcd"
    configs = {name: plain(trials=12, seed=n) for n, name in enumerate(names)}
    most = 0.0
    append = FileLog.append

    def append_and_look(*arguments, **options) -> None:
        nonlocal most
        append(*arguments, **options)
        used = [run.study.elapsed() for run in machine.runs if hasattr(run, "agenda")]
        if len(used) == len(names) and not any(run.over for run in machine.runs):
            most = max(most, max(used) - min(used))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileLog, "append", append_and_look)
        search(machine, folder, workers, configs)
    assert 0 < most < 20  # seconds; a trial takes up to 10
    used = sum(run.study.elapsed() for run in machine.runs)
    assert used == pytest.approx(machine.clock - began)
    for name in names:
        assert Counter(row["T"] for row in read_rows(folder / name / files.TRIALS_FILE)) == {
            3: 12, 5: 12
        }  # fmt: skip


def test_a_budget_means_the_same_for_a_study_among_others(machine, folder):
    config = plain(trials=999, budget_minutes=1)
    machine.search(folder / "alone", config, workers=2)
    configs = dict.fromkeys("abcd", config)
    began = machine.clock
    search(machine, folder / "runs", 2, configs)
    assert machine.clock - began == pytest.approx(4 * 60, abs=15)
    expected = len(read_rows(folder / "alone" / files.TRIALS_FILE))
    for name in configs:
        opened = Study.open(folder / "runs" / name)
        opened.close()
        assert opened.history.search_seconds == pytest.approx(60, abs=5)
        assert len(opened.history.trials) == pytest.approx(expected, rel=0.25)


def test_with_two_workers_each_study_tries_one_trial_after_the_other(machine, folder):
    """Parallel trials cannot learn from each other."""
    configs = {name: plain(trials=6, seed=n) for n, name in enumerate("ab")}
    search(machine, folder, 2, configs)
    happened = [e for e in read_events(folder / "a") if isinstance(e, Result)]
    order = list(dict.fromkeys(e.trial_id for e in happened))
    assert [e.trial_id for e in happened] == sorted((e.trial_id for e in happened), key=order.index)


def broken_model(test, *rest):
    raise RuntimeError("the model's code is broken")


def test_an_error_of_one_study_ends_it_and_no_other(machine, folder, monkeypatch):
    config = plain(trials=3)
    machine.search(folder / "alone", config)
    load = background_evaluator.load_model
    monkeypatch.setattr(
        background_evaluator,
        "load_model",
        lambda path, **named: broken_model(path) if "/b/" in str(path) else load(path, **named),
    )
    studies = {folder / name: config for name in "abc"}
    machine.search_several(studies, workers=2)
    failures = [failure_of(run, True, Path("LOG"), "COMMAND") for run in machine.runs]
    assert failures == [
        "",
        "RuntimeError: the model's code is broken. The traceback is at the end of LOG; resume "
        "with: COMMAND",
        "",
    ]
    tables = {name: read_rows(folder / name / files.TRIALS_FILE) for name in ("a", "c", "alone")}
    assert tables["a"] == tables["c"] == tables["alone"]
    monkeypatch.setattr(background_evaluator, "load_model", load)
    machine.search(folder / "b")
    assert read_rows(folder / "b" / files.TRIALS_FILE) == tables["alone"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_study_that_cannot_be_written_gives_its_slots_to_the_others(
    machine,
    folder,
    monkeypatch,
    workers,
):
    append = FileLog.append
    written = 0

    def append_or_fail(log, *arguments, **options) -> None:
        nonlocal written
        if "/b" in str(log._path):
            written += 1
            if written > 7:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        append(log, *arguments, **options)

    config = plain(trials=4)
    with monkeypatch.context() as patch:
        patch.setattr(FileLog, "append", append_or_fail)
        machine.search_several({folder / "a": config, folder / "b": config}, workers)
    good, bad = machine.runs
    assert good.guard.error is None
    assert good.study.history.complete
    assert isinstance(bad.guard.error, OSError)
    assert not bad.running
    machine.search(folder / "b")


def test_a_lost_worker_costs_only_the_trial_that_had_it(machine, folder):
    machine.faults = {("b.T3-0001", 2): [lost_worker()]}
    configs = dict.fromkeys("ab", plain(trials=3))
    search(machine, folder, 2, configs)
    tables = [read_rows(folder / name / files.PROGRESS_FILE) for name in "ab"]
    assert tables[0] == tables[1]
