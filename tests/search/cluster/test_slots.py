import pytest

from search.cluster.slots import Slots, check_fits, count_slots, limit_slots
from search.config.sections import ResourcesConfig
from search.errors import UserError

HOST = {"CPU": 4, "GPU": 2}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, (0, 4)),
        ({"cpus_per_trial": 2}, (0, 2)),
        ({"cpus_per_trial": 0.1}, (0, 40)),
        ({"cpus_per_trial": 3}, (0, 1)),
        ({"gpus_per_trial": 1}, (2, 0)),
        ({"gpus_per_trial": 0.25}, (4, 0)),
        ({"gpus_per_trial": 1, "mixed": True}, (2, 2)),
        ({"gpus_per_trial": 0.5, "mixed": True}, (4, 0)),
        ({"gpus_per_trial": 1, "mixed": True, "max_concurrent": 3}, (2, 1)),
        ({"max_concurrent": 3}, (0, 3)),
        ({"max_concurrent": 9}, (0, 4)),
        ({"max_concurrent": 9, "autoscale": True}, (0, 9)),
        ({"max_concurrent": 9, "autoscale": True, "gpus_per_trial": 1}, (9, 0)),
        ({"max_concurrent": 9, "autoscale": True, "gpus_per_trial": 1, "mixed": True}, (7, 2)),
    ],
)
def test_as_many_trials_as_fit(asked, expected):
    resources = ResourcesConfig(**asked)
    assert limit_slots(resources, count_slots(resources, [HOST])) == Slots(*expected)


@pytest.mark.parametrize(
    ("share", "gpus", "slots"),
    [(0.4, 2, 4), (0.3, 4, 12), (0.1, 3, 30), (1 / 3, 2, 6), (0.7, 2, 2), (1, 3, 3), (2, 5, 2)],
)
def test_a_share_of_a_gpu_does_not_span_gpus(share, gpus, slots):
    resources = ResourcesConfig(gpus_per_trial=share)
    assert count_slots(resources, [{"CPU": 64, "GPU": gpus}]) == Slots(slots, 0)


def test_a_trial_does_not_span_hosts():
    halves = [{"CPU": 3}, {"CPU": 3}, {}]
    assert count_slots(ResourcesConfig(cpus_per_trial=2), halves).total == 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cpus_per_trial": 5}, "--cpus-per-trial 5: it has 4 CPUs; ask for less"),
        ({"gpus_per_trial": 1}, "--gpus-per-trial 1: it has 0 GPUs; ask for less"),
        ({"gpus_per_trial": 0.5}, "--gpus-per-trial 0.5: it has 0 GPUs; ask for less"),
    ],
)
def test_a_trial_that_cannot_fit_is_refused(asked, message):
    hosts = [{"CPU": 4}]
    with pytest.raises(UserError, match=message):
        check_fits(ResourcesConfig(**asked), hosts, "it has", "ask for less")


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ([{"CPU": 2}, {"CPU": 2}], "it has 2 CPUs on one host; ask for less"),
        ([{"CPU": 4}, {"CPU": 1, "GPU": 1}], "no host with enough CPUs and enough GPUs"),
        ([], "it has 0 CPUs; ask for less"),
    ],
)
def test_a_trial_that_fits_on_no_host_is_refused(hosts, message):
    resources = ResourcesConfig(cpus_per_trial=3, gpus_per_trial=1)
    with pytest.raises(UserError, match=message):
        check_fits(resources, hosts, "it has", "ask for less")


def test_a_cluster_that_is_to_grow_may_be_empty():
    check_fits(ResourcesConfig(max_concurrent=8, autoscale=True), [], "it has", "ask for less")
