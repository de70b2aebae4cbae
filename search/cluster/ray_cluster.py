"""Connects to Ray: a cluster of this machine's own, or one that runs already."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import ray
import torch

from copytask import MALLOC_ENVIRONMENT
from search.cluster.ray_compat import refuses_token
from search.cluster.slots import Slots, check_fits, count_slots, limit_slots
from search.config.sections import ResourcesConfig
from search.errors import SearchFailedError, UserError
from search.storage.store import STORE_VARIABLES

OBJECT_STORE_BYTES = 100_000_000
"""Trials exchange a few kilobytes; Ray's default would take a third of the memory."""


class Cluster:
    """A Ray cluster of this machine's own, or the one at ``address``; a context manager.

    Attributes:
        started_here: whether it was started here, and so can be started again.
        slots: how many trials can run at once, as of the last :meth:`update_hosts`.
        hosts: name of each host that lives, by Ray's id of it, as of then.
        excluded_hosts: Ray's ids of hosts that get no trials.

    Raises:
        UserError: there is no cluster at the address, or a trial asks for more than there is.
        SearchFailedError: Ray does not start on this machine.
        KeyboardInterrupt: SIGTERM came while Ray started.
    """

    def __init__(self, address: str | None, resources: ResourcesConfig):
        self.started_here = address is None
        self.slots = Slots(0, 0)
        self.hosts: dict[str, str] = {}
        self.excluded_hosts: set[str] = set()
        self._address = address
        self._resources = resources

    def __enter__(self) -> "Cluster":
        if self._address is None:
            # Asking first spares the seconds that Ray needs to start.
            machine = {"CPU": os.cpu_count() or 1, "GPU": torch.cuda.device_count()}
            check_fits(self._resources, [machine], "this machine has", "ask for less")
        else:
            check_reachable(self._address)
        try:
            self._connect()
        except BaseException:
            ray.shutdown()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        ray.shutdown()

    def restart(self) -> None:
        """Start it again after it has lost its processes."""
        ray.shutdown()
        self._connect()

    def update_hosts(self) -> list[str]:
        """See which hosts there are now; returns a line for each that came or went."""
        nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        earlier, self.hosts = self.hosts, {key: host_name(node) for key, node in nodes.items()}
        self.slots = limit_slots(self._resources, self._places(nodes))
        places = f"{self.slots.total} trials at a time now"
        came = [name for key, name in self.hosts.items() if key not in earlier]
        went = [name for key, name in earlier.items() if key not in self.hosts]
        return [f"{name} has joined: {places}" for name in came] + [
            f"{name} is lost: {places}" for name in went
        ]

    def exclude_host(self, host: str) -> bool:
        """Give a host no more trials; returns whether other hosts have a place for one."""
        self.excluded_hosts.add(host)
        nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        there = self._places(nodes)
        self.slots = limit_slots(self._resources, there)
        return there.total > 0

    def _places(self, nodes: Mapping[str, Mapping[str, Any]]) -> Slots:
        """The places on these hosts, by Ray's id of them, but for those that are left out."""
        used = [node["Resources"] for key, node in nodes.items() if key not in self.excluded_hosts]
        return count_slots(self._resources, used)

    def is_lost(self) -> bool:
        """Whether Ray had no host left that could run a trial, as of the last look."""
        return not self.hosts

    def _connect(self) -> None:
        own = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        store = {name: os.environ[name] for name in STORE_VARIABLES if name in os.environ}
        variables = {**MALLOC_ENVIRONMENT, "OMP_NUM_THREADS": "1", **store}
        try:
            join(
                address=self._address or "local",  # None would join one that runs here
                runtime_env={"env_vars": variables},
                **(own if self.started_here else {}),
            )
        except JoinError as error:
            if self.started_here:
                raise SearchFailedError(f"Ray does not start on this machine: {error}") from None
            raise UserError(f"--address {self._address}: {error}") from None
        hosts = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        advice = (
            "ask for less, or let a cluster that can grow do so: --autoscale --max-concurrent N"
        )
        check_fits(self._resources, hosts, "the cluster has", advice)
        self.hosts = {}
        self.update_hosts()


class JoinError(Exception):
    """Why Ray could not be joined, in one line."""


def join(**settings: Any) -> None:
    """Start or join Ray.

    Raises:
        JoinError: that failed.
        KeyboardInterrupt: SIGTERM came meanwhile.
    """
    try:
        ray.init(log_to_driver=False, logging_level="error", **settings)
    except SystemExit:  # Ray's own handler of SIGTERM
        raise KeyboardInterrupt from None
    except Exception as error:  # Ray raises bare ones too, as when its raylet takes too long
        if refuses_token(error):
            raise JoinError(
                "the cluster refuses this machine's token: ~/.ray/auth_token must be the cluster's"
            ) from None
        raise JoinError(str(error).partition("\n")[0] or type(error).__name__) from None


def host_name(node: Mapping[str, str]) -> str:
    """A host as a person knows it."""
    return f"host {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


def check_reachable(address: str) -> None:
    """Ray itself would try for minutes to reach a cluster that is not there.

    Raises:
        UserError: nothing listens at HOST:PORT. ("auto" and the like are left to Ray.)
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"--address {address}: no Ray cluster there: {reason}") from None
