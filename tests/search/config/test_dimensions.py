"""Ranges with steps, and the conditions under which a hyperparameter is searched."""

import math

import optuna
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from search.config.conditions import MAX_GRID, SearchSpace, check_grid
from search.config.dimensions import Choices, Range

RANDOM = optuna.samplers.RandomSampler(seed=0)


@st.composite
def stepped(draw) -> Range:
    """Ranges with steps, of floats and whole numbers, linear and log."""
    kind, log = draw(st.sampled_from(["int", "float"])), draw(st.booleans())
    if kind == "int":
        step = draw(st.integers(1, 50))
        low = draw(st.integers(step if log else -100, 200))
    else:
        step = draw(st.sampled_from([0.001, 0.1, 0.25, 0.3, 7.5]))
        low = step * draw(st.integers(1 if log else -20, 20))
    return Range(low=low, high=low + step * draw(st.integers(1, 40)), step=step, log=log, type=kind)


@given(stepped(), st.floats(0, 1))
@example(Range(low=13 * 0.001, high=14 * 0.001, step=0.001), 0.0)  # 0.013 lies below 13 * 0.001
@example(Range(low=-0.3, high=0.3, step=0.1), 0.5)
def test_a_sample_of_a_range_with_steps_is_one_of_its_values(range_, share):
    distribution = range_.distribution()
    sample = distribution.low + share * (distribution.high - distribution.low)
    value = range_.value_of(min(sample, distribution.high))
    values = list(range_.values())
    assert value in values
    assert range_.contains(value)
    assert range_.value_of(value) == value
    assert range_.contains(float(f"{value:.9f}"))  # as a user writes it
    assert values[0] == pytest.approx(range_.low)
    assert values[-1] == pytest.approx(range_.high)


def test_the_values_of_a_range_with_steps_are_equally_likely_and_round():
    range_ = Range(low=0.1, high=0.5, step=0.1)
    study = optuna.create_study(sampler=RANDOM)
    samples = [study.ask({"x": range_.distribution()}).params["x"] for _ in range(900)]
    values = [range_.value_of(sample) for sample in samples]
    assert list(range_.values()) == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert all(140 < values.count(value) < 220 for value in range_.values())


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"low": 0, "high": 1, "step": 0.3}, "the last step is at 0.9"),
        ({"low": 0, "high": 1, "step": 0}, "greater than 0"),
        ({"low": 1, "high": 9, "step": 0.5, "type": "int"}, "an int range needs a whole step"),
        ({"low": 1, "high": 9, "step": 2, "log": True}, "low > step / 2"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(values, fault):
    with pytest.raises(ValidationError, match=fault):
        Range(**values)


@pytest.mark.parametrize("key", ["low", "high", "step"])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_range_is_finite(key, value):
    with pytest.raises(ValidationError, match=rf"{key}\n.*finite number"):
        Range(**{"low": 0, "high": 1, "step": 1, key: value})


def test_of_a_range_that_is_too_long_for_a_grid_only_the_beginning_is_listed(monkeypatch):
    listed = []
    at = Range._at

    def counted(self: Range, steps: int) -> float:
        listed.append(steps)
        return at(self, steps)

    range_ = Range(low=0, high=3 * MAX_GRID, step=1)
    monkeypatch.setattr(Range, "_at", counted)
    with pytest.raises(ValueError, match="the grid has over 10,000 points"):
        check_grid(SearchSpace({"x": range_}, {}))
    assert len(listed) == MAX_GRID + 1


SPACE = {
    "b": Choices(choices=[1, 2], when={"a": ["x"]}),
    "a": Choices(choices=["x", "y"]),
    "c": Range(low=0, high=1, step=0.5, when={"b": [2], "fixed": [7]}),
    "d": Range(low=0, high=1, when={"fixed": [8]}),
}


def test_a_hyperparameter_is_searched_when_its_condition_holds():
    space = SearchSpace(SPACE, {"fixed": 7})
    assert list(space.dimensions) == ["a", "d", "b", "c"]  # after those on which they depend
    assert space.searched({"a": "x", "b": 2, "c": 0.5, "d": 0}) == {"a": "x", "b": 2, "c": 0.5}
    assert space.searched({"a": "x", "b": 1, "c": 0.5}) == {"a": "x", "b": 1}
    assert space.searched({"a": "y", "b": 2, "c": 0.5}) == {"a": "y"}  # c depends on b
    assert space.without_unsearched({"a": "y", "b": 2, "seed": 3}) == {"a": "y", "seed": 3}
    assert space.fulfilled("c") == {"a": "x", "b": 2, "fixed": 7}


def test_a_grid_has_the_points_that_differ():
    points = list(SearchSpace({k: SPACE[k] for k in "abc"}, {"fixed": 7}).points())
    assert points == [
        {"a": "x", "b": 1},
        {"a": "x", "b": 2, "c": 0.0},
        {"a": "x", "b": 2, "c": 0.5},
        {"a": "x", "b": 2, "c": 1.0},
        {"a": "y"},
    ]


@given(st.sampled_from("xy"), st.sampled_from([1, 2]), st.sampled_from([7, 8]))
@settings(max_examples=30)
def test_what_is_searched_meets_its_conditions_and_what_is_not_does_not(a, b, fixed):
    space = SearchSpace(SPACE, {"fixed": fixed})
    searched = space.searched({"a": a, "b": b, "c": 0.5, "d": 0.1})
    for name, dimension in SPACE.items():
        holds = all(
            {**searched, "fixed": fixed}.get(other) in allowed
            for other, allowed in dimension.when.items()
        )
        assert (name in searched) == holds


def test_ranges_and_choices_are_described_in_words():
    assert Range(low=1e-4, high=0.01, log=True).described() == "0.0001 to 0.01"
    assert Range(low=32, high=128, step=32).described() == "32 to 128 in steps of 32"
    assert Choices(choices=["plain", 8]).described() == "plain, 8"
