import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics import (
    Successes,
    holm,
    least_p_of_ranks,
    least_p_of_rates,
    median_to_solve,
    rank_test,
    rate_difference,
    seeds_to_tell,
    sooner,
)
from studies.seed_statistics import clopper_pearson

P_VALUES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=12)
TOKENS = st.lists(st.sampled_from([1.0, 2.0, 3.0, math.inf]), min_size=2, max_size=5)

COLLAPSES = (0.0, 0.05, 0.1, 0.2)
"""Shares of trainings that collapse; the others solve T."""


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("collapse", COLLAPSES)
def test_the_interval_of_a_solve_rate_covers_it(collapse: float, n: int) -> None:
    covered = sum(
        stats.binom(n, 1 - collapse).pmf(solved)
        for solved in range(n + 1)
        if clopper_pearson(solved, n)[0] <= 1 - collapse <= clopper_pearson(solved, n)[1]
    )
    assert 0.95 <= covered <= (0.9995 if collapse else 1)  # exact for every rate: often above 95 %


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("collapses", list(itertools.combinations_with_replacement(COLLAPSES, 2)))
def test_the_interval_of_a_difference_covers_it_and_its_test_is_rarely_wrong(
    collapses: tuple[float, float], n: int
) -> None:
    counts = itertools.product(range(n + 1), repeat=2)
    chances = [stats.binom(n, 1 - collapse) for collapse in collapses]
    covered = wrong = 0.0
    for a, b in counts:  # all outcomes: no luck is left
        likely = chances[0].pmf(a) * chances[1].pmf(b)
        if likely < 1e-4:
            covered += likely
            continue
        found = rate_difference(Successes(a, n), Successes(b, n))
        assert found.low <= found.value <= found.high
        covered += likely * (found.low <= collapses[1] - collapses[0] <= found.high)
        wrong += likely * (found.p_value < 0.05)
    assert 0.95 <= covered <= 1 + 1e-9
    if collapses[0] == collapses[1]:
        assert wrong <= 0.05


def test_the_test_of_rates_finds_more_than_fisher_s() -> None:
    found = rate_difference(Successes(5, 5), Successes(0, 5))
    assert found.p_value == pytest.approx(2 / 4**5)
    assert found.p_value < stats.fisher_exact([[5, 0], [0, 5]]).pvalue
    swapped = rate_difference(Successes(0, 5), Successes(5, 5))
    assert swapped.p_value == pytest.approx(found.p_value)
    assert (swapped.low, swapped.high) == (-found.high, -found.low)


@pytest.mark.parametrize(
    ("first", "second", "p"), [((5, 5), (1, 5), 0.021484), ((10, 10), (6, 10), 0.0422)]
)
def test_the_test_of_rates_counts_the_trainings_of_each_model(first, second, p) -> None:
    """All results of two samples are counted, as likely as a common solve rate makes them."""
    (a, n), (b, m) = first, second
    fisher = [
        [stats.fisher_exact([[i, n - i], [j, m - j]]).pvalue for j in range(m + 1)]
        for i in range(n + 1)
    ]
    as_rare = np.array(fisher) <= fisher[a][b] + 1e-9
    largest = max(
        (np.outer(stats.binom.pmf(range(n + 1), n, q), stats.binom.pmf(range(m + 1), m, q))
         * as_rare).sum()
        for q in np.linspace(0, 1, 201)
    )  # fmt: skip
    found = rate_difference(Successes(*first), Successes(*second)).p_value
    assert found == pytest.approx(p, rel=1e-3)
    assert found == pytest.approx(largest, rel=1e-3)


@pytest.mark.parametrize("solved", [0, 5])
def test_equal_rates_do_not_differ(solved: int) -> None:
    found = rate_difference(Successes(solved, 5), Successes(solved, 5))
    assert (found.value, found.p_value) == (0, 1)
    assert found.low < 0 < found.high


@given(TOKENS, TOKENS)
def test_the_rank_test_is_the_permutation_test_of_scipy(a: list[float], b: list[float]) -> None:
    ranks = stats.rankdata([*a, *b])
    expected = stats.permutation_test(
        (ranks[: len(a)], ranks[len(a) :]), lambda x, y, axis: x.mean(axis) - y.mean(axis),
        vectorized=True,
    )  # fmt: skip
    assert rank_test(a, b) == pytest.approx(expected.pvalue)
    assert rank_test(b, a) == pytest.approx(rank_test(a, b))
    assert sooner(a, b) == pytest.approx(1 - sooner(b, a))


def test_the_rank_test_of_ten_trainings_each_is_exact() -> None:
    first, second = list(range(10)), [k + 3.5 for k in range(10)]
    expected = stats.mannwhitneyu(first, second, method="exact")
    assert rank_test(first, second) == pytest.approx(expected.pvalue)


def test_trainings_that_do_not_solve_come_last() -> None:
    assert sooner([1, 2], [math.inf, math.inf]) == 1
    assert rank_test([1, 2, 3, 4, 5], [math.inf] * 5) == pytest.approx(2 / 252)
    assert (sooner([math.inf], [math.inf]), rank_test([math.inf] * 5, [math.inf] * 5)) == (0.5, 1)


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("collapse", COLLAPSES)
def test_the_rank_test_is_rarely_wrong(collapse: float, n: int) -> None:
    rng = np.random.default_rng(0)

    def tokens() -> list[float]:
        drawn = rng.lognormal(0, 0.3, n)
        return list(np.where(rng.random(n) < collapse, math.inf, drawn))

    wrong = np.mean([rank_test(tokens(), tokens()) < 0.05 for _ in range(1000)])
    assert 0.01 <= wrong <= 0.06  # 0.05, and the luck of 1,000 draws


def test_the_smallest_p_value_of_so_many_seeds() -> None:
    assert least_p_of_rates(5, 5) == pytest.approx(2 / 4**5)
    assert least_p_of_ranks(5, 5) == pytest.approx(2 / 252)
    assert least_p_of_rates(3, 3) < 0.05  # so three may tell solve rates apart
    assert seeds_to_tell(1) == 4  # of tokens: 2 / 70; three seeds reach 2 / 20
    assert seeds_to_tell(12) == 6


def test_the_median_counts_what_is_not_solved_as_censored() -> None:
    # Kaplan and Meier: of four, two solve T; 0.75 and 0.5 have not by 1 and 3.
    assert median_to_solve([3, 1, 8, 8], [True, True, False, False]) == 3
    assert median_to_solve([3, 1, 2], [True] * 3) == 2
    for half in range(1, 21):  # whatever the product of the factors is rounded to
        tokens, solved = [*range(1, half + 1), *[99] * half], [True] * half + [False] * half
        assert median_to_solve(tokens, solved) == half
    assert median_to_solve([3, 8, 8], [True, False, False]) == math.inf
    # One is censored before the others end: half of the four that remain solve T by 7.
    assert median_to_solve([2, 5, 6, 7, 8], [False, True, True, True, True]) == 6


def test_holm_of_an_example() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


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
