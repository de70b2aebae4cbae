import math

import pytest
from synthetic import make_config, make_table

from benchmarks.replay.curves import Pool
from benchmarks.replay.neighbours import (
    agreement,
    neighbour_table,
    of_any,
    of_neighbour,
    of_other_seed,
)


def make_pool(**settings) -> Pool:
    table = make_table(120, **settings)
    return Pool.read(table, "gru", 1000, make_config().dimensions())


@pytest.fixture(scope="module")
def pool() -> Pool:
    return make_pool()


def test_a_neighbour_stands_for_a_configuration_better_than_any_other(pool):
    near, again, other = (agreement(way(pool)) for way in (of_neighbour, of_other_seed, of_any))
    assert again.error < near.error < 0.5 * other.error
    assert again.solved > near.solved > other.solved


def test_no_training_foretells_itself(pool):
    for way in (of_neighbour, of_other_seed, of_any):
        for curve, others in way(pool):
            assert all(other is not curve for other in others)


def test_the_neighbour_of_a_configuration_has_the_same_choices_and_other_trainings(pool):
    pairs = list(of_neighbour(pool))
    assert len(pairs) == 240
    owner = {id(curve): c for c in pool.configurations for curve in c.curves}
    for curve, others in pairs:
        own, other = owner[id(curve)], owner[id(others[0])]
        assert own is not other
        assert own.choices == other.choices


def test_where_nothing_can_foretell_a_training_there_is_no_number():
    alone = agreement(of_other_seed(make_pool(seeds=1)))
    assert math.isnan(alone.error)


def test_the_table_has_a_row_for_each_model(pool):
    lines = neighbour_table({"gru": pool, "lstm": pool}).splitlines()
    assert lines[2].startswith("| GRU | 120 | 240 |")
    assert len(lines) == 4
    assert lines[2].count(" % |") == 3
