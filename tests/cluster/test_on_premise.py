"""configs/cluster/on-premise.yaml on two real hosts, one of which dies.

The tests share one cluster and tell its life, in this order.
"""

from collections import Counter
from pathlib import Path

import pytest
from lab import HEAD, WORKER, run
from launcher import MAKE_TOKEN
from searches import PATIENT_CELL, read, wait_for
from searches import run as run_here

from search.study.event_log import read_events
from studies import format as files
from studies.events import Result, TrialStarted

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

CONFIG = """
model: gru
task: delay
T: [20]
training:
  {batch_size: 32, tokens_per_iteration: 40000, max_tokens: 800000, validation_payloads: 32,
   precision: fp32, implementation: torch}
space:
  learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}
  hidden_size: {choices: [24, 32]}
  curriculum_length: 100
search:
  {trials: 4, solved_trials: 99, budget_minutes: null, scheduler: none, startup_trials: 9,
   race_seeds: 0, test_payloads: 100, max_failures: 0}
"""
"""Random search without ASHA: trials and curves depend on the seed alone, not on who ends first."""

PLACE_AND_TIME = {"seconds", "seconds_to_solve", "host"}


def search_command(lab, storage: str, name: str) -> str:
    config = lab.shared / "config.yaml"
    config.write_text(CONFIG)
    return f"python -m search.run --config {config} --storage {storage} --name {name}"


def on_cluster(lab, storage: str, name: str) -> str:
    return f"{search_command(lab, storage, name)} --address auto"


def results(study: Path) -> list[Result]:
    return [event for event in read_events(study) if isinstance(event, Result)]


def check_whole(study: Path, trials: int = 4) -> list[dict]:
    """Every trial ran to its end, none was lost or begun twice, no iteration counted twice."""
    rows, progress = read(study / files.TRIALS_FILE), read(study / files.PROGRESS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED] * trials
    for row in rows:
        curve = [int(r["iteration"]) for r in progress if r["trial_id"] == row["trial_id"]]
        assert curve == list(range(1, len(curve) + 1))
    happened = list(read_events(study))
    started = Counter(e.trial_id for e in happened if isinstance(e, TrialStarted))
    assert started == dict.fromkeys((row["trial_id"] for row in rows), 1)
    return rows


def outcome(study: Path, name: str) -> list[dict]:
    """A file of the study, but for where and when things happened."""
    return [
        {key: value for key, value in row.items() if key not in PLACE_AND_TIME}
        for row in read(study / name)
    ]


def content(file: Path) -> bytes:
    """What is in it; nothing in a folder, or in a file that Ray has just removed."""
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""


def names_below(study: Path) -> set[str]:
    """The files of a study; a folder's lock, which an object store has no use for, is none."""
    files_there = (path.relative_to(study) for path in study.rglob("*") if path.is_file())
    return {str(path) for path in files_there if not path.name.startswith(".")}


def test_a_host_that_is_off_is_named_with_the_cause(cluster):
    code, output = cluster.exec("python -m search.nodes --within 1")
    assert code == 1
    assert f"{HEAD} (head) has joined: 1 CPUs, 0 GPUs" in output
    cause = f"ssh: connect to host {WORKER} port 22: No route to host"
    assert f"failed: {WORKER} has not joined: {cause}" in output


def test_a_host_that_is_switched_on_late_joins(cluster, lab):
    lab.worker.boot()
    code, output = cluster.exec("python -m search.nodes --within 900")
    assert code == 0, output
    assert f"{WORKER} (worker) has joined: 1 CPUs, 0 GPUs" in output


@pytest.mark.parametrize(
    ("port", "fault"),
    [
        (6379, "Ray is installed there but has not started yet; see /tmp/ray/session_latest"),
        (6380, f"it cannot reach port 6380 of {HEAD}: bash: line 1: /dev/tcp/{HEAD}/6380: "
               "Connection refused"),
    ],
)  # fmt: skip
def test_a_host_is_examined_from_the_head(port, fault, cluster):
    look = (
        "from search.nodes import *; "
        f"print(diagnose('{WORKER}', read_hosts(CLUSTER_FILE), '{HEAD}:{port}'))"
    )
    code, output = cluster.exec(f'python -c "{look}"')
    assert code == 0
    assert output.startswith(fault)


def test_whoever_has_no_token_is_refused(cluster, lab, tmp_path):
    ask = (
        "from ray._raylet import GcsClient; from ray._private.authentication."
        "authentication_token_setup import maybe_enable_token_auth_if_token_available as enable; "
        f"enable(); print(len(GcsClient(address='{HEAD}:6379').get_all_node_info()))"
    )
    assert lab.on_laptop("python", "-c", ask).splitlines()[0] == "2"
    refused = run(*lab.laptop("python", "-c", ask, home=tmp_path))
    assert refused.returncode != 0
    assert "AuthenticationError" in refused.stderr
    assert "InvalidAuthToken" in refused.stderr
    lab.on_laptop("bash", "-c", MAKE_TOKEN, home=tmp_path)  # a token, but another one
    refused = run(*lab.laptop("python", "-c", ask, home=tmp_path))
    assert "InvalidAuthToken" in refused.stderr


def test_the_token_is_spread_to_its_owner_alone_and_never_shown(cluster, lab):
    for host in lab.hosts:
        file = host.home / ".ray" / "auth_token"
        assert file.read_text() == cluster.token
        assert file.stat().st_mode & 0o777 == 0o600
        for log in (host.home.parent / "ray").rglob("*"):
            assert cluster.token.encode() not in content(log), log
        assert not any(cluster.token in line for line in host.processes())
    assert cluster.token not in cluster.up_output
    assert cluster.token not in (lab.head.home / "ray_bootstrap_config.yaml").read_text()


def test_the_dashboard_is_closed_to_the_network(cluster, lab):
    connect = "import socket, sys; socket.create_connection((sys.argv[1], 8265), timeout=5)"
    code, output = cluster.exec(f'python -c "{connect}" 127.0.0.1')
    assert code == 0, output
    refused = run(*lab.laptop("python", "-c", connect, HEAD))
    assert "Connection refused" in refused.stderr


@pytest.fixture(scope="module")
def attempts(cluster, lab, folder) -> dict[str, tuple[int, str]]:
    """Searches that must not begin; side by side, since Ray tries a wrong token for 20 s."""
    commands = {
        "guessed": f"RAY_AUTH_TOKEN=guessed {on_cluster(lab, folder.address, 'guessed')}",
        "alone": on_cluster(lab, "runs", "alone"),
    }
    processes = {name: cluster.start(command) for name, command in commands.items()}
    return {name: cluster.finish(process) for name, process in processes.items()}


def test_a_search_without_the_token_is_refused_in_one_line(attempts, lab):
    code, output = attempts["guessed"]
    assert code != 0
    assert output == (
        "joining Ray at auto\n"
        "error: --address auto: the cluster refuses this machine's token; copy the cluster's "
        "~/.ray/auth_token to this machine"
    )
    assert not (lab.shared / "runs" / "guessed").exists()


def test_two_hosts_without_shared_storage_fail_before_the_first_trial(attempts, lab):
    code, output = attempts["alone"]
    assert code != 0
    assert output == (
        "joining Ray at auto\n"
        f"error: host worker ({WORKER}) does not see --storage /root/runs: use a folder that all "
        "hosts share, or s3://bucket/prefix"
    )
    assert not (lab.head.home / "runs" / "alone").exists()


def test_a_search_on_two_hosts_goes_on_when_one_of_them_dies(cluster, lab, s3, tmp_path):
    (lab.shared / "cells.py").write_text(PATIENT_CELL)
    patient = f"cd {lab.shared} && {on_cluster(lab, s3.address, 'two-hosts')} --model cells:Patient"
    process = cluster.start(patient)
    known: list[Result] = []

    def both_train() -> bool:
        known[:] = results(s3.fetch("two-hosts", tmp_path / "before"))
        return {result.host for result in known} == {"head", "worker"}

    wait_for(both_train, process)
    lab.worker.kill()
    (lab.shared / "go").touch()
    code, output = cluster.finish(process)
    assert code == 0, output
    assert f"host worker ({WORKER}) is lost; trials at a time: 1" in output, output
    assert output.count(": its host is lost") == 1, output
    study = s3.fetch("two-hosts", tmp_path)
    check_whole(study)
    assert results(study)[: len(known)] == known

    # The same search on one machine leaves the same files, with the same numbers in them.
    alone = tmp_path / "alone" / "two-hosts"
    command = f"{search_command(lab, alone.parent, alone.name)} --model cells:Patient"
    code, _, err = run_here(*command.split()[2:], "--max-concurrent", 2, cwd=lab.shared)
    assert (code, err) == (0, "")
    assert names_below(study) == names_below(alone)
    for name in (files.TRIALS_FILE, files.PROGRESS_FILE):
        assert outcome(study, name) == outcome(alone, name)
    ((ours,), (theirs,)) = outcome(study, files.BEST_FILE), outcome(alone, files.BEST_FILE)
    bits, expected = float(ours.pop("recalled_bits")), float(theirs.pop("recalled_bits"))
    assert bits == pytest.approx(expected, rel=1e-4)  # tested with other kernels
    assert ours == theirs


def test_a_host_that_is_switched_on_again_is_used_and_results_come_back(
    cluster, lab, folder, tmp_path
):
    lab.worker.boot()
    code, output = cluster.exec("python -m search.nodes --within 900")
    assert code == 0, output
    (lab.shared / "go").unlink()
    search = f"{on_cluster(lab, folder.address, 'again')} --model cells:Patient --trials 2"
    process = cluster.start(f"cd {lab.shared} && {search} --set training.max_tokens=400000")

    study = folder.fetch("again", tmp_path)
    wait_for(
        lambda: study.exists() and {one.host for one in results(study)} == {"head", "worker"},
        process,
    )
    (lab.shared / "go").touch()
    code, output = cluster.finish(process)
    assert code == 0, output
    cluster.rsync_down(folder.address, tmp_path / "runs")
    check_whole(tmp_path / "runs" / "again", trials=2)
    lab.on_laptop("python", "-m", "analysis.compare", tmp_path / "runs", "--output", tmp_path)
    assert "Patient" in (tmp_path / "comparison.csv").read_text()


def test_the_cluster_ends(cluster, lab):
    cluster.down()
    for host in lab.hosts:
        wait_for(lambda host=host: not any("raylet" in line for line in host.processes()))
