"""The files for Kubernetes and Slurm, as far as they can be checked without either."""

import re
import shlex
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from ray.scripts.scripts import start
from ray.scripts.symmetric_run import symmetric_run

from search.run import make_parser

FOLDER = Path(__file__).parents[2] / "configs" / "cluster"
KUBERNETES, SLURM, SEARCH = (
    FOLDER / name for name in ("kubernetes.yaml", "slurm.sh", "search-or-resume.sh")
)


@pytest.fixture
def job() -> dict:
    return yaml.safe_load(KUBERNETES.read_text())


def pods(job: dict) -> list[dict]:
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"] for group in groups]


def test_the_pods_are_valid(job):
    for template in pods(job):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **template}
        kubernetes_validate.validate(pod, "1.30", strict=True)


def test_a_mistake_in_a_pod_is_seen(job):
    template = pods(job)[0]
    template["spec"]["containers"][0]["resource"] = {}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **template}
    with pytest.raises(kubernetes_validate.ValidationError, match="resource"):
        kubernetes_validate.validate(pod, "1.30", strict=True)


def test_workers_come_and_go_and_a_token_is_wanted(job):
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["enableInTreeAutoscaling"]
    assert job["spec"]["shutdownAfterJobFinishes"]
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] == group["replicas"] == 0 < group["maxReplicas"]
    assert "Ingress" not in KUBERNETES.read_text()
    assert "LoadBalancer" not in KUBERNETES.read_text()


def test_every_ray_is_the_same(job):
    version = job["spec"]["rayClusterSpec"]["rayVersion"]
    texts = [
        (FOLDER / "Dockerfile"),
        FOLDER / "on-premise.yaml",
        FOLDER.parents[1] / "cluster.yaml",
    ]
    for file in texts:
        assert set(re.findall(r"(?:==|ray:)(2\.\d+\.\d+)", file.read_text())) == {version}


def test_the_searches_that_are_started_are_searches(job):
    program, *arguments = shlex.split(job["spec"]["entrypoint"])
    assert program == "copytask-search/configs/cluster/search-or-resume.sh"
    args = make_parser().parse_args(arguments)
    assert (args.address, args.storage[:5], args.autoscale) == ("auto", "s3://", True)


def test_the_batch_script_is_one_that_slurm_and_ray_take():
    subprocess.run(["bash", "-n", SLURM], check=True)
    text = SLURM.read_text()
    lines = text.splitlines()
    directives = [line.split()[1] for line in lines if line.startswith("#SBATCH ")]
    # Slurm reads those before the first command alone.
    assert len(directives) == sum(
        "#SBATCH" in line for line in lines[: lines.index("set -euo pipefail")]
    )
    options = dict(d.removeprefix("--").partition("=")[::2] for d in directives)
    assert options["ntasks-per-node"] == "1"  # one Ray a node
    known = {
        option for parameter in (*start.params, *symmetric_run.params) for option in parameter.opts
    }
    command = text.partition("srun ray symmetric-run")[2].partition(" -- ")[0]
    used = re.findall(r"--[a-z-]+", command)
    assert set(used) <= known
    assert {"--address", "--min-nodes", "--num-cpus"} <= set(used)
    assert "RAY_AUTH_MODE=token" in text


def test_a_search_is_begun_once_and_then_gone_on_with(tmp_path):
    program = tmp_path / "python"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ntest -e {tmp_path}/study || '
        'case "$*" in *--resume*) exit 2;; esac\n'
    )
    program.chmod(0o755)
    for _ in range(2):
        subprocess.run([SEARCH, "--model", "gru"], env={"PATH": f"{tmp_path}:/bin"}, check=True)
        (tmp_path / "study").touch()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [
        "-m search.run --model gru --resume --dry-run",
        "-m search.run --model gru",
        "-m search.run --model gru --resume --dry-run",
        "-m search.run --model gru --resume",
    ]
