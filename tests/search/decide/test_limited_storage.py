import inspect
import random

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers._tpe.sampler import _split_trials  # what tpe_order must agree with
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.config.algorithms import tpe
from search.decide.limited_storage import GOOD_TRIALS, LimitedStorage, tpe_order

SPACE = {
    "rate": FloatDistribution(1e-3, 1e-1, log=True),
    "size": CategoricalDistribution([64, 128]),
    "length": FloatDistribution(10, 1000, log=True),
}
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

# (state, last step, value in hundredths): few values, so that there are ties
endings = st.tuples(
    st.sampled_from([*FINISHED, TrialState.FAIL, TrialState.RUNNING]),
    st.sampled_from([4, 12]),
    st.integers(0, 9),
)


def make_study(storage: BaseStorage) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(storage=storage, direction="maximize")


def make_trial(chance: random.Random, state: TrialState, step: int, value: float) -> FrozenTrial:
    return create_trial(
        state=state,
        value=value if state in FINISHED else None,
        params={
            "rate": 10 ** chance.uniform(-3, -1),
            "size": chance.choice([64, 128]),
            "length": chance.uniform(10, 1000),
        },
        distributions=SPACE,
        intermediate_values={step: value},
    )


def make_trials(number: int) -> list[FrozenTrial]:
    chance = random.Random(number)
    return [
        make_trial(chance, chance.choice(FINISHED), chance.choice([4, 12]), chance.random())
        for _ in range(number)
    ]


def suggest(study: optuna.Study, seed: int) -> dict:
    study.sampler = tpe(seed=seed, startup_trials=2, space=SPACE)
    return study.ask(SPACE).params


def numbers(trials: list[FrozenTrial]) -> list[int]:
    return [trial.number for trial in trials]


def test_suggestions_are_optunas_own_up_to_the_number_that_is_shown():
    limited, plain = make_study(LimitedStorage(60)), make_study(InMemoryStorage())
    for number, trial in enumerate(make_trials(60)):
        if number % 10 == 9:
            assert suggest(limited, number) == suggest(plain, number)
        limited.add_trial(trial)
        plain.add_trial(trial)
    assert suggest(limited, 99) == suggest(plain, 99)


def test_of_many_trials_the_good_the_running_and_the_latest_are_shown():
    study = make_study(LimitedStorage(30))
    chance = random.Random(0)
    best = [make_trial(chance, TrialState.COMPLETE, 30, 0.9 + n / 1000) for n in range(GOOD_TRIALS)]
    running = make_trial(chance, TrialState.RUNNING, 4, 0.1)
    failed = make_trial(chance, TrialState.FAIL, 4, 0.1)
    poor = [make_trial(chance, TrialState.PRUNED, 4, 0.5) for _ in range(40)]
    study.add_trials([*best, running, failed, *poor])
    total = GOOD_TRIALS + 2 + len(poor)
    assert numbers(study.get_trials(deepcopy=False)) == [
        *range(GOOD_TRIALS + 1), *range(total - 5, total)
    ]  # fmt: skip
    assert numbers(study.get_trials(states=(TrialState.RUNNING,))) == [GOOD_TRIALS]


def test_of_many_running_trials_those_that_began_last_are_shown(monkeypatch):
    monkeypatch.setattr("search.decide.limited_storage.RUNNING_TRIALS", 3)
    study = make_study(LimitedStorage(30))
    chance = random.Random(0)
    running = [make_trial(chance, TrialState.RUNNING, 4, 0.1) for _ in range(5)]
    study.add_trials([make_trial(chance, TrialState.PRUNED, 4, 0.1), *running])
    assert numbers(study.get_trials(deepcopy=False)) == [0, 3, 4, 5]


def test_a_suggestion_keeps_away_from_what_is_being_tried():
    space = {"x": FloatDistribution(0, 1)}

    def suggested(running: list[float]) -> float:
        study = make_study(LimitedStorage(30))
        values = [n / 10 for n in range(10)]
        study.add_trials(
            [create_trial(value=x, params={"x": x}, distributions=space) for x in values]
        )
        study.add_trials([create_trial(state=TrialState.RUNNING, params={"x": x},
                                       distributions=space) for x in running])  # fmt: skip
        study.sampler = tpe(seed=1, startup_trials=2, space=space)
        return study.ask(space).params["x"]

    there = suggested([])
    assert abs(suggested([there + n / 1000 for n in range(-3, 4)]) - there) > 0.1


@given(st.lists(endings, max_size=80), st.randoms(use_true_random=False))
def test_the_order_in_which_trials_end_does_not_change_what_is_shown(plan, order):
    at_once, one_by_one = LimitedStorage(30), LimitedStorage(30)
    study = make_study(at_once)
    chance = random.Random(0)
    trials = [make_trial(chance, state, step, value / 100) for state, step, value in plan]
    study.add_trials(trials)
    other = make_study(one_by_one)
    for (_, step, value), trial in zip(plan, trials, strict=True):
        start = make_trial(chance, TrialState.RUNNING, step, value / 100)
        start.params = trial.params
        other.add_trial(start)
    for number in order.sample(range(len(trials)), len(trials)):
        if trials[number].state.is_finished():
            one_by_one.set_trial_state_values(number, trials[number].state, trials[number].values)
    shown = study.get_trials(deepcopy=False)
    assert numbers(other.get_trials(deepcopy=False)) == numbers(shown)
    assert suggest(other, 1) == suggest(study, 1)


@given(st.lists(endings.filter(lambda e: e[0] in FINISHED), min_size=1, max_size=80))
def test_good_trials_are_those_that_optuna_takes(plan):
    everything, chance = make_study(InMemoryStorage()), random.Random(0)
    for state, step, value in plan:
        everything.add_trial(make_trial(chance, state, step, value / 100))
    trials = everything.get_trials()
    constraints = [False] * (len(inspect.signature(_split_trials).parameters) - 3)  # Optuna 4's
    below, _ = _split_trials(everything, trials, GOOD_TRIALS, *constraints)
    assert numbers(below) == sorted(numbers(sorted(trials, key=tpe_order)[:GOOD_TRIALS]))


@pytest.mark.parametrize("deepcopy", [True, False])
def test_only_copies_can_be_changed(deepcopy):
    study = make_study(LimitedStorage(30))
    study.add_trials(make_trials(40))
    study.get_trials(deepcopy=deepcopy)[0].user_attrs["mark"] = 1
    assert any(t.user_attrs for t in study.get_trials()) is not deepcopy
