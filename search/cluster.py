"""Connects to Ray: a cluster of this machine's own, or one that runs already."""

import math
import os
import socket

import ray
import torch

from copytask import MALLOC_ENVIRONMENT
from search.config import ResourcesConfig
from search.errors import UserError

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the study's own files hold the results
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see search.interrupt
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",  # a search goes on from its own events
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a trial that diverged has no metrics
}

OBJECT_STORE_BYTES = 100_000_000
"""Trials exchange a few kilobytes; Ray's default would take a third of the memory."""


class Cluster:
    """A Ray cluster of this machine's own, or the one at ``address``; a context manager.

    Attributes:
        own: whether it was started here, and so can be started again.
        slots: how many trials can run at once.

    Raises:
        UserError: there is no cluster at the address, or a trial asks for more than there is.
    """

    def __init__(self, address: str | None, resources: ResourcesConfig):
        self.own = address is None
        self._address = address
        self._resources = resources

    def __enter__(self) -> "Cluster":
        os.environ.update(SETTINGS)
        if self._address is None:
            # Asking first spares the seconds that Ray needs to start.
            gpus = torch.cuda.device_count()
            slots(self._resources, os.cpu_count() or 1, gpus, "this machine has")
        else:
            check_reachable(self._address)
        try:
            self._connect()
        except UserError:
            ray.shutdown()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        ray.shutdown()

    def restart(self) -> None:
        """Start it again after it has lost its processes."""
        ray.shutdown()
        self._connect()

    def lost(self) -> bool:
        """Whether Ray has no node left that could run a trial."""
        return not any(node["Alive"] for node in ray.nodes())

    def _connect(self) -> None:
        own = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
        try:
            ray.init(
                address=self._address,
                log_to_driver=False,
                logging_level="error",
                runtime_env={"env_vars": {**MALLOC_ENVIRONMENT, "OMP_NUM_THREADS": "1"}},
                **(own if self.own else {}),
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                reason if self.own else f"--address {self._address}: {reason}"
            ) from None
        total = ray.cluster_resources()
        self.slots = slots(
            self._resources, total.get("CPU", 0), total.get("GPU", 0), "the cluster has"
        )


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


def slots(resources: ResourcesConfig, cpus: float, gpus: float, owner: str) -> int:
    """How many trials fit at once.

    Raises:
        UserError: not even one.
    """
    limits = [cpus / resources.cpus_per_trial]
    if resources.gpus_per_trial > 0:
        limits.append(gpus / resources.gpus_per_trial)
    for name, limit, asked, there in (
        ("CPUs", limits[0], resources.cpus_per_trial, cpus),
        ("GPUs", limits[-1], resources.gpus_per_trial, gpus),
    ):
        if limit < 1:
            option = f"--{name.lower()}-per-trial"
            raise UserError(f"{option} {asked:g}: {owner} {there:g} {name}; ask for less")
    fitting = math.floor(min(limits) + 1e-9)
    return min(fitting, resources.max_concurrent or fitting)
