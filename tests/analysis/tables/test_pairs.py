from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from study_files import DIVERGED, NOT_SOLVED, confirm, seed, trial, write_study

from analysis import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.pairs import PAIRS, SOLVE_RATE, TOKENS_TO_SOLVE, compare_pairs
from analysis.tables.records import records
from studies import format as files

LOST: dict[str, Any] = NOT_SOLVED | {"tokens": 9_000_000}


def confirmed(
    runs: Path, model: str, tokens: dict[int, list[int | None]], task: str = "delay", **values: Any
) -> None:
    """A study whose seeds solve each T after so many tokens; None if one does not."""
    trials = [trial(T, **values) for T in tokens]
    folder = write_study(runs, f"{model}-{task}", model, task, sorted(tokens), trials)
    rows = [
        seed(k, T=T, model=model, task=task, **({"tokens_to_solve": of} if of else LOST))
        for T, several in tokens.items()
        for k, of in enumerate(several)
    ]
    confirm(folder, *rows)


def pairs_of(runs: Path) -> pd.DataFrame:
    studies = load_studies([runs])
    return compare_pairs(studies, compare_studies(studies))


def test_every_two_models_are_compared_once_by_each_outcome(runs: Path) -> None:
    for model in ("gru", "lstm", "mgru"):
        confirmed(runs, model, {100: [5, 6], 200: [5, 6]})
    pairs = pairs_of(runs)
    assert list(pairs) == list(PAIRS.names)
    assert len(pairs) == 6
    assert pairs.groupby("outcome").size().to_dict() == {SOLVE_RATE: 3, TOKENS_TO_SOLVE: 3}
    assert set(pairs["T"]) == {200}
    assert set(pairs["p_holm"]) == {1}
    assert set(pairs["difference"].dropna()) == {0}
    assert set(pairs["sooner"].dropna()) == {0.5}


def test_exact_tests_of_five_seeds_each(runs: Path) -> None:
    confirmed(runs, "gru", {100: [1, 2, 3, 4, 5]})
    confirmed(runs, "lstm", {100: [None] * 5})
    rate, tokens = pairs_of(runs).to_dict("records")
    assert (rate["better"], rate["worse"], rate["difference"]) == ("gru", "lstm", 1)
    assert rate["p_value"] == pytest.approx(2 / 4**5)
    assert rate["p_holm"] == pytest.approx(4 / 4**5)
    assert rate["p_least"] == pytest.approx(2 / 4**5)
    assert (tokens["better"], tokens["sooner"]) == ("gru", 1)
    assert tokens["p_value"] == pytest.approx(2 / 252)
    assert tokens["p_least"] == pytest.approx(2 / 252)
    assert (rate["better_seeds"], rate["worse_seeds"]) == (5, 5)


def test_the_sooner_model_may_be_the_one_that_solves_less_often(runs: Path) -> None:
    confirmed(runs, "gru", {100: [1, 2, 3, None]})
    confirmed(runs, "lstm", {100: [7, 7, 7, 7]})
    rate, tokens = pairs_of(runs).to_dict("records")
    assert (rate["better"], tokens["better"]) == ("lstm", "gru")
    assert tokens["sooner"] == 12 / 16


def test_all_tasks_are_one_family(runs: Path) -> None:
    for task in ("delay", "sequence"):
        confirmed(runs, "gru", {100: [1, 2, 3, 4, 5]}, task)
        confirmed(runs, "lstm", {100: [None] * 5}, task)
    pairs = pairs_of(runs)
    assert len(pairs) == 4
    assert pairs["p_holm"].min() == pytest.approx(4 * 2 / 4**5)


def test_the_length_is_the_largest_that_a_search_solved_and_two_models_have_seeds_at(
    runs: Path,
) -> None:
    confirmed(runs, "gru", {100: [1, 2], 200: [1, 2], 500: [1, 2]})
    confirmed(runs, "lstm", {100: [1, 2], 200: [1, 2]})
    assert set(pairs_of(runs)["T"]) == {200}


def test_without_a_solved_length_it_is_the_smallest(runs: Path) -> None:
    for model in ("gru", "lstm"):
        confirmed(runs, model, {100: [None] * 2, 200: [None] * 2}, **NOT_SOLVED)
    assert set(pairs_of(runs)["T"]) == {100}


def test_a_seed_that_failed_comes_last(runs: Path) -> None:
    folder = write_study(runs, "a", model="gru", T=[100])
    confirm(folder, seed(0, model="gru"), seed(1, model="gru", **DIVERGED | {"tokens": 10}))
    confirmed(runs, "lstm", {100: [900_000, 900_000]})
    _, tokens = pairs_of(runs).to_dict("records")
    assert tokens["sooner"] == 0.5


def test_a_pair_of_a_final_training_and_a_shorter_one_says_so(runs: Path) -> None:
    for model, stage in (("gru", files.FINAL), ("lstm", files.SEARCH), ("mgru", files.FINAL)):
        confirmed(runs, model, {100: [1, 2]}, stage=stage)
    found = records(pairs_of(runs))
    longer = {frozenset((row["better"], row["worse"])): row["longer"] for row in found}
    assert longer == {
        frozenset(("gru", "lstm")): "gru",
        frozenset(("mgru", "lstm")): "mgru",
        frozenset(("gru", "mgru")): None,
    }


@pytest.mark.parametrize("best", [[], None], ids=["no result", "no seeds"])
def test_without_fresh_seeds_there_are_no_pairs(runs: Path, best: list[int] | None) -> None:
    for model in ("gru", "lstm"):
        write_study(runs, model, model=model, T=[100], best=best)
    pairs = pairs_of(runs)
    assert pairs.empty
    assert list(pairs) == list(PAIRS.names)
