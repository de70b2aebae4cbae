import importlib.util
import logging
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic import make_config, make_table

from benchmarks.replay.curves import Curves
from benchmarks.replay.sides import ALL_SIDES, IN_ORDER, OURS, RANDOM, SIDES, Race, sides_of
from benchmarks.replay.simulator import Improvement, Outcome
from benchmarks.replay.statistics import median, ratio_of_medians
from benchmarks.replay.tables import (
    COUNTED,
    all_needs,
    efficiency_table,
    ratios_of_random,
    ratios_to_ours,
    regret,
    side_table,
)
from benchmarks.search_efficiency import row_of

SYNE_TUNE = importlib.util.find_spec("syne_tune") is not None
NAMES = [n for n in ALL_SIDES if "CQR" not in n and (SYNE_TUNE or "Syne" not in n)]


@pytest.fixture(scope="module")
def race() -> Race:
    logging.disable(logging.WARNING)
    config, table = make_config(), make_table(100)
    curves = {T: Curves(table, "gru", T, config.dimensions()) for T in config.T}
    yield Race(config, curves, workers=2, horizon=60)
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_every_side_searches_and_the_same_seed_gives_the_same(race, name):
    side = ALL_SIDES[name]
    outcome, again = side(race, 3), side(race, 3)
    assert outcome.trials >= 2
    assert 0.9 < outcome.utilisation <= 1
    assert (again.clock, again.tokens, again.improvements) == (
        outcome.clock, outcome.tokens, outcome.improvements
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_the_search_in_order_tells_what_it_spent_before(race):
    outcome = SIDES[IN_ORDER](race, 0)
    assert outcome.clock_before > 0
    assert outcome.tokens_before > 0


@pytest.mark.filterwarnings("ignore")
def test_a_search_can_go_on_until_several_trials_have_solved_T(race):
    race = replace(race, horizon=3000)
    first, third = SIDES[OURS](race, 0), SIDES[OURS](replace(race, solved_trials=3), 0)
    assert first.solved
    assert third.solved
    assert third.trials >= first.trials + 2


@pytest.mark.filterwarnings("ignore")
def test_the_random_side_stops_no_trial_early(race):
    outcome = SIDES["random search"](race, 0)
    lengths = {len(curve) for group in race.curves[1000]._curves.values() for curve in group}
    assert outcome.evaluations >= min(lengths) * (outcome.trials - race.workers)


def test_medians_and_ratios_take_searches_that_never_ended_as_longer_than_all():
    assert median([1.0, 2.0, math.inf]).value == 2.0
    assert median([1.0, math.inf, math.inf]).value == math.inf
    assert ratio_of_medians(([4.0] * 9, [2.0] * 9)) == (2.0, 2.0, 2.0)
    assert ratio_of_medians(([math.inf] * 9, [2.0] * 9)).low == math.inf


def test_the_ratio_over_models_is_the_geometric_mean_of_theirs():
    ratio = ratio_of_medians(([8.0] * 9, [1.0] * 9), ([1.0] * 9, [2.0] * 9))
    assert ratio == pytest.approx((2.0, 2.0, 2.0))


def test_an_interval_of_a_median_covers_it_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(60):
        low, high = median(generator.exponential(size=40))[1:]
        covered += low <= math.log(2) <= high
    assert covered >= 50


def test_the_table_counts_what_was_solved():
    def outcome(clock: float, solved: bool = True, before: float = 0.0) -> Outcome:
        return Outcome(solved=solved, clock=clock, tokens=int(clock * 1e6), clock_before=before)

    results = [(OURS, outcome(10.0)), (IN_ORDER, outcome(5.0, before=15.0)), ("x", outcome(30.0))]
    results += [("y", outcome(60.0, solved=False))]
    rows = [row_of("gru", side, seed, o) for side, o in results for seed in range(5)]
    cells = cells_of(side_table(pd.DataFrame(rows)))
    assert cells["ours"][:3] == ["5", "10 [10, 10]", ""]
    assert cells[IN_ORDER][2] == "0.50 [0.50, 0.50]"
    assert cells[COUNTED][2] == "2.00 [2.00, 2.00]"
    assert cells["x"][2] == "3.00 [3.00, 3.00]"
    assert cells["y"][:2] == ["0 of 5", "never [never, never]"]


def cells_of(text: str) -> dict[str, list[str]]:
    """The first cell of each row of a Markdown table -> the others."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {first: others for first, *others in rows}


def race_rows(model: str, **clocks: list[float]) -> pd.DataFrame:
    """Searches of these sides that took so long, with the seeds 0, 1, ..."""
    sides = {"random": RANDOM, "warm": IN_ORDER}
    return pd.DataFrame(
        row_of(model, sides.get(side, side), seed, Outcome(True, clock, 10**6, clock_before=30.0))
        for side, values in clocks.items()
        for seed, clock in enumerate(values)
    )


def test_several_models_have_a_table_of_the_ratios_of_each_and_over_all():
    rows = pd.concat([race_rows("gru", ours=[1.0] * 5, x=[8.0] * 5),
                      race_rows("lstm", ours=[2.0] * 5, x=[1.0] * 5)])  # fmt: skip
    cells = cells_of(ratios_to_ours(all_needs(rows), "seconds"))
    assert cells[""] == ["GRU", "LSTM", "all 2"]
    assert cells["x"] == [f"{x} [{x}, {x}]" for x in ("8.00", "0.50", "2.00")]
    assert ratios_to_ours(all_needs(rows), "seconds") in efficiency_table(rows)


def test_random_search_is_compared_with_the_search_in_order_with_and_without_the_T_before():
    rows = race_rows("gru", ours=[40.0] * 5, warm=[20.0] * 5, random=[60.0] * 5)
    cells = cells_of(ratios_of_random(all_needs(rows), "seconds"))
    assert cells[OURS] == ["1.50 [1.50, 1.50]"]
    assert cells[IN_ORDER] == ["3.00 [3.00, 3.00]"]
    assert cells[COUNTED] == ["1.20 [1.20, 1.20]"]
    assert ratios_of_random(all_needs(rows), "seconds") in efficiency_table(rows)


def test_where_ours_had_more_seeds_there_is_a_ratio_on_those_that_all_had():
    rows = race_rows("lstm", ours=[10.0, 10.0, 10.0, 2.0, 2.0, 2.0, 2.0], x=[5.0] * 3)
    header, *lines = side_table(rows).splitlines()
    column = header.split("|").index(" on shared seeds ")
    assert lines[-1].split("|")[column].strip() == "0.50 [0.50, 0.50]"
    assert lines[-1].split("|")[column - 1].split()[0] == "2.50"
    assert "shared" not in side_table(rows[rows["seed"] < 3])


def test_regret_is_a_step_function_of_the_improvements():
    points = [Improvement(1.0, 0, 0.25, 0.5), Improvement(3.0, 0, 0.75, 0.5)]
    values = regret(
        [Outcome(improvements=points)], np.array([0, 1, 2, 3, 9]), "validation_accuracy"
    )
    assert values.tolist() == [[1.0, 0.75, 0.75, 0.25, 0.25]]


def test_a_comparison_at_one_T_has_no_search_after_another():
    assert IN_ORDER in sides_of([500, 1000])
    assert set(SIDES) - set(sides_of([1000])) == {IN_ORDER}
