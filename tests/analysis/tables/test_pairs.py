from pathlib import Path

import pytest
from study_files import confirm, seed, trial, write_study

from analysis import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.pairs import PAIRS, compare_pairs
from analysis.tables.seed_means import SEED_MEANS, seed_means


def confirmed(runs: Path, name: str, model: str, accuracies: dict[int, list[float]]) -> None:
    folder = write_study(runs, name, model=model, T=sorted(accuracies))
    rows = [
        seed(number, T=T, accuracy=accuracy, model=model)
        for T, values in accuracies.items()
        for number, accuracy in enumerate(values)
    ]
    confirm(folder, *rows)


def test_every_two_models_of_a_length_are_compared_once(runs: Path) -> None:
    for model, T in (("gru", [100, 200]), ("lstm", [100]), ("mgru", [100])):
        write_study(runs, model, model=model, T=T)
    write_study(runs, "other", model="gru", task="sequence", T=[100])
    studies = load_studies([runs])
    pairs = compare_pairs(studies, compare_studies(studies))
    assert list(pairs) == list(PAIRS.names)
    assert {frozenset(pair) for pair in pairs[["better", "worse"]].values.tolist()} == {
        frozenset(pair) for pair in (("gru", "lstm"), ("gru", "mgru"), ("lstm", "mgru"))
    }
    assert set(pairs["T"]) == {100}
    assert set(pairs["basis"]) == {"payloads"}
    assert set(pairs["difference"]) == {0}  # the studies of the tests have equal accuracies
    assert set(pairs["p_holm"]) == {1}


def test_seeds_are_compared_where_both_models_have_some(runs: Path) -> None:
    confirmed(runs, "a", "gru", {100: [0.99, 0.98, 0.97, 0.99, 0.98], 200: [0.9, 0.9]})
    confirmed(runs, "b", "lstm", {100: [0.5, 0.6, 0.7, 0.6, 0.5], 200: [0.9]})
    studies = load_studies([runs])
    pairs = compare_pairs(studies, compare_studies(studies))
    [row] = pairs[pairs["basis"] == "seeds"].to_dict("records")
    assert (row["T"], row["better"], row["worse"]) == (100, "gru", "lstm")
    assert row["difference"] == pytest.approx(0.982 - 0.58)
    assert row["superiority"] == 1
    assert row["p_value"] == row["p_holm"] == pytest.approx(2 / 252)
    assert (row["better_seeds"], row["worse_seeds"]) == (5, 5)


def test_the_interquartile_mean_needs_enough_seeds_at_every_length(runs: Path) -> None:
    five = [0.99, 0.98, 0.97, 0.99, 0.2]
    confirmed(runs, "a", "gru", {100: five, 200: five})
    confirmed(runs, "b", "lstm", {100: five, 200: five[:4]})
    write_study(runs, "c", model="mgru")
    studies = load_studies([runs])
    means = seed_means(studies, compare_studies(studies))
    assert list(means) == list(SEED_MEANS.names)
    [row] = means.to_dict("records")
    assert (row["label"], row["seeds"], row["lengths"]) == ("gru", 10, 2)
    assert row["iqm"] == pytest.approx((0.97 * 0 + 4 * 0.98 + 4 * 0.985) / 8, abs=5e-3)
    assert row["iqm_low"] < row["iqm"] < row["iqm_high"] <= 1


def test_without_results_there_are_no_pairs(runs: Path) -> None:
    write_study(runs, "a", T=[100], trials=[trial(100)], best=[])
    studies = load_studies([runs])
    pairs = compare_pairs(studies, compare_studies(studies))
    assert pairs.empty
    assert list(pairs) == list(PAIRS.names)
