"""What is known of a cluster's hosts without one; tests/cluster has the rest."""

import socket

import pytest

from search import nodes
from search.errors import UserError

CLUSTER = """
provider: {type: local, head_ip: 127.0.0.1, worker_ips: [localhost]}
auth: {ssh_user: me, ssh_private_key: ~/ray_bootstrap_key.pem}
"""


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
    file.write_text(CLUSTER)
    monkeypatch.setattr(socket, "gethostbyname", unknown_name)
    with pytest.raises(UserError, match=r"^host 127.* of .*cluster\.yaml: Name or service not"):
        nodes.read_hosts(file)


def test_mistakes_are_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(nodes, "CLUSTER_FILE", tmp_path / "none.yaml")
    assert nodes.main([]) == 2
    assert capsys.readouterr().err.startswith("error: how many nodes? Add --expect N")
    assert nodes.main(["--expect", "2", "--address", "127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == (
        "error: --address 127.0.0.1:1: no Ray cluster answers there: Connection refused\n"
    )
