import optuna
import pytest

from search.config.space import Choices, Range, parse_dimension

DICE = Range(low=1, high=3, type="int")


def test_the_whole_numbers_of_a_range_are_equally_likely():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    samples = [study.ask({"x": DICE.distribution()}).params["x"] for _ in range(900)]
    values = [DICE.value_of(sample) for sample in samples]
    assert all(type(value) is int for value in values)
    assert all(250 < values.count(value) < 350 for value in (1, 2, 3))


@pytest.mark.parametrize(
    ("sample", "value"), [(0.5, 1), (1.49, 1), (2.0, 2), (2.51, 3), (3.5, 3), (2, 2)]
)
def test_a_sample_of_an_int_range_is_rounded_into_it(sample, value):
    assert DICE.value_of(sample) == value


@pytest.mark.parametrize(
    ("dimension", "sample"),
    [(Range(low=1e-4, high=1e-2, log=True), 3.3e-4), (Choices(choices=["adam", "sgd"]), "sgd")],
)
def test_other_samples_are_the_hyperparameter_itself(dimension, sample):
    assert dimension.value_of(sample) == sample


def test_a_hyperparameter_may_be_a_number_or_a_word():
    """YAML reads 1e-1 as text."""
    types = {"forget_bias": float | str}
    found = parse_dimension("forget_bias", {"choices": [1, "1e-1", "chrono"]}, types)
    assert found == Choices(choices=[1.0, 0.1, "chrono"])
    assert parse_dimension("forget_bias", "2", types) == 2.0
    assert parse_dimension("forget_bias", {"low": 0, "high": 2}, types) == Range(low=0, high=2)
