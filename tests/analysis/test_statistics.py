import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from analysis import statistics
from analysis.statistics import (
    ENOUGH_SEEDS,
    Accuracy,
    accuracy_difference,
    holm,
    interquartile_mean,
    mean_difference,
    superiority,
    wilson_sample_size,
)
from copytask.training.evaluation import effective_sample_size, wilson_interval

P_VALUES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=12)


def wilson(share: float, n: float) -> Accuracy:
    return Accuracy(share, *wilson_interval(share, n))


def covers(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


@given(st.floats(0, 1, allow_subnormal=False), st.floats(1, 1e6))
def test_the_sample_size_of_a_wilson_interval_is_found_again(share: float, n: float) -> None:
    assert wilson_sample_size(wilson(share, n)) == pytest.approx(n, rel=1e-5)


def test_an_interval_that_tells_nothing_has_no_sample() -> None:
    assert wilson_sample_size(Accuracy(0.3, 0.0, 1.0)) == 0
    difference = accuracy_difference(Accuracy(0.3, 0.0, 1.0), wilson(0.9, 100))
    assert (difference.low, difference.high, difference.p_value) == (-1, 1, 1)


def test_the_difference_of_newcombe_s_example() -> None:
    # Newcombe 1998, table II (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339.
    difference = accuracy_difference(wilson(56 / 70, 70), wilson(48 / 80, 80))
    assert difference.value == pytest.approx(0.2)
    assert (difference.low, difference.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    swapped = accuracy_difference(wilson(48 / 80, 80), wilson(56 / 70, 70))
    assert (swapped.low, swapped.high) == pytest.approx((-difference.high, -difference.low))
    assert swapped.p_value == difference.p_value


def test_equal_perfect_accuracies_do_not_differ() -> None:
    difference = accuracy_difference(wilson(1.0, 2000), wilson(1.0, 2000))
    assert difference.value == 0
    assert difference.p_value == 1
    assert difference.low < 0 < difference.high


def test_payload_intervals_cover_the_truth_as_they_say() -> None:
    """Symbols of a payload depend on each other: some payloads are forgotten as a whole."""
    rng = np.random.default_rng(0)
    payloads, symbols, runs = 400, 10, 400
    levels = 0.97, 0.9
    truth = [0.9 * level + 0.1 * 0.1 for level in levels]
    single = difference = 0
    for _ in range(runs):
        accuracies = []
        for level in levels:
            chance = np.where(rng.random((payloads, 1)) < 0.1, 0.1, level)
            shares = (rng.random((payloads, symbols)) < chance).mean(axis=1)
            n = effective_sample_size(torch.from_numpy(shares), symbols)
            accuracies.append(wilson(float(shares.mean()), n))
        single += covers(accuracies[0][1:], truth[0])
        difference += covers(accuracy_difference(*accuracies)[1:3], truth[0] - truth[1])
    assert 0.93 <= single / runs <= 0.98
    assert 0.93 <= difference / runs <= 0.98


@pytest.mark.parametrize("seeds", [ENOUGH_SEEDS, 10])
@pytest.mark.parametrize("lengths", [1, 4])
@pytest.mark.parametrize("failing", [0.0, 0.1])
def test_intervals_over_seeds_cover_the_truth(
    seeds: int, lengths: int, failing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accuracies near 1, a little lower at each T, of seeds of which some fail."""
    monkeypatch.setattr(statistics, "RESAMPLES", 999)
    rng = np.random.default_rng(0)

    def draw(length: int, shape: int) -> np.ndarray:
        good = 1 - np.abs(rng.normal(0, 0.003 * (length + 1), shape))
        return np.where(rng.random(shape) < failing, rng.uniform(0.1, 0.8, shape), good)

    everything = np.sort(np.concatenate([draw(length, 100_000) for length in range(lengths)]))
    truth = everything[len(everything) // 4 : -len(everything) // 4].mean()
    runs = 400
    hits = 0
    for _ in range(runs):
        mean = interquartile_mean([draw(length, seeds) for length in range(lengths)])
        assert mean.low <= mean.value <= mean.high
        hits += covers(mean[1:], truth)
    assert hits / runs >= 0.92


def test_the_difference_of_means_covers_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_permutation_p", lambda a, b: math.nan)  # slow, not asked
    rng = np.random.default_rng(0)
    runs = 1000
    hits = sum(
        covers(mean_difference(rng.normal(0.9, 0.01, 5), rng.normal(0.8, 0.05, 8))[1:3], 0.1)
        for _ in range(runs)
    )
    assert 0.935 <= hits / runs <= 0.965


def test_the_test_of_means_is_exact_where_samples_are_small() -> None:
    separated = mean_difference([0.9, 0.91, 0.92, 0.93, 0.94], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert separated.p_value == pytest.approx(2 / 252)  # 10 over 5 ways to deal out the values
    assert separated.low > 0
    equal = mean_difference([0.9, 0.9], [0.9, 0.9])
    assert (equal.value, equal.low, equal.high, equal.p_value) == (0, 0, 0, 1)


def test_superiority_counts_ties_half() -> None:
    assert superiority([1, 2], [0, 2]) == (1 + 0 + 1 + 0.5) / 4
    assert superiority([1], [0]) == 1


def test_holm_of_an_example() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


@given(P_VALUES)
def test_holm_keeps_the_order_and_lowers_nothing(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    in_order = [corrected[i] for i in np.argsort(p_values, kind="stable")]
    assert in_order == sorted(in_order)


def test_holm_keeps_the_risk_of_a_false_finding() -> None:
    rng = np.random.default_rng(0)
    found = np.mean([min(holm(rng.random(6).tolist())) < 0.05 for _ in range(4000)])
    assert 0.04 <= found <= 0.06
