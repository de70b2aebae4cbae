from pathlib import Path

import pandas as pd
import pytest
from points import point
from study_files import NOT_SOLVED, Row, trial, write_csv, write_study

from analysis import load_studies
from analysis.tables.best_so_far import BEST_SO_FAR, best_so_far
from analysis.tables.comparison import compare_studies
from analysis.tables.costs import COSTS, search_costs, whole_searches
from studies import format as files
from studies.columns import PROGRESS
from studies.event_files import encode
from studies.events import LengthEnded, Result, TrialStarted


def evaluations(folder: Path, *rows: tuple[str, int, float, float]) -> None:
    """Write progress.csv at T = 100: trial, tokens, seconds of the trial, accuracy."""
    names = ("trial_id", "tokens", "seconds", "validation_accuracy")
    lines: list[Row] = [{"T": 100, **dict(zip(names, row, strict=True))} for row in rows]
    write_csv(folder / files.PROGRESS_FILE, PROGRESS.names, lines)


@pytest.fixture
def folder(runs: Path) -> Path:
    """Two trials of a search, ten seconds each with one between them, and a final training."""
    lost = trial(100, 0, tokens=300, **NOT_SOLVED)
    won = trial(100, 1, tokens=500, tokens_to_solve=400)
    final = trial(100, 2, tokens=9_000, stage=files.FINAL)
    study = write_study(runs, "a", model="gru", T=[100], trials=[lost, won, final])
    evaluations(
        study,
        ("T=100-00", 100, 2, 0.2), ("T=100-00", 200, 4, 0.5), ("T=100-00", 300, 6, 0.4),
        ("T=100-01", 200, 2, 0.3), ("T=100-01", 400, 4, 0.991), ("T=100-01", 500, 6, 0.995),
        ("T=100-02", 9_000, 6, 1.0),
    )  # fmt: skip
    return study


def found(runs: Path) -> pd.DataFrame:
    studies = load_studies([runs])
    return best_so_far(studies, compare_studies(studies))


def test_the_best_so_far_is_over_the_tokens_of_all_trials(runs: Path, folder: Path) -> None:
    rows = found(runs)
    assert list(rows) == list(BEST_SO_FAR.names)
    assert set(rows["label"]) == {"gru"}
    assert rows[["tokens", "best", "solved"]].values.tolist() == [
        [100, 0.2, False], [200, 0.5, False], [700, 0.991, True], [800, 0.995, True],
    ]  # fmt: skip


def test_trials_at_once_are_counted_as_they_run(runs: Path, folder: Path) -> None:
    events = (folder / files.EVENTS_FILE).read_text()
    assert '"elapsed":12.0' in events  # when the second trial starts
    (folder / files.EVENTS_FILE).write_text(events.replace('"elapsed":12.0', '"elapsed":1.5'))
    assert found(runs)["tokens"].tolist() == [100, 300, 400, 600, 800]


def test_a_search_that_found_nothing_better_has_its_end(runs: Path) -> None:
    study = write_study(runs, "a", T=[100], trials=[trial(100, **NOT_SOLVED)])
    evaluations(study, ("T=100-00", 100, 2, 0.5), ("T=100-00", 200, 4, 0.4))
    assert found(runs)[["tokens", "best"]].values.tolist() == [[100, 0.5], [200, 0.5]]


def test_what_a_search_costs_is_without_what_follows_it(runs: Path, folder: Path) -> None:
    studies = load_studies([runs])
    comparison = compare_studies(studies)
    table = search_costs(studies, comparison, best_so_far(studies, comparison))
    assert list(table) == list(COSTS.names)
    [row] = table.to_dict("records")
    assert (row["search_trials"], row["search_tokens"], row["search_seconds"]) == (2, 800, 20)
    assert row["wall_seconds"] == 21  # the final training would make it 32
    assert row["tokens_to_first_solve"] == 700


def test_a_whole_search_is_that_of_all_lengths(runs: Path) -> None:
    write_study(runs, "a", trials=[trial(100), trial(200), trial(200, 1)])
    [row] = whole_searches(load_studies([runs])).to_dict("records")
    assert (row["search_trials"], row["search_tokens"]) == (3, 5_000_000)
    assert row["wall_seconds"] == 31  # what lies between two T is not theirs


def test_a_search_that_goes_on_later_takes_no_longer_for_what_came_in_between(runs: Path) -> None:
    """With a raised limit, T = 100 is searched again after T = 200 and a confirmation."""
    cut_off = trial(100, 1, files.INTERRUPTED)
    folder = write_study(runs, "a", T=[100, 200], trials=[trial(100), cut_off, trial(200)])
    before = whole_searches(load_studies([runs]))["wall_seconds"].item()
    assert before == 31
    training = {"T": 100, "seed": 7}
    more = [
        TrialStarted(elapsed=200.0, trial_id="T=100-02", training=training),
        Result(
            elapsed=210.0, trial_id="T=100-02", status=files.COMPLETED, metrics=point(1, 0.5),
            parameters=1,
        ),
        LengthEnded(elapsed=210.0, T=100, limit="trials", value=3),
    ]  # fmt: skip
    with (folder / files.EVENTS_FILE).open("ab") as file:
        file.writelines(map(encode, more))
    lines = (folder / files.TRIALS_FILE).read_text().splitlines(keepends=True)
    again = lines[1].replace("T=100-00", "T=100-02")
    (folder / files.TRIALS_FILE).write_text("".join([*lines, again]))
    studies = load_studies([runs])
    assert whole_searches(studies)["wall_seconds"].item() == before + 10
    costs = search_costs(studies, compare_studies(studies), found(runs))
    assert costs["wall_seconds"].tolist() == [31, 10]


def test_without_events_there_is_no_order_and_no_wall_time(runs: Path, folder: Path) -> None:
    (folder / files.EVENTS_FILE).unlink()
    assert found(runs).empty
    studies = load_studies([runs])
    [row] = search_costs(studies, compare_studies(studies), found(runs)).to_dict("records")
    assert row["search_tokens"] == 800
    assert pd.isna(row["wall_seconds"])
    assert pd.isna(row["tokens_to_first_solve"])


def test_races_cost_tokens_and_time_at_their_T_alone(runs: Path) -> None:
    """They come after the search at the last T: what happens in between is not theirs."""
    raced = [trial(T, 5, tokens=700, stage=files.RACE) for T in (100, 200)]
    searched = [trial(T, tokens=500, tokens_to_solve=400) for T in (100, 200)]
    write_study(runs, "a", model="gru", T=[100, 200], trials=[*searched, *raced])
    studies = load_studies([runs])
    costs = search_costs(studies, compare_studies(studies), found(runs))
    assert costs["search_trials"].tolist() == [2, 2]
    assert costs["search_tokens"].tolist() == [1200, 1200]
    assert costs["wall_seconds"].tolist() == [20.0, 20.0]
