"""Connects to Ray: starts a cluster on this machine, or joins one that is running."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import ray
import torch

from copytask import MALLOC_ENVIRONMENT
from copytask.error_lines import message_line, reason_line
from search.cluster.ray_compat import refuses_token, without_dashboard
from search.cluster.slots import Slots, check_fits, count_slots, limit_slots
from search.config.sections import ResourcesConfig
from search.errors import SearchFailedError, UserError
from search.storage.store import STORE_VARIABLES

OBJECT_STORE_BYTES = 100_000_000
"""Trials exchange a few kilobytes; Ray's default would reserve a third of the memory."""

STARTS = 3
"""How often Ray is started on this machine if it is not there within its own limit of 30 s."""


class Cluster:
    """A Ray cluster: one started on this machine, or the one at ``address``; a context manager.

    Args:
        address: ``HOST:PORT`` or ``auto``; None starts a cluster on this machine.
        resources: what each trial needs.

    Attributes:
        started_here: whether we started it, and so can restart it.
        slots: how many trials can run at once, as of the last :meth:`update_hosts`.
        hosts: Ray's node id -> name of each host that is alive, as of the last
            :meth:`update_hosts`.
        excluded_hosts: node ids of the hosts that get no trials.

    Raises:
        UserError: there is no cluster at the address, or a trial needs more than it has.
        SearchFailedError: Ray does not start on this machine.
        KeyboardInterrupt: SIGTERM arrived while Ray started.
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
            # Check first: Ray takes seconds to start.
            machine = {"CPU": os.cpu_count() or 1, "GPU": torch.cuda.device_count()}
            check_fits(self._resources, [machine], "this machine has", "request less")
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
        """Restart a cluster whose processes have died."""
        ray.shutdown()
        self._connect()

    def update_hosts(self) -> list[str]:
        """Update hosts and slots; return a line for each host that has joined or left."""
        nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        earlier, self.hosts = self.hosts, {key: host_name(node) for key, node in nodes.items()}
        self.slots = limit_slots(self._resources, self._count_slots(nodes))
        now = f"trials at a time: {self.slots.total}"
        joined = [name for key, name in self.hosts.items() if key not in earlier]
        lost = [name for key, name in earlier.items() if key not in self.hosts]
        return [f"{name} has joined; {now}" for name in joined] + [
            f"{name} is lost; {now}" for name in lost
        ]

    def exclude_host(self, host: str) -> bool:
        """Give a host no more trials; return whether another host has a slot for one."""
        self.excluded_hosts.add(host)
        nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        available = self._count_slots(nodes)
        self.slots = limit_slots(self._resources, available)
        return available.total > 0

    def _count_slots(self, nodes: Mapping[str, Mapping[str, Any]]) -> Slots:
        """The slots on these hosts (node id -> Ray's description), without the excluded ones."""
        used = [node["Resources"] for key, node in nodes.items() if key not in self.excluded_hosts]
        return count_slots(self._resources, used)

    def is_lost(self) -> bool:
        """Whether Ray had no host left, as of the last :meth:`update_hosts`."""
        return not self.hosts

    def _connect(self) -> None:
        store = {name: os.environ[name] for name in STORE_VARIABLES if name in os.environ}
        variables = {**MALLOC_ENVIRONMENT, "OMP_NUM_THREADS": "1", **store}
        try:
            if self._address is None:
                start(runtime_env={"env_vars": variables})
            else:
                join(address=self._address, runtime_env={"env_vars": variables})
        except JoinError as error:
            if self.started_here:
                raise SearchFailedError(f"Ray cannot start on this machine: {error}") from None
            raise UserError(f"--address {self._address}: {error}") from None
        hosts = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        advice = "request less, or let an autoscaling cluster grow: --autoscale --max-concurrent N"
        check_fits(self._resources, hosts, "the cluster has", advice)
        self.hosts = {}
        self.update_hosts()


class JoinError(Exception):
    """Ray could not be started or joined; the message is one line."""


def start(**settings: Any) -> None:
    """Start Ray on this machine; again if it was too slow for itself, as on a busy machine.

    Raises:
        JoinError, KeyboardInterrupt: see :func:`join`.
    """
    for left in reversed(range(STARTS)):
        try:
            with without_dashboard():
                return join(
                    address="local",  # None would join a cluster that runs here
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    **settings,
                )
        except JoinError as error:
            if not left or "timed out" not in str(error).lower():
                raise
        ray.shutdown()  # processes that Ray has left behind end with this one


def join(**settings: Any) -> None:
    """Start or join Ray.

    Raises:
        JoinError: Ray could not be started or joined.
        KeyboardInterrupt: SIGTERM arrived meanwhile.
    """
    try:
        ray.init(log_to_driver=False, logging_level="error", **settings)
    except SystemExit:  # raised by Ray's own handler of SIGTERM
        raise KeyboardInterrupt from None
    except Exception as error:  # Ray raises bare Exceptions too, e.g. if its raylet is too slow
        if refuses_token(error):
            raise JoinError(
                "the cluster refuses this machine's token; copy the cluster's ~/.ray/auth_token "
                "to this machine"
            ) from None
        raise JoinError(message_line(error)) from None


def host_name(node: Mapping[str, str]) -> str:
    """Name and address of a host, for messages."""
    return f"host {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


def check_reachable(address: str) -> None:
    """Check that something listens at the address; Ray itself would retry for minutes.

    Raises:
        UserError: nothing listens at HOST:PORT. ("auto" and the like are not checked.)
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: no host can have this name
        raise UserError(
            f"--address {address}: no Ray cluster answers there: {reason_line(error)}"
        ) from None
