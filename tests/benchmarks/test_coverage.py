import numpy as np
import pandas as pd
import pytest

from benchmarks.coverage import COLLAPSES, OVER_PAYLOADS, OVER_SEEDS, SETTINGS, TABLE

PRINTED = [name for name in (*OVER_SEEDS, *OVER_PAYLOADS) if "no longer" not in name]
GONE = [name for name in OVER_SEEDS if "no longer" in name]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(TABLE)


def test_every_interval_was_simulated_in_every_setting(rows: pd.DataFrame) -> None:
    settings = sum(len(sizes) * len(intervals) for _, sizes, intervals in SETTINGS)
    assert len(rows) == settings * len(COLLAPSES)
    assert not rows.duplicated(["interval", "n", "collapses"]).any()


@pytest.mark.parametrize("name", PRINTED)
def test_what_the_report_prints_holds_the_truth_as_often_as_it_says(
    rows: pd.DataFrame, name: str
) -> None:
    assert rows.loc[rows["interval"] == name, "covered"].between(0.93, 1).all()


@pytest.mark.parametrize("name", GONE)
def test_what_it_no_longer_prints_does_not(rows: pd.DataFrame, name: str) -> None:
    assert rows.loc[rows["interval"] == name, "covered"].min() < 0.5


@pytest.mark.parametrize("name", [*OVER_SEEDS, *OVER_PAYLOADS])
def test_the_table_follows_from_the_simulation(rows: pd.DataFrame, name: str) -> None:
    [(n, sampler)] = [
        (sizes[0], intervals[name]) for _, sizes, intervals in SETTINGS if name in intervals
    ]
    rng = np.random.default_rng(1)
    covered = np.mean([sampler(0.2, n, rng) for _ in range(200)])
    at = (rows["interval"] == name) & (rows["n"] == n) & (rows["collapses"] == 0.2)
    assert covered == pytest.approx(rows.loc[at, "covered"].item(), abs=0.1)
