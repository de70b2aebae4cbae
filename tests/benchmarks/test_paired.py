import pandas as pd
import pytest

from benchmarks.paired import comparison_table


def rows_of(model: str = "lstm", unsolved: tuple[str, ...] = (), **seconds: list) -> pd.DataFrame:
    """Searches of these sides that took so long, with the seeds 0, 1, ..."""
    return pd.DataFrame(
        {"model": model, "side": side, "seed": seed, "solved": side not in unsolved,
         "seconds": value, "tokens": 2_000_000 * value}
        for side, values in seconds.items()
        for seed, value in enumerate(values)
        if value is not None
    )  # fmt: skip


def cells_of(text: str) -> dict[str, list[str]]:
    """The first cell of each row of a Markdown table -> the others."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {first: others for first, *others in rows}


def test_ratios_are_those_of_the_pairs():
    rows = rows_of(ours=[10, 40, 20, 30], other=[20, 80, 40, 60])
    cells = cells_of(comparison_table(rows, ["ours", "other"]))
    assert cells["ours"] == ["4 of 4", "20", "", "", "", "", ""]
    assert cells["other"][:3] == ["4 of 4", "40", "2.00 [2.00, 2.00]"]
    assert cells[""][2] == "seconds / ours [95 %]"


def test_only_seeds_that_both_have_are_compared():
    rows = rows_of(ours=[10, 40, 20, 1], other=[20, 80, None, None])
    assert cells_of(comparison_table(rows, ["ours", "other"]))["other"][2].startswith("2.00")


def test_p_values_are_corrected_for_all_comparisons_of_the_table():
    ours, other = list(range(10, 20)), list(range(21, 31))
    alone = cells_of(comparison_table(rows_of(ours=ours, a=other), ["ours", "a"]))
    beside = cells_of(comparison_table(rows_of(ours=ours, a=other, b=ours), ["ours", "a", "b"]))
    assert float(alone["a"][3]) == pytest.approx(2 * 2 / 2**10, abs=5e-4)
    assert float(beside["a"][3]) == pytest.approx(4 * 2 / 2**10, abs=5e-4)
    assert beside["b"][3] == "1.00"


def test_a_search_that_did_not_solve_T_counts_with_its_limit():
    rows = rows_of(unsolved=("other",), ours=[10, 20, 40], other=[90, 90, 90])
    cells = cells_of(comparison_table(rows, ["ours", "other"]))
    assert cells["other"][:2] == ["0 of 3", "not solved"]
    assert cells["other"][2].startswith("4.50")
    assert cells["other"][-1] == "", "in no pair do both solve T"


def test_the_ratio_where_both_solve_is_beside_that_of_all_pairs():
    rows = rows_of(ours=[10, 20, 40, 80], other=[20, 40, 80, 81])
    rows.loc[(rows["side"] == "other") & (rows["seed"] == 3), "solved"] = False
    cells = cells_of(comparison_table(rows, ["ours", "other"]))
    assert cells["other"][2].startswith("1.69")
    assert cells["other"][-1] == "2.00"


def test_several_models_have_a_column_of_their_names():
    rows = pd.concat([rows_of("gru", ours=[1, 2], x=[2, 4]), rows_of("lstm", ours=[3], x=[9])])
    lines = comparison_table(rows, ["ours", "x"]).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["GRU", "GRU", "LSTM", "LSTM"]
    assert len({line.count("|") for line in lines}) == 1


def test_resampled_pools_widen_the_interval():
    recorded = rows_of(ours=[10] * 6, other=[20, 21, 20, 19, 20, 20]).assign(pool=0)
    pools = [
        rows_of(ours=[10] * 3, other=[10 * number] * 3).assign(pool=number)
        for number in (1, 2, 3, 4)
    ]
    one = cells_of(comparison_table(recorded, ["ours", "other"]))["other"]
    both = cells_of(comparison_table(pd.concat([recorded, *pools]), ["ours", "other"]))["other"]
    assert both[0] == one[0] == "6 of 6"
    assert both[2].split()[0] == one[2].split()[0] == "2.00"
    assert (
        float(both[2].split("[")[1].split(",")[0]) < 1 < float(one[2].split("[")[1].split(",")[0])
    )


def test_a_measurement_that_has_only_begun_has_a_table():
    rows = pd.concat([rows_of("gru", a=[1, 2], b=[2, 4]), rows_of("lstm", b=[3])])
    lines = comparison_table(rows, ["ours", "a", "b"]).splitlines()
    assert "seconds / a [95 %]" in lines[0]
    assert lines[3].split("|")[5].strip() == "2.00"
    assert len(lines) == 5
