import importlib.util
import logging

import pytest
from synthetic import make_config, make_table

from benchmarks.replay.curves import Pool
from benchmarks.replay.sides import ALL_SIDES, SIDES, Race

SYNE_TUNE = importlib.util.find_spec("syne_tune") is not None
NAMES = [name for name in ALL_SIDES if SYNE_TUNE or "Syne" not in name]


@pytest.fixture(scope="module")
def race() -> Race:
    logging.disable(logging.WARNING)
    config = make_config(race_seeds=0)
    pool = Pool.read(make_table(100), "gru", 1000, config.dimensions())
    yield Race(config, pool, workers=2, horizon=60)
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
def test_the_random_side_stops_no_trial_early(race):
    outcome = SIDES["random search"](race, 0)
    lengths = [len(curve) for c in race.pool.configurations for curve in c.curves]
    assert outcome.evaluations >= min(lengths) * (outcome.trials - race.workers)


def test_a_resampled_pool_has_as_many_configurations_some_of_them_twice(race):
    numbers = [c.number for c in race.resampled(1).pool.configurations]
    assert len(numbers) == len(race.pool)
    assert 55 < len(set(numbers)) < 70, "of 100 drawn with replacement, 63 differ"
    assert race.resampled(0) is race
    assert [c.number for c in race.resampled(2).pool.configurations] != numbers
