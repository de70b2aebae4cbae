"""cluster.yaml and its stack against an AWS account of moto's, on loopback."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer
from ray.autoscaler._private.aws.config import bootstrap_aws
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[2]
FILE = ROOT / "cluster.yaml"
STACK = ROOT / "configs" / "cluster" / "aws-stack.yaml"

KNOWN_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64"
"""moto knows Amazon Linux, and not the image that the stack names."""

HOME_ADDRESS = "203.0.113.7/32"
REGION = "us-west-2"


@pytest.fixture
def cluster() -> dict:
    return yaml.safe_load(FILE.read_text())


@pytest.fixture
def account(monkeypatch, tmp_path) -> Iterator[dict[str, str]]:
    """An AWS account with the stack in it; gives the environment of its user."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "HOME": str(tmp_path),
        "RAY_TMPDIR": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    reset = urllib.request.Request(f"{settings['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()  # servers of one process share their accounts
    try:
        yield settings
    finally:
        server.stop()


def make_stack() -> dict[str, str]:
    """Deploy the stack; returns its outputs."""
    template, replaced = re.subn("/aws/service/deeplearning/.*", KNOWN_IMAGE, STACK.read_text())
    assert replaced == 1
    boto3.client("cloudformation").create_stack(
        StackName="copytask",
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "Address", "ParameterValue": HOME_ADDRESS}],
    )
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="copytask")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def instances() -> list[dict]:
    reservations = boto3.client("ec2").describe_instances()["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def test_the_schema_takes_it(cluster):
    validate_config(prepare_config(cluster))


def test_the_schema_refuses_a_mistyped_key(cluster):
    cluster["max_worker"] = cluster.pop("max_workers")
    with pytest.raises(Exception, match="max_worker"):
        validate_config(cluster)


def test_workers_come_and_go(cluster):
    workers = {k: v for k, v in cluster["available_node_types"].items() if k != "head"}
    assert all(node["min_workers"] == 0 for node in workers.values())
    assert sum(node["max_workers"] for node in workers.values()) <= cluster["max_workers"]
    assert cluster["idle_timeout_minutes"] <= 10


def test_the_firewall_lets_in_ssh_from_one_address_and_nothing_else(account):
    make_stack()
    (group,) = (
        group
        for group in boto3.client("ec2").describe_security_groups()["SecurityGroups"]
        if group["Description"].startswith("copytask")
    )
    among_nodes, ssh = sorted(group["IpPermissions"], key=lambda rule: str(rule["IpProtocol"]))
    assert (ssh["IpProtocol"], ssh["FromPort"], ssh["ToPort"]) == ("tcp", 22, 22)
    assert [r["CidrIp"] for r in ssh["IpRanges"]] == [HOME_ADDRESS]
    assert not ssh["Ipv6Ranges"]
    assert not ssh["UserIdGroupPairs"]
    assert among_nodes["IpProtocol"] == "-1"
    assert [pair["GroupId"] for pair in among_nodes["UserIdGroupPairs"]] == [group["GroupId"]]
    assert not among_nodes["IpRanges"]
    assert not among_nodes["Ipv6Ranges"]


def test_the_stack_cannot_be_opened_to_the_world():
    pattern = re.search(r"AllowedPattern: '(.*)'", STACK.read_text())[1]
    assert re.fullmatch(pattern, HOME_ADDRESS)
    assert re.fullmatch(pattern, "10.0.0.0/8")
    for address in ("0.0.0.0/0", "1.2.3.4/4", "1.2.3.4/33", "203.0.113.7", "::/0"):
        assert not re.fullmatch(pattern, address)


@pytest.mark.slow
def test_ray_up_launches_the_head_behind_the_firewall(account, tmp_path):
    outputs = make_stack()
    assert outputs["Storage"].startswith("s3://")
    subprocess.run(
        ["bash", "-c", "(umask 077; ray get-auth-token --generate > /dev/null)"],
        env=user_environment(), check=True, capture_output=True,
    )  # fmt: skip
    with (tmp_path / "up.log").open("w") as log:
        process = subprocess.Popen(
            ["ray", "up", "-y", "--no-config-cache", FILE], cwd=ROOT, env=user_environment(),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        while not any("IamInstanceProfile" in instance for instance in instances()):
            assert process.poll() is None, (tmp_path / "up.log").read_text()
            time.sleep(0.5)
    finally:  # there is no machine to go on with
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    (head,) = instances()
    assert head["InstanceType"] == "m6i.large"
    assert "InstanceLifecycle" not in head  # not a spot instance
    check_instance(head, "copytask-head")
    groups = boto3.client("ec2").describe_security_groups()["SecurityGroups"]
    (ours,) = (group for group in groups if group["Description"].startswith("copytask"))
    assert [group["GroupId"] for group in head["SecurityGroups"]] == [ours["GroupId"]]
    assert {group["GroupName"] for group in groups if "ray" in group["GroupName"]} == set()
    tags = {tag["Key"]: tag["Value"] for tag in head["Tags"]}
    assert tags["ray-cluster-name"] == "copytask"
    assert tags["ray-node-type"] == "head"
    token = (tmp_path / ".ray" / "auth_token").read_text()
    assert token not in (tmp_path / "up.log").read_text()


def test_workers_are_spot_instances_that_may_only_use_the_bucket(cluster, account):
    make_stack()
    config = bootstrap_aws(prepare_config(cluster))
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for name, kind in (("cpu_worker", "c6i.4xlarge"), ("gpu_worker", "g5.xlarge")):
        node_config = config["available_node_types"][name]["node_config"]
        provider.create_node(
            node_config, {"ray-node-type": "worker", "ray-user-node-type": name}, 1
        )
        (worker,) = (i for i in instances() if i["InstanceType"] == kind)
        assert worker["InstanceLifecycle"] == "spot"
        check_instance(worker, "copytask-worker")
    iam = boto3.client("iam")
    assert iam.list_role_policies(RoleName="copytask-worker")["PolicyNames"] == []
    (policy,) = iam.list_attached_role_policies(RoleName="copytask-worker")["AttachedPolicies"]
    document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId="v1")
    statements = document["PolicyVersion"]["Document"]["Statement"]
    (bucket,) = boto3.client("s3").list_buckets()["Buckets"]
    for statement in statements:
        assert statement["Resource"].startswith(f"arn:aws:s3:::{bucket['Name']}")
        actions = statement["Action"]
        assert all(
            a.startswith("s3:") for a in ([actions] if isinstance(actions, str) else actions)
        )


def check_instance(instance: dict, profile: str) -> None:
    """It has the stack's image, rights and firewall."""
    template = boto3.client("ec2").describe_launch_template_versions(
        LaunchTemplateName="copytask", Versions=["$Latest"]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert instance["ImageId"] == template["ImageId"]
    assert instance["IamInstanceProfile"]["Arn"].endswith(f"/{profile}")
    assert [g["GroupId"] for g in instance["SecurityGroups"]] == template["SecurityGroupIds"]
    assert template["MetadataOptions"]["HttpTokens"] == "required"


def user_environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "RAY_USAGE_STATS_ENABLED": "0"}
