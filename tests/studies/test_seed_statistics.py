import pytest

from copytask import TASKS
from studies.seed_statistics import clopper_pearson, student_interval, summarize_seeds


def test_clopper_pearson_as_in_the_tables():
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert clopper_pearson(8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert clopper_pearson(10, 10) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_students_interval_of_three_values():
    # t = 4.3027 with two degrees of freedom, standard deviation 0.1
    assert student_interval([0.4, 0.5, 0.6]) == pytest.approx((0.2516, 0.7484), abs=1e-4)


def test_it_is_clipped_and_one_value_tells_nothing():
    assert student_interval([0.99, 0.5]) == (0.0, 1.0)
    assert student_interval([0.9]) == (0.0, 1.0)


def test_a_seed_without_a_model_is_in_the_mean_as_a_guess():
    summary = summarize_seeds([0.9, None], [True, False])
    assert (summary.seeds, summary.solved) == (2, 1)
    assert summary.mean == pytest.approx((0.9 + TASKS["delay"].chance_accuracy) / 2)
