"""How many trials run at once, and which of them on a GPU."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from search.config.sections import ResourcesConfig
from search.errors import UserError


class Slots(NamedTuple):
    """Places for trials: with a share of a GPU, and without."""

    gpu: int
    cpu: int

    @property
    def total(self) -> int:
        """Of both kinds."""
        return self.gpu + self.cpu


def count_slots(resources: ResourcesConfig, hosts: Iterable[Mapping[str, float]]) -> Slots:
    """The places on hosts with these CPUs and GPUs; a trial never spans two hosts.

    Where both kinds are wanted, a host has as many places with a GPU as its GPUs give, and the
    CPUs that those leave give places without.
    """
    gpu = cpu = 0
    for host in hosts:
        cpus = math.floor(host.get("CPU", 0) / resources.cpus_per_trial + 1e-9)
        if resources.gpus_per_trial > 0:
            here = math.floor(host.get("GPU", 0) / resources.gpus_per_trial + 1e-9)
            gpu += min(cpus, here)
            cpus = cpus - min(cpus, here) if resources.mixed else 0
        cpu += cpus
    return Slots(gpu, cpu)


def limit_slots(resources: ResourcesConfig, there: Slots) -> Slots:
    """At most ``max_concurrent`` of the places that are there, those with a GPU first.

    With ``autoscale`` as many as ``max_concurrent``, whether they are there yet or not: trials
    that wait for a place are what makes a cluster grow. Where GPUs are wanted, they wait for one;
    with ``mixed``, places without a GPU are used as hosts bring them along.
    """
    limit = resources.max_concurrent
    if limit is None:
        return there
    gpu = min(there.gpu, limit)
    cpu = min(there.cpu, limit - gpu)
    if resources.autoscale:
        if resources.gpus_per_trial > 0:
            gpu = limit - cpu
        else:
            cpu = limit
    return Slots(gpu, cpu)


def check_fits(
    resources: ResourcesConfig, hosts: Sequence[Mapping[str, float]], owner: str, advice: str
) -> None:
    """Whether at least one trial has a place.

    Raises:
        UserError: not one; says what is lacking.
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
    raise UserError(f"{owner} no host with the CPUs and the GPUs of a trial together; {advice}")
