from collections import Counter
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from search.config.algorithms import SCHEDULERS
from search.config.brackets import bracket_of, grace_periods


@pytest.mark.parametrize(
    ("settings", "periods"),
    [
        ((30, 4, 3), [4, 12]),
        ((30, 1, 3), [1, 3, 9, 27]),
        ((30, 40, 3), [30]),
        ((1, 1, 3), [1]),
        ((10, 2, 1.5), [2, 3, 5, 7]),
    ],
)
def test_each_bracket_begins_at_the_next_rung(settings, periods):
    assert grace_periods(*settings) == periods


def test_brackets_have_the_shares_of_hyperband_and_keep_their_trials():
    periods = [1, 3, 9]  # n = 3: shares ceil(3/3 * 9), ceil(3/2 * 3), 3
    names = [f"T100-{k:04}" for k in range(3400)]
    found = Counter(bracket_of(name, periods, 3) for name in names)
    for bracket, share in enumerate((9, 5, 3)):
        assert found[bracket] == pytest.approx(200 * share, rel=0.1)
    assert found == Counter(bracket_of(name, periods, 3) for name in reversed(names))


def test_a_trial_of_a_later_bracket_is_not_stopped_at_the_first_rung():
    make = SCHEDULERS["hyperband"]
    scheduler = make(metric="accuracy", max_iterations=30, grace_iterations=4, reduction_factor=3)
    stopped: dict[int, set[int]] = {0: set(), 1: set()}
    for number in range(60):
        trial = SimpleNamespace(trial_id=f"T5-{number:04}")
        scheduler.on_trial_add(None, trial)
        for iteration in range(1, 31):
            result = {"iteration": iteration, "accuracy": 1 / (number + 1)}
            if scheduler.on_trial_result(None, trial, result) == TrialScheduler.STOP:
                stopped[bracket_of(trial.trial_id, [4, 12], 3)].add(iteration)
                break
        else:
            scheduler.on_trial_complete(None, trial, result)
    assert stopped == {0: {4}, 1: {12}}
