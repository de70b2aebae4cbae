import pytest

from studies.seed_statistics import clopper_pearson, summarize_seeds


def test_clopper_pearson_as_in_the_tables():
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert clopper_pearson(8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert clopper_pearson(10, 10) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_seeds_are_summed_up_by_their_solve_rate_and_median():
    summary = summarize_seeds([0.99, 0.3, 0.98, 1.0], [True, False, True, True])
    assert (summary.seeds, summary.solved, summary.solve_rate) == (4, 3, 0.75)
    assert (summary.solve_rate_low, summary.solve_rate_high) == clopper_pearson(3, 4)
    assert (summary.median, summary.lowest, summary.highest) == (0.985, 0.3, 1.0)
