import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from copytask import CURRICULA, AdaptiveLengths, LengthRamp, TrainingConfig


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


def observe(curriculum, length, accuracy, times):
    for _ in range(times):
        curriculum.observe(length, torch.tensor(accuracy))


@given(T=st.integers(1, 300), growth=st.floats(0.01, 1.0), accuracy=st.floats(0.1, 0.9))
def test_adaptive_lengths_grow_to_T_on_success_and_never_shrink(T, growth, accuracy):
    curriculum = AdaptiveLengths(T, growth, accuracy, long_share=0.5)
    maxima = [curriculum.max_length(0)]
    assert maxima == [min(2, T)]
    while maxima[-1] < T:
        observe(curriculum, maxima[-1], 1.0, times=40)
        maxima.append(curriculum.max_length(0))
        assert maxima[-1] > maxima[-2]
    observe(curriculum, T, 1.0, times=40)
    observe(curriculum, T, 0.0, times=40)
    assert curriculum.max_length(0) == T


def test_adaptive_lengths_wait_for_success_near_the_maximum():
    curriculum = AdaptiveLengths(100, 0.5, 0.85, long_share=0.5)
    observe(curriculum, 2, 0.84, times=100)
    observe(curriculum, 1, 1.0, times=100)  # not near 2
    assert curriculum.max_length(0) == 2
    observe(curriculum, 100, 1.0, times=100)  # longer than the maximum: a batch at T
    assert curriculum.max_length(0) == 2
    observe(curriculum, 2, 0.9, times=20)
    assert curriculum.max_length(0) == 3


def test_one_lucky_batch_is_not_success():
    curriculum = AdaptiveLengths(100, 0.5, 0.85, long_share=0.5)
    observe(curriculum, 2, 0.5, times=50)
    observe(curriculum, 2, 1.0, times=1)
    assert curriculum.max_length(0) == 2


def test_adaptive_growth_is_geometric():
    curriculum = AdaptiveLengths(1000, 0.5, 0.5, long_share=0.5)
    maxima = set()
    for _ in range(1000):
        maxima.add(curriculum.max_length(0))
        observe(curriculum, curriculum.max_length(0), 1.0, times=1)
    assert sorted(maxima)[:7] == [2, 3, 4, 6, 9, 14, 21]


@pytest.mark.parametrize("long_share", [0.0, 0.3, 1.0])
def test_adaptive_lengths_are_drawn_near_the_maximum_and_below(long_share):
    curriculum = AdaptiveLengths(50, 0.05, 0.0, long_share)
    while curriculum.max_length(0) < 50:
        observe(curriculum, curriculum.max_length(0), 1.0, times=1)
    generator = torch.Generator().manual_seed(0)
    drawn = [curriculum.sample_length(0, generator) for _ in range(2000)]
    near = sum(length >= 40 for length in drawn) / 2000
    assert near == pytest.approx(long_share + (1 - long_share) * 11 / 50, abs=0.04)
    assert set(drawn) == set(range(40 if long_share == 1 else 1, 51))


def test_an_adaptive_curriculum_goes_on_from_its_state():
    one, other = (AdaptiveLengths(100, 0.3, 0.85, 0.5) for _ in range(2))
    observe(one, 2, 1.0, times=30)
    observe(one, one.max_length(0), 0.6, times=3)
    other.load_state_dict(one.state_dict())
    for _ in range(50):
        assert one.max_length(0) == other.max_length(0)
        observe(one, one.max_length(0), 1.0, times=1)
        observe(other, other.max_length(0), 1.0, times=1)
    assert one.max_length(0) > 3  # 3 after the first thirty


@given(T=st.integers(1, 1000), step=st.integers(0, 30), seed=st.integers(0, 1000))
def test_lengths_beyond_lie_between_the_maximum_and_T(T, step, seed):
    for curriculum in (LengthRamp(T, 20), AdaptiveLengths(T, 0.05, 0.85, 0.5)):
        generator = torch.Generator().manual_seed(seed)
        length = curriculum.sample_beyond(step, generator)
        assert curriculum.max_length(step) <= length <= T


def test_lengths_beyond_are_log_uniform():
    generator = torch.Generator().manual_seed(0)
    curriculum = AdaptiveLengths(2000, 0.05, 0.85, 0.5)
    drawn = [curriculum.sample_beyond(0, generator) for _ in range(3000)]
    for bound, share in ((6, 1 / 6), (63, 1 / 2), (632, 5 / 6)):  # 2 to 2000 is three decades
        assert sum(length <= bound for length in drawn) / 3000 == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("name", sorted(CURRICULA))
def test_every_curriculum_is_made_from_a_config_and_draws_lengths_up_to_T(name):
    config = TrainingConfig(model="gru", T=5, curriculum=name, curriculum_length=10)
    curriculum = CURRICULA[name](config)
    generator = torch.Generator().manual_seed(0)
    assert curriculum.max_length(0) == 2
    for step in range(200):
        length = curriculum.sample_length(step, generator)
        assert 1 <= length <= curriculum.max_length(step) <= 5
        curriculum.observe(length, torch.tensor(1.0))
    assert curriculum.max_length(200) == 5
