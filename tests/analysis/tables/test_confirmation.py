import json

import pandas as pd
import pytest
from study_files import DIVERGED, NOT_SOLVED, confirm, seed, trial, write_study

from analysis.compare import main
from analysis.reading.studies import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.confirmation import confirmed_winners, winner_seeds
from studies import format as files


def test_a_winner_has_its_solve_rate_and_medians(runs):
    study = write_study(runs, "a", T=[100, 200])
    seeds = [seed(0, accuracy=0.98), seed(1, accuracy=1.0), seed(2, accuracy=0.4, **NOT_SOLVED)]
    confirm(study, *seeds)
    (row,) = confirmed_winners(load_studies([runs])).to_dict(orient="records")
    assert (row["study"], row["T"], row["seeds"], row["seeds_solved"]) == ("a", 100, 3, 2)
    assert row["solve_rate"] == pytest.approx(2 / 3)
    ends = row["solve_rate_low"], row["solve_rate_high"]
    assert ends == pytest.approx((0.094, 0.992), abs=1e-3)
    accuracies = row["median_accuracy"], row["lowest_accuracy"], row["highest_accuracy"]
    assert accuracies == (0.98, 0.4, 1.0)
    assert row["seeds_tested_solved"] == 1  # 0.98 is below 0.99
    assert row["median_tokens_to_solve"] == 600_000


def test_tokens_within_which_half_solve_are_missing_if_fewer_do(runs):
    study = write_study(runs, "a", T=[100])
    confirm(study, seed(0), seed(1, **NOT_SOLVED), seed(2, **NOT_SOLVED))
    (row,) = confirmed_winners(load_studies([runs])).to_dict(orient="records")
    assert pd.isna(row["median_tokens_to_solve"])


def test_a_seed_that_failed_early_is_censored_at_the_end_of_the_others(runs):
    study = write_study(runs, "a", T=[100])
    confirm(study, seed(0), seed(1, **DIVERGED | {"tokens": 10}))
    seeds = winner_seeds(load_studies([runs])).sort_values("seed")
    assert seeds["tokens"].tolist() == [600_000, 1_000_000]


def test_a_diverged_seed_has_not_solved_and_its_accuracy_counts(runs):
    study = write_study(runs, "a", T=[100])
    late = seed(2, accuracy=0.99, status=files.FAILED, tokens_to_solve=5)
    confirm(study, seed(0, accuracy=1.0), seed(1, accuracy="", **DIVERGED), late)
    (row,) = confirmed_winners(load_studies([runs])).to_dict(orient="records")
    assert (row["seeds"], row["seeds_solved"]) == (3, 1)
    assert (row["median_accuracy"], row["lowest_accuracy"]) == (0.99, 0.1)


def test_a_seed_without_a_model_has_the_chance_of_its_task(runs):
    for name, chance in (("a", None), ("b", 0.5)):
        study = write_study(runs, name, T=[100], chance=chance)
        confirm(study, seed(0, accuracy=1.0), seed(1, accuracy="", **DIVERGED))
    rows = confirmed_winners(load_studies([runs]))
    assert dict(zip(rows["study"], rows["lowest_accuracy"], strict=True)) == {"a": 0.1, "b": 0.5}


def test_seeds_of_an_earlier_winner_do_not_count(runs):
    study = write_study(runs, "a", T=[100])
    confirm(study, seed(0), seed(1, confirms="another"))
    assert confirmed_winners(load_studies([runs]))["seeds"].tolist() == [1]


def test_studies_without_seeds_have_none(runs):
    write_study(runs, "a", T=[100])
    comparison = compare_studies(load_studies([runs]))
    assert comparison["seeds"].isna().all()


def test_trials_of_other_stages_are_no_trials_of_the_search(runs):
    others = [trial(100, 7, stage=files.FINAL), trial(100, 8, stage=files.CONFIRM)]
    trials = [trial(100, stage=files.SEARCH), *others]
    write_study(runs, "a", T=[100], trials=trials)
    (row,) = compare_studies(load_studies([runs])).to_dict(orient="records")
    assert row["trials"] == 1


def test_a_study_without_the_column_stage_is_one_of_search_trials(runs):
    study = write_study(runs, "a", T=[100])
    for name in (files.TRIALS_FILE, files.BEST_FILE):
        frame = pd.read_csv(study / name)
        frame.drop(columns="stage").to_csv(study / name, index=False)
    (row,) = compare_studies(load_studies([runs])).to_dict(orient="records")
    assert (row["trials"], row["state"]) == (1, "done")


@pytest.mark.usefixtures("one_figure")
def test_the_comparison_shows_the_seeds_and_warns_of_the_best_of_many(runs, tmp_path, capsys):
    confirm(write_study(runs, "a", T=[100]), seed(0), seed(1, accuracy=0.975, **NOT_SOLVED))
    assert main([str(runs), "--output", str(tmp_path / "out")]) == 0
    console = " ".join(capsys.readouterr().out.split())
    page = " ".join((tmp_path / "out" / "comparison.md").read_text().split())
    for text in (console, page):
        assert "0.985" in text
        assert "1/2" in text or "1 of 2" in text
        assert "fresh seeds that solve T is what to expect of another training." in text
    (row,) = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert (row["seeds"], row["seeds_solved"]) == (2, 1)


@pytest.mark.usefixtures("one_figure")
def test_without_seeds_the_comparison_says_how_to_get_them(runs, tmp_path, capsys):
    write_study(runs, "a", T=[100])
    assert main([str(runs), "--output", str(tmp_path / "out")]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "No winner was confirmed with fresh seeds, so solve rates are not known" in text
    page = (tmp_path / "out" / "comparison.md").read_text()
    assert "No winner was confirmed with fresh seeds" in page
    assert "half within" not in page


def test_a_damaged_confirm_csv_is_a_broken_study(runs):
    study = write_study(runs, "a", T=[100])
    (study / files.CONFIRM_FILE).write_text("model\nmgru\n")
    problem = load_studies([runs]).studies["problem"].item()
    assert problem == "confirm.csv lacks the column task and 20 more"
