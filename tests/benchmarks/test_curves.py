import math

import pandas as pd
import pytest
from synthetic import make_config, make_table

from benchmarks.replay.curves import Curves, as_curve, read_table

COLUMNS = ["iteration", "tokens", "seconds", "validation_accuracy", "ladder_accuracy"]


def rows(*accuracies: float) -> pd.DataFrame:
    points = [(i, 100 * i, 2.0 * i, a, a) for i, a in enumerate(accuracies, 1)]
    return pd.DataFrame(points, columns=COLUMNS)


def test_a_curve_ends_when_it_is_solved_and_tells_from_the_first_of_the_two():
    curve = as_curve(rows(0.5, 0.995, 0.5, 0.992, 0.99, 1.0))
    assert [point.tokens_to_solve for point in curve] == [None] * 4 + [400]
    assert curve[-1].seconds_to_solve == 8.0


def test_a_diverged_curve_ends_without_accuracies():
    curve = as_curve(rows(0.5, math.nan))
    assert len(curve) == 2
    assert math.isnan(curve[-1].validation_accuracy)


def test_the_nearest_curve_has_the_same_choices_and_is_near_on_log_scales():
    table = make_table(80)
    config = make_config()
    curves = Curves(table, "gru", 1000, config.dimensions())
    assert len(curves) == 80
    at_T = table[(table["T"] == 1000) & (table["iteration"] == 1)]
    for row in at_T.head(10).to_dict("records"):
        own = as_curve(
            table[(table["T"] == 1000) & (table["configuration"] == row["configuration"])]
        )
        near = {**row, "learning_rate": row["learning_rate"] * 1.001}
        assert list(map(repr, curves.nearest(near, set()))) == list(map(repr, own))


def test_a_search_gets_a_curve_again_only_after_all_others_with_its_choices():
    curves = Curves(make_table(24), "gru", 1000, make_config().dimensions())
    point = make_table(24).iloc[0].to_dict()
    same = make_table(24).query("T == 1000 and hidden_size == @point['hidden_size']")
    n = same["configuration"].nunique()
    used: set[int] = set()
    got = [id(curves.nearest(point, used)) for _ in range(n + 1)]
    assert len(set(got[:n])) == n
    assert got[n] == got[0]


def test_a_table_that_does_not_cover_the_choices_is_refused():
    table = make_table(20)
    with pytest.raises(ValueError, match="no curves of gru at T = 1000 for 1 of the combinations"):
        Curves(table[table["hidden_size"] == 32], "gru", 1000, make_config().dimensions())


def test_a_missing_table_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"error: cannot read .*learning_curves.py makes it"):
        read_table(tmp_path / "no.csv.gz")
