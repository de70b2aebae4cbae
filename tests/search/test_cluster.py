import pytest

from search.cluster import slots
from search.config import ResourcesConfig
from search.errors import UserError


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, 4),
        ({"cpus_per_trial": 2}, 2),
        ({"cpus_per_trial": 0.1}, 40),
        ({"cpus_per_trial": 3}, 1),
        ({"gpus_per_trial": 1}, 2),
        ({"gpus_per_trial": 0.25}, 4),
        ({"max_concurrent": 3}, 3),
        ({"max_concurrent": 9}, 4),
    ],
)
def test_as_many_trials_as_fit(asked, expected):
    assert slots(ResourcesConfig(**asked), cpus=4, gpus=2, owner="it has") == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cpus_per_trial": 5}, "--cpus-per-trial 5: it has 4 CPUs; ask for less"),
        ({"gpus_per_trial": 1}, "--gpus-per-trial 1: it has 0 GPUs; ask for less"),
        ({"gpus_per_trial": 0.5}, "--gpus-per-trial 0.5: it has 0 GPUs; ask for less"),
    ],
)
def test_a_trial_that_cannot_fit_is_refused(asked, message):
    with pytest.raises(UserError, match=message):
        slots(ResourcesConfig(**asked), cpus=4, gpus=0, owner="it has")
