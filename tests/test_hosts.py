"""Searches on a cluster of several hosts, which come and go: Ray nodes on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster
from searches import (
    HOSTS_CONFIG,
    PATIENT_CELL,
    Followed,
    events,
    read,
    results,
    run,
    start,
    wait_for,
)

from search.cluster.ray_compat import HEAD_TIMEOUT, without_dashboard
from studies import format as files
from studies.events import Result, TrialStarted

QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
}

pytestmark = pytest.mark.slow


@contextmanager
def cluster(cpus: int) -> Iterator[Cluster]:
    """A cluster whose head has so many CPUs; more hosts by its ``add_node``."""
    head = {
        "num_cpus": cpus, "num_gpus": 0, "include_dashboard": False,
        "object_store_memory": 100_000_000, "_system_config": QUICK_TO_NOTICE,
    }  # fmt: skip
    with without_dashboard():
        cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        cluster.shutdown()


def add_host(cluster: Cluster, **resources):
    with without_dashboard():
        return cluster.add_node(object_store_memory=100_000_000, **{"num_gpus": 0, **resources})


@pytest.fixture
def command(tmp_path) -> list[object]:
    config = tmp_path / "config.yaml"
    config.write_text(HOSTS_CONFIG)
    return ["search.run", "--config", config, "--storage", tmp_path / "runs", "--name", "s"]


def check_whole(study: Path, trials: int = 6) -> list[dict]:
    """Every trial ran to its end, once, and no iteration was reported twice."""
    rows = read(study / files.TRIALS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED] * trials
    happened = events(study)
    started = [e.trial_id for e in happened if isinstance(e, TrialStarted)]
    assert len(set(started)) == len(started) == trials
    for row in rows:
        iterations = [
            e.metrics.iteration
            for e in happened
            if isinstance(e, Result) and e.trial_id == row["trial_id"]
        ]
        assert iterations == list(range(1, len(iterations) + 1))
    return rows


def test_cpus_and_gpus_are_busy_at_the_same_time(command, tmp_path):
    with cluster(cpus=1) as hosts:
        add_host(hosts, num_cpus=1, num_gpus=1)
        where = ["--address", hosts.address]
        code, _, err = run(*command, *where, "--gpus-per-trial", 2)
        assert code == 2
        assert err.startswith(
            "error: --gpus-per-trial 2: the cluster has 1 GPUs on one host; request"
        )
        assert not (tmp_path / "runs" / "s").exists()
        code, out, err = run(*command, *where, "--gpus-per-trial", 1, "--mixed")
    assert (code, err) == (0, "")
    assert "2 trials at a time, 1 of them on GPUs" in out
    rows = check_whole(tmp_path / "runs" / "s")
    assert {row["gpus"] for row in rows} == {"0.0", "1.0"}
    assert {row["host"] for row in rows} == {os.uname().nodename}
    kinds = [type(event) for event in events(tmp_path / "runs" / "s")]
    assert kinds.index(Result) > 2  # two trials had started before the first result


def test_a_trial_outlives_its_host_and_uses_one_that_joins_late(command, tmp_path):
    study = tmp_path / "runs" / "s"
    (tmp_path / "cells.py").write_text(PATIENT_CELL)
    command = [*command, "--model", "cells:Patient", "--trials", 1]
    with cluster(cpus=0) as hosts:
        where = ["--address", hosts.address]
        code, _, err = run(*command, *where, cwd=tmp_path)
        assert code == 2
        assert "the cluster has 0 CPUs; request less, or let an autoscaling cluster grow" in err
        growing = ["--autoscale", "--max-concurrent", 1]
        process = start(*command, *where, *growing, cwd=tmp_path)
        printed = Followed(process)
        host = add_host(hosts, num_cpus=1)
        wait_for(lambda: results(study) >= 2, process)
        hosts.remove_node(host, allow_graceful=False)
        wait_for(lambda: printed.say(" is lost; trials at a time: 1"), process)
        add_host(hosts, num_cpus=1)
        wait_for(lambda: printed.say(" has joined; trials at a time: 1"), process)
        (tmp_path / "go").touch()
        assert (printed.wait(), process.stderr.read()) == (0, "")
    out = "".join(printed.lines)
    assert out.count("T3-0000 resumes from iteration") == out.count(": its host is lost") == 1
    check_whole(study, trials=1)


CELLS = """
import sys, time
from pathlib import Path
from torch import nn

IN_WORKER = sys.argv[0].endswith("default_worker.py")

class Patient(nn.GRU):
    '''Waits in a worker until it may go on.'''

    def forward(self, input, state=None):
        while IN_WORKER and not Path(__file__).with_name("go").exists():
            time.sleep(0.1)
        return super().forward(input, state)
"""


@pytest.fixture
def cells(tmp_path, monkeypatch) -> None:
    (tmp_path / "cells.py").write_text(CELLS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")


def join_with(mount: str, address: str) -> subprocess.Popen:
    """A host of a cluster that has mounts of its own."""
    ray = f"{sys.executable} -m ray.scripts.scripts start --address {address} --block"
    resources = "--num-cpus 1 --num-gpus 0 --object-store-memory 100000000"
    return subprocess.Popen(
        ["unshare", "--mount", "sh", "-c",
         f"{mount} && exec {ray} {resources}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.usefixtures("cells")
def test_a_host_that_joins_without_the_storage_is_left_out(command, tmp_path):
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("a mount of its own needs the right to make one (root)")
    study = tmp_path / "runs" / "s"
    with cluster(cpus=0) as hosts:
        add_host(hosts, num_cpus=1)
        process = start(
            *command, "--address", hosts.address, "--model", "cells:Patient", "--trials", 2
        )
        printed = Followed(process)
        wait_for(lambda: len(events(study)) > 1, process)
        joined = join_with(f"mount -t tmpfs tmpfs {study.parent}", hosts.address)
        try:
            wait_for(lambda: printed.say(" host excluded: "), process, joined)
            (tmp_path / "go").touch()
            assert (printed.wait(), process.stderr.read()) == (0, "")
        finally:
            joined.terminate()
            joined.wait()
    assert printed.say(" has joined; trials at a time: 2")
    (line,) = (line for line in printed.lines if " host excluded: " in line)
    assert "does not see" in line
    assert line.endswith("; trials at a time: 1\n")
    check_whole(study, trials=2)


def test_a_search_whose_head_is_gone_says_so_and_goes_on_with_another(
    command, tmp_path, monkeypatch
):
    study = tmp_path / "runs" / "s"
    monkeypatch.setenv(HEAD_TIMEOUT, "40")  # the search ends itself at 30 s, before Ray ends it
    with cluster(cpus=2) as hosts:
        address = hosts.address
        process = start(*command, "--address", address)
        wait_for(lambda: results(study) >= 4, process)
        hosts.head_node.kill_gcs_server()
        out, err = process.communicate()
    assert process.returncode == 1
    assert "the head of the Ray cluster does not answer; waiting for it" in out
    assert err == (
        "failed: the head of the Ray cluster does not answer; the results so far are saved. When "
        f"the head is back, resume with: python -m search.run --name s --storage {study.parent} "
        f"--address {address} --resume\n"
    )
    with cluster(cpus=2) as hosts:
        resume = ["search.run", *command[3:], "--resume", "--address", hosts.address]
        code, out, err = run(*resume)
    assert (code, err) == (0, "")
    check_whole(study)
