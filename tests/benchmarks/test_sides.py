import importlib.util
import logging
import math

import numpy as np
import pandas as pd
import pytest
from synthetic import make_config, make_table

from benchmarks.replay.curves import Curves
from benchmarks.replay.sides import ABLATIONS, IN_ORDER, OURS, SIDES, Race, sides_of
from benchmarks.replay.simulator import Improvement, Outcome
from benchmarks.replay.statistics import median, ratio_of_medians
from benchmarks.replay.tables import efficiency_table, regret
from benchmarks.search_efficiency import row_of

SYNE_TUNE = importlib.util.find_spec("syne_tune") is not None
NAMES = [n for n in SIDES | ABLATIONS if "CQR" not in n and (SYNE_TUNE or "Syne" not in n)]


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
    side = (SIDES | ABLATIONS)[name]
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
    lines = efficiency_table(pd.DataFrame(rows)).splitlines()
    cells = {line[:36].strip(): line[36:].split() for line in lines[2:]}
    assert cells["ours"][:3] == ["5", "5", "10"]
    assert "0.50" in cells[IN_ORDER]
    assert "2.00" in cells["and that counted as well"]
    assert "3.00" in cells["x"]
    assert cells["y"][:3] == ["5", "0", "never"]


def test_the_table_of_several_models_ends_with_the_ratios_over_all():
    def rows(model: str, ours: float, other: float) -> list[dict[str, object]]:
        clocks = {OURS: ours, "x": other}
        outcomes = {side: Outcome(solved=True, clock=c, tokens=10**6) for side, c in clocks.items()}
        return [row_of(model, side, seed, o) for side, o in outcomes.items() for seed in range(5)]

    lines = efficiency_table(pd.DataFrame(rows("gru", 1.0, 8.0) + rows("lstm", 2.0, 1.0)))
    last = lines.rstrip().splitlines()[-1].split()
    assert last[:2] == ["x", "2.00"]
    assert last[3] == "1.00"


def test_regret_is_a_step_function_of_the_improvements():
    points = [Improvement(1.0, 0, 0.25, 0.5), Improvement(3.0, 0, 0.75, 0.5)]
    values = regret(
        [Outcome(improvements=points)], np.array([0, 1, 2, 3, 9]), "validation_accuracy"
    )
    assert values.tolist() == [[1.0, 0.75, 0.75, 0.25, 0.25]]


def test_a_comparison_at_one_T_has_no_search_after_another():
    assert IN_ORDER in sides_of([500, 1000])
    assert set(SIDES) - set(sides_of([1000])) == {IN_ORDER}
