"""How often Ray is started, and what an address may be; tests/test_hosts.py has real clusters."""

from types import SimpleNamespace
from typing import Any

import pytest

from search.cluster import ray_cluster
from search.cluster.ray_cluster import STARTS, Cluster, check_reachable
from search.config.sections import ResourcesConfig
from search.errors import SearchFailedError, UserError

SLOW = "The current node timed out during startup. This could happen because ..."


class FakeRay:
    """Ray, which fails at first.

    Attributes:
        faults: what the next starts raise.
        calls: the addresses of its starts, and its ends.
    """

    def __init__(self, *faults: str):
        self.faults = list(faults)
        self.calls: list[str] = []

    def init(self, address: str, **settings: Any) -> None:
        self.calls.append(address)
        if self.faults:
            raise Exception(self.faults.pop(0))

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def nodes(self) -> list[dict[str, Any]]:
        where = {"NodeManagerHostname": "here", "NodeManagerAddress": "127.0.0.1"}
        return [{"NodeID": "a", "Alive": True, "Resources": {"CPU": 1.0}, **where}]


def test_a_ray_that_was_too_slow_for_itself_is_started_again(monkeypatch):
    ray = FakeRay(*[SLOW] * (STARTS - 1))
    monkeypatch.setattr(ray_cluster, "ray", ray)
    with Cluster(None, ResourcesConfig()) as cluster:
        assert cluster.slots.total == 1
    assert ray.calls == ["local", "shutdown"] * STARTS


@pytest.mark.parametrize(("fault", "starts"), [(SLOW, STARTS), ("no room\nmore", 1)])
def test_a_ray_that_does_not_start_is_one_line(fault, starts, monkeypatch):
    ray = FakeRay(*[fault] * 9)
    monkeypatch.setattr(ray_cluster, "ray", ray)
    cluster = Cluster(None, ResourcesConfig())
    told = f"^Ray cannot start on this machine: {fault.splitlines()[0]}$"
    with pytest.raises(SearchFailedError, match=told), cluster:
        pass
    assert ray.calls == ["local", "shutdown"] * starts


def test_a_cluster_that_cannot_be_joined_is_asked_once(monkeypatch):
    ray = FakeRay(*[SLOW] * 9)
    monkeypatch.setattr(ray_cluster, "ray", ray)
    cluster = Cluster("auto", ResourcesConfig())
    with pytest.raises(UserError, match=r"^--address auto: The current node"), cluster:
        pass
    assert ray.calls == ["auto", "shutdown"]


def test_an_address_of_ip_version_6_has_brackets(monkeypatch):
    asked = []

    def connect(address: tuple[str, int], timeout: float) -> Any:
        asked.append(address)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(ray_cluster.socket, "create_connection", connect)
    check_reachable("[::1]:6379")
    check_reachable("ray://[fe80::1]:10001")
    assert asked == [("::1", 6379), ("fe80::1", 10001)]


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
def test_what_no_host_can_be_called_is_one_line(host):
    told = f"^--address {host}:6379: no Ray cluster answers there: .*label.*$"
    with pytest.raises(UserError, match=told):
        check_reachable(f"{host}:6379")
