"""Connects to Ray: a cluster of this machine's own, or one that runs already."""

import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

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
}

OBJECT_STORE_BYTES = 100_000_000
"""Trials exchange a few kilobytes; Ray's default would take a third of the memory."""


@contextmanager
def connect(address: str | None, resources: ResourcesConfig) -> Iterator[int]:
    """Start Ray on this machine, or join the cluster at ``address``.

    Yields:
        How many trials can run at once.

    Raises:
        UserError: there is no cluster at the address, or a trial asks for more than there is.
    """
    os.environ.update(SETTINGS)
    if address is None:
        # Asking first spares the seconds that Ray needs to start.
        slots(resources, os.cpu_count() or 1, torch.cuda.device_count(), "this machine has")
    else:
        check_reachable(address)
    own = {} if address else {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="error",
            runtime_env={"env_vars": {**MALLOC_ENVIRONMENT, "OMP_NUM_THREADS": "1"}},
            **own,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"--address {address}: {reason}" if address else reason) from None
    try:
        total = ray.cluster_resources()
        yield slots(resources, total.get("CPU", 0), total.get("GPU", 0), "the cluster has")
    finally:
        ray.shutdown()


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
