import math

import pandas as pd
import pytest
from synthetic import make_config, make_table

from benchmarks.replay.curves import (
    Pool,
    PoolSearch,
    as_curve,
    at_the_usual_speed,
    read_table,
    solves,
)

COLUMNS = [
    "iteration", "tokens", "seconds", "validation_accuracy", "ladder_accuracy", "tokens_to_solve",
]  # fmt: skip


def make_pool(configurations: int = 40, T: int = 1000, **settings) -> Pool:
    table = make_table(configurations, **settings)
    return Pool.read(table, "gru", T, make_config().dimensions())


def values_of(table: pd.DataFrame, number: int) -> dict:
    """The hyperparameters of a configuration."""
    return table[table["configuration"] == number].iloc[0].to_dict()


def test_a_curve_tells_when_T_was_solved():
    points = [(1, 100, 2.0, 0.5, 0.6, None), (2, 200, 4.0, 0.995, 0.9, None),
              (3, 300, 6.0, 0.994, 0.9, 200)]  # fmt: skip
    curve = as_curve(pd.DataFrame(points, columns=COLUMNS, dtype=float))
    assert [point.tokens_to_solve for point in curve] == [None, None, 200]
    assert curve[-1].seconds_to_solve == 4.0
    assert solves(curve)


def test_a_diverged_curve_ends_without_accuracies():
    points = [(1, 100, 2.0, 0.5, 0.6, None), (2, 200, 4.0, None, None, None)]
    curve = as_curve(pd.DataFrame(points, columns=COLUMNS, dtype=float))
    assert math.isnan(curve[-1].validation_accuracy)
    assert not solves(curve)


def test_a_training_takes_the_usual_time_of_its_size_whatever_else_its_machine_did():
    table = make_table(40)
    slow = table["configuration"] == 3
    table.loc[slow, "seconds"] *= 10
    dimensions = make_config().dimensions()
    usual, pool = make_pool(40), Pool.read(table, "gru", 1000, dimensions)
    same = [c.choices for c in pool.configurations].count(pool.configurations[3].choices)
    assert same > 4  # so that the median is another training's
    for one, other in zip(usual.configurations, pool.configurations, strict=True):
        assert [e.tokens for e in one.curves[0]] == [e.tokens for e in other.curves[0]]
        last, before = other.curves[0][-1], one.curves[0][-1]
        assert last.seconds == pytest.approx(before.seconds, rel=0.05)


def test_a_slower_machine_does_not_change_what_sizes_take_beside_each_other():
    table = make_table(40).assign(machine="fast")
    of_size = table["hidden_size"] == table["hidden_size"].iloc[0]
    fourth = table["configuration"] % 4 == 0
    slow = (of_size & ~fourth) | (~of_size & fourth)  # most of one size, and few of the others
    other = table.copy()
    other.loc[slow, "machine"] = "slow"
    other.loc[slow, "seconds"] *= 2
    before, after = (at_the_usual_speed(t, ["hidden_size"])["seconds"] for t in (table, other))
    ratios = after / before
    assert ratios.max() == pytest.approx(ratios.min(), rel=0.05)


def test_a_stretched_pool_takes_as_many_times_as_long_and_learns_the_same():
    pool = make_pool(20)
    for before, after in zip(pool.configurations, pool.stretched(3.0).configurations, strict=True):
        for one, other in zip(before.curves, after.curves, strict=True):
            for short, long in zip(one, other, strict=True):
                assert long.seconds == 3 * short.seconds
                if short.seconds_to_solve is not None:
                    assert long.seconds_to_solve == 3 * short.seconds_to_solve
                assert (long.tokens, long.iteration) == (short.tokens, short.iteration)


def test_the_nearest_configuration_has_the_same_choices_and_is_near_on_log_scales():
    table, pool = make_table(80), make_pool(80)
    for number in range(10):
        own = values_of(table, number)
        near = {**own, "learning_rate": own["learning_rate"] * 1.001}
        assert pool.configurations[pool.nearest(near)[0]].number == number
        assert (
            len(pool.nearest(near))
            == (table.groupby("configuration")["hidden_size"].first() == own["hidden_size"]).sum()
        )


def test_a_search_gets_each_configuration_once_and_then_none():
    table, pool = make_table(24), make_pool(24)
    own = values_of(table, 0)
    n = len(pool.nearest(own))
    search = PoolSearch(pool, seed=0)
    got = [search.nearest(own) for _ in range(n + 1)]
    assert len({id(recorded.curve) for recorded in got[:n]}) == n
    assert got[n] is None
    again = PoolSearch(pool, seed=0, repeat=True)
    curves = [again.nearest(own).curve for _ in range(n + 1)]
    assert curves[n] is curves[0]


def test_all_sides_get_the_same_trainings_with_a_seed_and_others_with_other_seeds():
    table, pool = make_table(40), make_pool(40)
    own = values_of(table, 0)

    def drawn(seed: int) -> list[int]:
        search = PoolSearch(pool, seed)
        return [id(search.nearest(own).curve) for _ in range(10)]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(5)}) > 1


def test_what_the_other_trainings_of_a_configuration_do_is_told():
    table, pool = make_table(60), make_pool(60)
    for solved, again in ((2, 1.0), (0, 0.0)):
        number = next(c.number for c in pool.configurations if c.solved == solved)
        search = PoolSearch(pool.take([number]), seed=0)
        assert search.nearest(values_of(table, number)).again == again
    alone = PoolSearch(make_pool(5, seeds=1), seed=0)
    assert math.isnan(alone.nearest(values_of(make_table(5, seeds=1), 0)).again)


def test_a_configuration_that_was_drawn_twice_is_there_twice():
    pool = make_pool(20).take([3, 3, 5])
    assert [configuration.number for configuration in pool.configurations] == [3, 3, 5]
    values = values_of(make_table(20), 3)
    assert len(pool.nearest(values)) == 2 + (
        values_of(make_table(20), 5)["hidden_size"] == values["hidden_size"]
    )


def test_only_configurations_with_all_seeds_are_used():
    table = make_table(10)
    lacks = (table["configuration"] == 4) & (table["T"] == 1000) & (table["seed"] == 1)
    pool = Pool.read(table[~lacks], "gru", 1000, make_config().dimensions())
    assert [c.number for c in pool.configurations] == [0, 1, 2, 3, 5, 6, 7, 8, 9]


def test_a_table_without_the_model_is_refused():
    with pytest.raises(ValueError, match="no recorded training of lstm at T = 1000"):
        Pool.read(make_table(5), "lstm", 1000, make_config().dimensions())


def test_a_missing_table_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"error: cannot read .*learning_curves.py makes it"):
        read_table(tmp_path / "no.csv.gz")
