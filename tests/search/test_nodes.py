"""What is known of a cluster's hosts without one; tests/cluster has the rest."""

import signal
import socket
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from search import nodes
from search.errors import UserError

CLUSTER = """
provider: {type: local, head_ip: 127.0.0.1, worker_ips: [localhost]}
auth: {ssh_user: me, ssh_private_key: ~/ray_bootstrap_key.pem}
"""


@pytest.fixture(autouse=True)
def _handler_of_sigterm_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def unknown_name(name: str) -> str:
    raise socket.gaierror(-2, "Name or service not known")


def test_the_hosts_of_a_cluster_file(tmp_path, monkeypatch):
    file = tmp_path / "cluster.yaml"
    assert nodes.read_hosts(file) is None
    file.write_text(CLUSTER)
    hosts = nodes.read_hosts(file)
    assert hosts.addresses == {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1"}
    assert (hosts.user, hosts.key) == ("me", "~/ray_bootstrap_key.pem")
    file.write_text(CLUSTER.replace("local,", "aws,"))
    assert nodes.read_hosts(file) is None
    file.write_text(CLUSTER.replace("localhost", "a..b"))
    with pytest.raises(UserError, match=r"^host a\.\.b of .*cluster\.yaml: .*label"):
        nodes.read_hosts(file)
    file.write_text(CLUSTER)
    monkeypatch.setattr(socket, "gethostbyname", unknown_name)
    with pytest.raises(UserError, match=r"^host 127.* of .*cluster\.yaml: Name or service not"):
        nodes.read_hosts(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CLUSTER.replace(", ssh_private_key: ~/ray_bootstrap_key.pem", ""),
         ": the key auth.ssh_private_key is missing; complete the file, or add --expect N"),
        (CLUSTER.replace(", worker_ips: [localhost]", ""), ": the key provider.worker_ips is miss"),
        (CLUSTER.replace("[localhost]", ""), ": the key provider.worker_ips is missing;"),
        (CLUSTER.replace("auth", "author"), ": the key auth.ssh_user is missing;"),
        ("provider: local", ": the key provider.type is missing;"),
        ("- a list", ": expected a mapping of keys, but got list"),
        ("provider: {type: local", ", line 1, column 23: not valid YAML"),
    ],
)  # fmt: skip
def test_a_cluster_file_that_cannot_be_used_is_one_line(text, told, monkeypatch, tmp_path, capsys):
    file = tmp_path / "cluster.yaml"
    file.write_text(text)
    monkeypatch.setattr(nodes, "CLUSTER_FILE", file)
    assert nodes.main([]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {file}{told}")
    assert err.count("\n") == 1


def join_with_a_handler(address: str) -> None:
    """Join as Ray does, whose own handler of SIGTERM ends the process."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_waits_ends_it_with_one_line(number, monkeypatch, capsys):
    context = SimpleNamespace(gcs_address="127.0.0.1:6379")
    monkeypatch.setattr(nodes, "join", join_with_a_handler)
    monkeypatch.setattr(nodes.ray, "get_runtime_context", lambda: context)
    monkeypatch.setattr(nodes.ray, "nodes", lambda: signal.raise_signal(number))
    assert nodes.main(["--expect", "2"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_mistakes_are_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(nodes, "CLUSTER_FILE", tmp_path / "none.yaml")
    assert nodes.main([]) == 2
    assert capsys.readouterr().err.startswith("error: how many nodes? Add --expect N")
    assert nodes.main(["--expect", "2", "--address", "127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == (
        "error: --address 127.0.0.1:1: no Ray cluster answers there: Connection refused\n"
    )


def test_a_host_that_cannot_be_asked_is_told(monkeypatch, tmp_path):
    hosts = nodes.Hosts({}, "user", "~/key")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nodes.run_there("10.0.0.1", hosts, "true") == (
        255, "", "ssh: No such file or directory"
    )  # fmt: skip
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    ssh.chmod(0o755)
    monkeypatch.setattr(nodes, "SSH_SECONDS", 0.1)
    assert nodes.run_there("10.0.0.1", hosts, "true") == (255, "", "no answer within 0.1 s")
