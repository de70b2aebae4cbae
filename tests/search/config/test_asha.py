"""Our ASHA against Ray's own."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.tune.schedulers import ASHAScheduler

from search.config.asha import Asha, percentile

values = st.integers(0, 1000).map(lambda n: n / 997)


@given(st.lists(values, min_size=1, max_size=50), st.sampled_from([1.3, 2, 2.5, 3, 4]))
def test_a_percentile_is_numpys_to_the_last_bit(found, factor):
    expected = np.nanpercentile(found, (1 - 1 / factor) * 100)
    assert percentile(sorted(found), 1 - 1 / factor) == expected


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@given(
    st.lists(st.tuples(st.integers(0, 9), st.one_of(values, st.just(math.nan))), max_size=100),
    st.sampled_from([1.3, 2, 3]),
)
def test_decisions_are_rays(reports, factor):
    settings = {"time_attr": "iteration", "metric": "value", "mode": "max", "max_t": 10}
    ours = Asha(**settings, grace_period=1, reduction_factor=factor)
    rays = ASHAScheduler(**settings, grace_period=1, reduction_factor=factor)
    iterations: dict[int, int] = {}
    for name, value in reports:
        trial = SimpleNamespace(trial_id=str(name))
        if name not in iterations:
            ours.on_trial_add(None, trial)
            rays.on_trial_add(None, trial)
        iterations[name] = iterations.get(name, 0) + 1
        result = {"iteration": iterations[name], "value": value}
        assert ours.on_trial_result(None, trial, result) == rays.on_trial_result(
            None, trial, result
        )


def test_of_a_trial_that_has_ended_only_its_value_is_kept():
    asha = Asha(time_attr="iteration", metric="value", mode="max", max_t=10, grace_period=1)
    trial = SimpleNamespace(trial_id="a")
    asha.on_trial_add(None, trial)
    asha.on_trial_result(None, trial, {"iteration": 1, "value": 0.5})
    asha.on_trial_remove(None, trial)
    assert asha.rungs[-1] == (1, [0.5])
    assert not asha._trial_info
    assert not any("a" in rung for _, rung in asha._bracket._rungs)
