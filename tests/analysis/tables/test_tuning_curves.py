from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from opda.nonparametric import EmpiricalDistribution
from study_files import trial, write_study

from analysis import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.tuning_curves import (
    CURVES,
    expected_best,
    random_samples,
    tuning_curves,
)
from studies import format as files
from studies.event_files import encode
from studies.events import ConfigurationEnqueued, LengthBegan, TrialCutOff

RANDOM = {"sampler": "random", "scheduler": "none"}


def trials(count: int = 8) -> list[dict[str, Any]]:
    return [trial(100, k, validation_accuracy=0.5 + 0.05 * k) for k in range(count)]


def sample(runs: Path) -> dict[str, Any]:
    studies = load_studies([runs])
    [row] = random_samples(studies, compare_studies(studies)).to_dict("records")
    return row


def test_a_random_search_has_a_curve_with_a_band(runs: Path) -> None:
    write_study(runs, "a", T=[100], trials=trials(), search=RANDOM)
    studies = load_studies([runs])
    samples = random_samples(studies, compare_studies(studies))
    assert samples[["trials", "band", "remark"]].values.tolist() == [[8, True, ""]]
    curve = tuning_curves(samples)
    assert list(curve) == list(CURVES.names)
    assert curve["n"].tolist() == list(range(1, 9))
    assert curve["best"].iloc[0] == pytest.approx(np.mean([0.5 + 0.05 * k for k in range(8)]))
    assert curve["best"].is_monotonic_increasing
    assert (curve["best_low"] < curve["best"]).all()
    assert (curve["best"] < curve["best_high"]).all()


@pytest.mark.parametrize(
    ("search", "limit", "band", "remark"),
    [
        (
            {"sampler": "random", "scheduler": "asha"},
            "trials",
            False,
            "at its stop; no band: whether a trial is stopped depends on the others",
        ),
        (
            RANDOM,
            "solved_trials",
            False,
            "no band: results decided when the search ended (solved_trials)",
        ),
        (RANDOM, "patience", False, "no band: results decided"),
    ],
)
def test_what_a_reader_must_know_is_said(
    runs: Path, search: dict[str, Any], limit: str, band: bool, remark: str
) -> None:
    write_study(runs, "a", T=[100], trials=trials(), search=search, limit=limit)
    row = sample(runs)
    assert (row["trials"], row["band"]) == (8, band)
    assert remark in row["remark"]
    curve = tuning_curves(pd.DataFrame([row]))
    assert curve["best_low"].notna().all() == band


def test_tpe_has_no_curve_and_is_told_how_to_get_one(runs: Path) -> None:
    write_study(runs, "a", T=[100], trials=trials(), search={"sampler": "tpe"})
    row = sample(runs)
    assert (row["trials"], row["values"]) == (0, [])
    assert row["remark"].startswith("sampled by tpe, not at random: search with --sampler random")


def test_given_configurations_and_unfinished_trials_do_not_count(runs: Path) -> None:
    many = [*trials(7), trial(100, 7, files.INTERRUPTED)]
    folder = write_study(runs, "a", T=[100], trials=many, search=RANDOM)
    events = (folder / files.EVENTS_FILE).read_text()
    given = events.replace('"initial":[]', '"initial":[{"learning_rate":0.1},{"hidden_size":64}]')
    (folder / files.EVENTS_FILE).write_text(given)
    assert sample(runs)["values"] == pytest.approx([0.6, 0.65, 0.7, 0.75, 0.8])


def test_a_configuration_that_a_user_enqueued_does_not_count(runs: Path) -> None:
    """Also when the search is resumed: empty places of its list are of trials that were sampled."""
    folder = write_study(runs, "a", T=[100], trials=trials(7), search=RANDOM)
    lines = (folder / files.EVENTS_FILE).read_bytes().splitlines(keepends=True)
    third = next(n for n, line in enumerate(lines) if b"trial_started" in line and b"-02" in line)
    point = {"learning_rate": 0.1}
    enqueued = ConfigurationEnqueued(elapsed=25.0, T=100, configuration=point, request="a")
    resumed = LengthBegan(elapsed=25.0, T=100, initial=[{}, {}, point])
    for more in ([enqueued], [enqueued, resumed]):
        new = [*lines[:third], *map(encode, more), *lines[third:]]
        (folder / files.EVENTS_FILE).write_bytes(b"".join(new))
        assert sample(runs)["values"] == pytest.approx([0.5, 0.55, 0.65, 0.7, 0.75, 0.8])


def test_where_a_user_stopped_trials_there_is_no_band(runs: Path) -> None:
    many = [*trials(7), trial(100, 7, files.INTERRUPTED)]
    folder = write_study(runs, "a", T=[100], trials=many, search=RANDOM)
    lines = (folder / files.EVENTS_FILE).read_bytes().splitlines(keepends=True)
    stopped = encode(TrialCutOff(elapsed=80.0, trial_id="T=100-07"))
    (folder / files.EVENTS_FILE).write_bytes(b"".join([*lines[:-1], stopped, lines[-1]]))
    row = sample(runs)
    assert not row["band"]
    assert row["remark"].endswith("no band: a user stopped trials, which do not count")


def test_a_trial_that_failed_before_an_evaluation_counts_as_chance(runs: Path) -> None:
    failed = trial(100, 9, files.FAILED, validation_accuracy="")
    write_study(runs, "a", T=[100], trials=[*trials(4), failed], search=RANDOM)
    assert sample(runs)["values"][-1] == 0.1


def test_chance_is_that_of_the_task(runs: Path) -> None:
    failed = trial(100, 9, files.FAILED, validation_accuracy="")
    write_study(runs, "a", T=[100], trials=[*trials(4), failed], search=RANDOM, chance=0.5)
    assert sample(runs)["values"][-1] == 0.5


def test_without_events_or_with_few_trials_there_is_no_curve(runs: Path) -> None:
    folder = write_study(runs, "a", T=[100], trials=trials(3), search=RANDOM)
    assert sample(runs)["remark"] == "only 3 random trials have ended; a curve needs 4"
    (folder / files.EVENTS_FILE).unlink()
    assert "events.jsonl does not say" in sample(runs)["remark"]


@pytest.mark.parametrize("count", [6, 16, 80])
@pytest.mark.parametrize("equal", [False, True])
def test_the_band_holds_for_all_n_at_once_in_95_of_100_searches(count: int, equal: bool) -> None:
    rng = np.random.default_rng(0)

    def draw(size: int) -> np.ndarray:
        values = rng.beta(2, 0.5, size)
        return values.round(2) if equal else values

    ns = list(range(1, count + 1))
    truth = EmpiricalDistribution(draw(200_000), a=0.0, b=1.0).average_tuning_curve(ns)
    runs = 200
    hits = 0
    for _ in range(runs):
        best, low, high = expected_best(draw(count).tolist(), ns)
        assert ((low <= best) & (best <= high)).all()
        hits += bool(((low <= truth) & (truth <= high)).all())
    assert hits / runs >= 0.95


def test_the_band_narrows_with_more_trials() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for count in (8, 16, 64, 500):
        _, low, high = expected_best(rng.random(count).tolist(), [4])
        widths.append(high[0] - low[0])
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.15
