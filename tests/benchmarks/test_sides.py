import importlib.util
import logging
from dataclasses import replace

import pytest
from synthetic import make_config, make_table

from benchmarks.replay import sides
from benchmarks.replay.curves import read_pools
from benchmarks.replay.sides import ALL_SIDES, OURS, OURS_WARM, SIDES, WARM, Race, sides_of

SYNE_TUNE = importlib.util.find_spec("syne_tune") is not None
NAMES = [name for name in ALL_SIDES if SYNE_TUNE or "Syne" not in name]


@pytest.fixture(scope="module")
def race() -> Race:
    logging.disable(logging.WARNING)
    config = make_config(race_seeds=0)
    pools = read_pools(make_table(100), "gru", config.T, config.dimensions())
    yield Race(config, pools, workers=2, horizon=60)
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_every_side_searches_and_the_same_seed_gives_the_same(race, name):
    side = ALL_SIDES[name]
    outcome, again = side(race, 3), side(race, 3)
    assert outcome.trials >= 2
    assert 0.9 < outcome.utilisation <= 1
    assert (again.clock, again.tokens) == (outcome.clock, outcome.tokens)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in SIDES if SYNE_TUNE or "Syne" not in name])
def test_every_side_tries_the_initial_configurations_first(race, name, monkeypatch):
    points = [
        {"learning_rate": 0.004, "hidden_size": 64, "curriculum_length": 2000},
        {"learning_rate": 0.003, "hidden_size": 32, "curriculum_length": 1500},
    ]
    asked = []

    class Noting(sides.PoolSearch):
        def nearest(self, hyperparameters):
            asked.append({name: hyperparameters[name] for name in points[0]})
            return super().nearest(hyperparameters)

    monkeypatch.setattr(sides, "PoolSearch", Noting)
    SIDES[name](replace(race, initial=points), 0)
    assert asked[:2] == [pytest.approx(point) for point in points]
    assert asked[2] not in points


@pytest.mark.filterwarnings("ignore")
def test_warm_sides_start_with_what_was_found_at_the_T_before(race):
    started = []

    def side(race, seed):
        started.append(race.initial)
        return ALL_SIDES[OURS](race, seed)

    outcome = sides.after(side, race, 0)
    assert 1 <= len(started[0]) <= race.config.search.carried_trials
    assert set(started[0][0]) == set(race.config.dimensions())
    assert outcome.clock_before > 0
    assert outcome.tokens_before > 0


@pytest.mark.filterwarnings("ignore")
def test_all_warm_sides_have_the_same_search_before(race):
    before = {
        (outcome.clock_before, outcome.tokens_before)
        for outcome in (WARM[name](race, 1) for name in (OURS_WARM, "random search, warm"))
    }
    assert len(before) == 1


@pytest.mark.filterwarnings("ignore")
def test_the_random_side_stops_no_trial_early(race):
    outcome = SIDES["random search"](race, 0)
    pool = race.pools[1000]
    lengths = [len(curve) for c in pool.configurations for curve in c.curves]
    assert outcome.evaluations >= min(lengths) * (outcome.trials - race.workers)


def test_a_resampled_pool_has_the_same_configurations_at_each_T(race):
    resampled = race.resampled(1)
    numbers = [[c.number for c in resampled.pools[T].configurations] for T in (100, 1000)]
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) == len(race.pools[100])
    assert 55 < len(set(numbers[0])) < 70, "of 100 drawn with replacement, 63 differ"
    assert race.resampled(0) is race
    others = [c.number for c in race.resampled(2).pools[100].configurations]
    assert others != numbers[0]


def test_a_comparison_at_one_T_has_no_search_after_another():
    assert OURS_WARM in sides_of([500, 1000])
    assert set(ALL_SIDES) - set(sides_of([1000])) == set(WARM)
