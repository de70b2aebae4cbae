import math

import numpy as np
import pytest

from benchmarks.estimates import (
    FEWEST,
    Estimate,
    bootstrap_t,
    exponential,
    holm,
    rank_test,
    two_levels,
)
from benchmarks.markdown import interval


@pytest.mark.parametrize("n", [FEWEST, 10])
def test_the_interval_of_a_few_values_holds_their_mean_about_95_times_in_100(n):
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        low, high = bootstrap_t(generator.normal(0.3, 0.8, size=n))[1:]
        held += low <= 0.3 <= high
    assert 0.92 < held / 300 < 0.985


def test_equal_values_and_single_ones_have_the_interval_that_they_can_have():
    assert bootstrap_t(np.full(5, 0.25)) == (0.25, 0.25, 0.25)
    for few in ([0.5], [0.4, 0.6], [0.3, 0.5, 0.7]):
        value, low, high = bootstrap_t(np.array(few))
        assert value == pytest.approx(0.5)
        assert math.isnan(low)
        assert math.isnan(high)
        assert interval(Estimate(value, low, high), 1) == "0.5"


def test_the_other_way_round_gives_the_other_way_round():
    logs = np.random.default_rng(2).normal(size=12)
    there, back = exponential(bootstrap_t(logs)), exponential(bootstrap_t(-logs))
    assert back.value == pytest.approx(1 / there.value)
    assert back.low == pytest.approx(1 / there.high, rel=0.1)


def test_the_rank_test_is_exact_on_ten_pairs_and_leaves_out_those_without_a_difference():
    logs = np.linspace(0.1, 1.0, 10)
    assert rank_test(logs) == pytest.approx(2 / 2**10)
    assert rank_test(np.append(logs, 0.0)) == pytest.approx(2 / 2**10)
    assert rank_test(np.zeros(10)) == 1.0


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.04, 0.01], [0.04, 0.02]),
        ([0.6, 0.9], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holm_corrects_for_all_comparisons(p_values, corrected):
    assert holm(p_values) == pytest.approx(corrected)


def pools_of(generator, between: float, pools: int, searches: int) -> np.ndarray:
    """Values of searches whose mean differs from pool to pool."""
    means = generator.normal(0, between, size=(pools, 1))
    return means + generator.normal(0, 1, size=(pools, searches))


def test_the_interval_counts_the_pool_as_well_as_the_searches():
    generator = np.random.default_rng(3)
    searches = generator.normal(size=100)
    narrow = two_levels(searches, pools_of(generator, 0.0, 40, 10))[0]
    wide = two_levels(searches, pools_of(generator, 0.5, 40, 10))[0]
    assert wide.high - wide.low == pytest.approx(4 * math.sqrt(0.5**2 + 0.1**2), rel=0.3)
    assert 4 * 0.1 * 0.9 < narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_two_levels_hold_the_truth_about_95_times_in_100():
    generator = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        own = generator.normal(0, 0.5)  # the pool that was recorded; the truth is 0
        searches = own + generator.normal(size=100)
        low, high = two_levels(searches, own + pools_of(generator, 0.5, 40, 10))[0][1:]
        held += low <= 0 <= high
    assert 0.92 < held / 300 < 0.985


def test_pools_may_lack_searches():
    generator = np.random.default_rng(5)
    searches, pools = generator.normal(size=50), pools_of(generator, 0.2, 30, 6)
    pools[::3, 4:] = np.nan
    estimate, p = two_levels(searches, pools)
    assert estimate.low < estimate.value < estimate.high
    assert 0 < p < 1
