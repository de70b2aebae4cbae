"""configs/cluster/on-premise.yaml on two real hosts, one of which dies.

The tests share one cluster, and are in the order of its life.
"""

import csv
import json
import time
from collections import Counter
from pathlib import Path

import pytest
from lab import HEAD, WORKER, wait_until
from searches import read, run

import study_format as files
from search.event_log import read_events

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(400)]

CONFIG = """
model: gru
task: delay
T: [20]
training:
  {batch_size: 32, tokens_per_iteration: 60000, max_tokens: 600000, validation_payloads: 32,
   precision: fp32, implementation: torch}
space:
  learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}
  hidden_size: {choices: [24, 32]}
  curriculum_length: 100
search:
  {trials: 4, solved_trials: 99, budget_minutes: null, scheduler: none, startup_trials: 9,
   test_payloads: 100, max_failures: 1, initial: []}
"""
"""Random search without ASHA: which trials there are, and their curves, depend on the seed alone."""

TIMES = {"seconds", "seconds_to_solve"}


@pytest.fixture(scope="module")
def storage(lab) -> Path:
    """A folder that all hosts have at the same path."""
    (lab.shared / "config.yaml").write_text(CONFIG)
    return lab.shared / "runs"


def search(storage: Path, name: str, *more: object) -> str:
    words = ["python -m search.run --address auto --config", storage.parent / "config.yaml",
             "--storage", storage, "--name", name, *more]  # fmt: skip
    return " ".join(map(str, words))


def events(study: Path) -> list[dict]:
    file = study / files.EVENTS_FILE
    return read_events(file) if file.exists() else []


def results(study: Path) -> int:
    return sum(event["event"] == "result" for event in events(study))


def check_whole(study: Path, trials: int) -> None:
    """No trial lost, none run twice, no iteration counted twice."""
    rows, progress = read(study / files.TRIALS_FILE), read(study / files.PROGRESS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED] * trials
    assert len({row["trial_id"] for row in rows}) == trials
    for row in rows:
        curve = [r for r in progress if r["trial_id"] == row["trial_id"]]
        assert [int(r["iteration"]) for r in curve] == list(range(1, len(curve) + 1))
    started = Counter(e["trial_id"] for e in events(study) if e["event"] == "trial_started")
    assert set(started.values()) == {1}


def outcome(study: Path) -> dict[str, list[dict]]:
    """What a study is read by, but for how long things took."""
    names = (files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE)
    return {
        name: [{k: v for k, v in row.items() if k not in TIMES} for row in read(study / name)]
        for name in names
    }


def test_a_host_that_is_off_is_named_with_the_cause(cluster):
    code, output = cluster.exec("python -m search.nodes --within 1")
    assert code == 1
    assert f"{HEAD} (head) is there: 1 CPUs, 0 GPUs" in output
    assert (
        f"failed: {WORKER} has not joined: ssh: connect to host {WORKER} port 22: "
        "No route to host" in output
    )


def test_a_host_that_is_switched_on_late_joins(cluster, lab):
    lab.worker.boot()
    code, output = cluster.exec("python -m search.nodes --within 120")
    assert code == 0, output
    assert f"{WORKER} (worker) is there: 1 CPUs, 0 GPUs" in output


def test_a_search_runs_on_both_hosts_and_one_of_them_dies(cluster, lab, storage, tmp_path):
    process = cluster.start(search(storage, "two-hosts"))
    study = storage / "two-hosts"

    def training(host) -> bool:
        return any("ray::CopyTrainable.train" in line for line in host.processes())

    wait_until(lambda: training(lab.head) and training(lab.worker), 90, "trials on both hosts")
    known = results(study)
    wait_until(lambda: results(study) >= known + 6, 60, "results")
    lab.worker.kill()
    finished = [e["trial_id"] for e in events(study) if e.get("status")]
    code, output = cluster.finish(process)
    assert code == 0, output
    check_whole(study, trials=4)
