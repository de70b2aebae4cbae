import torch
from hypothesis import given
from hypothesis import strategies as st

from copytask import LengthRamp


@given(T=st.integers(1, 2000), steps=st.integers(1, 5000))
def test_the_ramp_grows_from_two_to_T_and_stays(T, steps):
    ramp = LengthRamp(T, steps)
    lengths = [ramp.max_length(step) for step in range(0, steps + 10, max(1, steps // 50))]
    assert lengths[0] == min(2, T)
    assert lengths == sorted(lengths)
    assert ramp.max_length(steps) == ramp.max_length(10 * steps) == T


def test_growth_is_geometric():
    assert LengthRamp(1250, 100).max_length(50) == 50  # the geometric mean of 2 and 1250


@given(T=st.integers(1, 100), step=st.integers(0, 30), seed=st.integers(0, 1000))
def test_lengths_are_drawn_from_one_to_the_current_maximum(T, step, seed):
    ramp = LengthRamp(T, 20)
    generator = torch.Generator().manual_seed(seed)
    assert 1 <= ramp.sample_length(step, generator) <= ramp.max_length(step)


def test_every_length_is_drawn():
    generator = torch.Generator().manual_seed(0)
    ramp = LengthRamp(5, 1)
    assert {ramp.sample_length(1, generator) for _ in range(200)} == {1, 2, 3, 4, 5}


def test_no_curriculum_means_always_T():
    generator = torch.Generator().manual_seed(0)
    assert {LengthRamp(7, 0).sample_length(step, generator) for step in range(20)} == {7}
