"""Slots: how many trials can run at once, with and without a GPU."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from search.config.sections import ResourcesConfig
from search.errors import UserError


class Slots(NamedTuple):
    """Number of slots: with a share of a GPU, and without."""

    gpu: int
    cpu: int

    @property
    def total(self) -> int:
        """Slots of both kinds."""
        return self.gpu + self.cpu


def count_slots(resources: ResourcesConfig, hosts: Iterable[Mapping[str, float]]) -> Slots:
    """Count the slots on hosts with these CPUs and GPUs; a trial never spans two hosts.

    With ``mixed``, a host first gets the slots that its GPUs allow; the CPUs that are left give
    slots without a GPU.
    """
    gpu = cpu = 0
    for host in hosts:
        cpus = math.floor(host.get("CPU", 0) / resources.cpus_per_trial + 1e-9)
        if resources.gpus_per_trial > 0:
            here = min(cpus, count_gpu_shares(host.get("GPU", 0), resources.gpus_per_trial))
            gpu += here
            cpus = cpus - here if resources.mixed else 0
        cpu += cpus
    return Slots(gpu, cpu)


def count_gpu_shares(gpus: float, share: float) -> int:
    """Count the trials that GPUs of one host have room for; a share below 1 lies on one GPU."""
    if share < 1:
        return math.floor(gpus) * math.floor(1 / share + 1e-9)
    return math.floor(gpus / share + 1e-9)


def limit_slots(resources: ResourcesConfig, available: Slots) -> Slots:
    """Use at most ``max_concurrent`` of the available slots, those with a GPU first.

    With ``autoscale``, use exactly ``max_concurrent``, available or not: trials that wait for a
    slot make the cluster grow. If trials want GPUs, they wait for slots with a GPU; with ``mixed``,
    slots without a GPU are used when hosts happen to have them.
    """
    limit = resources.max_concurrent
    if limit is None:
        return available
    gpu = min(available.gpu, limit)
    cpu = min(available.cpu, limit - gpu)
    if resources.autoscale:
        if resources.gpus_per_trial > 0:
            gpu = limit - cpu
        else:
            cpu = limit
    return Slots(gpu, cpu)


def check_fits(
    resources: ResourcesConfig, hosts: Sequence[Mapping[str, float]], owner: str, advice: str
) -> None:
    """Check that at least one trial has a slot.

    Args:
        owner: what has these hosts, as the start of a sentence: "this machine has".
        advice: what to do otherwise.

    Raises:
        UserError: there is no slot; the message says what is missing.
    """
    if limit_slots(resources, count_slots(resources, hosts)).total:
        return
    for name, asked in (("CPU", resources.cpus_per_trial), ("GPU", resources.gpus_per_trial)):
        largest = max((host.get(name, 0) for host in hosts), default=0)
        if asked > largest:
            where = " on one host" if len(hosts) > 1 else ""
            raise UserError(
                f"--{name.lower()}s-per-trial {asked:g}: {owner} {largest:g} {name}s{where}; "
                f"{advice}"
            )
    raise UserError(f"{owner} no host with enough CPUs and enough GPUs for a trial; {advice}")
