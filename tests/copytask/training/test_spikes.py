import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from copytask.training.spikes import FIRST_STEPS, LOWEST_RATE, SpikeGuard

norms = st.lists(st.floats(0, 1e30) | st.sampled_from([math.inf, math.nan]), max_size=50)


def after(guard: SpikeGuard, *norms: float) -> list[bool]:
    """Which steps of an iteration with these norms are skipped."""
    skipped = [bool(guard.is_spike(torch.tensor(norm))) for norm in norms]
    guard.end_iteration()
    return skipped


def test_a_spike_is_skipped_and_halves_the_learning_rate_afterwards():
    guard = SpikeGuard(10)
    assert after(guard, *[1.0] * 50, 9.9, 1000.0, 1e6, 1.0) == [False] * 51 + [True, True, False]
    assert guard.rate == 0.5
    after(guard, *[1.0] * 50)
    assert guard.rate == 0.5


def test_what_is_usual_follows_the_training():
    guard = SpikeGuard(10)
    after(guard, *[10.0] * 50, *[0.1] * 500)
    assert after(guard, 9.0) == [True]


def test_a_norm_that_stays_large_becomes_the_usual_one():
    guard = SpikeGuard(10)
    spikes = after(guard, *[1.0] * 50, *[100.0] * 100)
    assert spikes[50]
    assert not spikes[-1]


def test_the_first_steps_only_tell_what_is_usual():
    guard = SpikeGuard(10)
    assert not any(after(guard, 1e-6, *[1.0] * (FIRST_STEPS - 1)))
    assert after(guard, math.nan, 12.0) == [True, True]


def test_without_a_limit_only_what_is_not_finite_is_skipped():
    guard = SpikeGuard(0)
    assert after(guard, *[1.0] * 50, 1e9, math.inf, math.nan) == [False] * 51 + [True, True]
    assert guard.rate == 1.0


@given(st.lists(norms, max_size=6))
def test_the_rate_never_rises_and_never_falls_too_low(iterations):
    guard, before = SpikeGuard(10), 1.0
    for norms in iterations:
        after(guard, *norms)
        assert LOWEST_RATE <= guard.rate <= before
        assert 0 <= guard.state_dict()["mean_norm"] < math.inf
        before = guard.rate


@given(norms, norms)
def test_a_guard_goes_on_where_another_one_was(before, then):
    whole, restored = SpikeGuard(10), SpikeGuard(10)
    after(whole, *before)
    restored.load_state_dict(whole.state_dict())
    assert after(restored, *then) == after(whole, *then)
    assert restored.state_dict() == whole.state_dict()
