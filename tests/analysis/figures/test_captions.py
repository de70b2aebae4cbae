"""Captions say what the data have, and every figure can be drawn of a study that has all."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_files import confirm, seed, trial, write_csv, write_study

from analysis import load_studies
from analysis.figures import captions
from analysis.figures.drawing import FIGURES, draw_figures
from analysis.figures.plotting import Page
from analysis.tables.comparison import compare_studies
from analysis.tables.registry import make_tables
from studies import format as files

PAGE = Page("delay", [100, 200], {}, "")


def test_the_largest_length_says_whether_the_first_two_overlap() -> None:
    data = pd.DataFrame(
        {
            "label": ["a", "b", "c"],
            "accuracy": [0.9, 0.8, np.nan],
            "accuracy_low": [0.85, 0.75, np.nan],
            "accuracy_high": [0.95, 0.84, np.nan],
        }
    )
    assert "of a and b do not overlap" in captions.largest_length(data, PAGE)
    data["accuracy_high"] += 0.02
    assert "of a and b overlap: payloads do not" in captions.largest_length(data, PAGE)
    assert "only a has a result" in captions.largest_length(data.iloc[[0, 2]], PAGE)
    assert "no model has a result" in captions.largest_length(data.iloc[[2]], PAGE)


def test_time_to_solve_says_who_is_first_and_who_has_not() -> None:
    data = pd.DataFrame(
        {
            "label": ["a", "b", "b"],
            "T": [100, 100, 200],
            "solved": [True, True, False],
            "seconds": [9.0, 6.0, 70.0],
            "million_tokens": [1.0, 2.0, 3.0],
        }
    )
    text = captions.time_to_solve(data, PAGE)
    assert "to solve T = 100 is that of b, in 6 s and 2 million tokens." in text
    assert "1 of 3 have not: crosses" in text
    assert captions.time_to_solve(data.iloc[[2]], PAGE).startswith("No best trial has solved")


@pytest.mark.parametrize(("p_holm", "said"), [(0.2, "no difference is"), (0.01, "a over b by 0.1")])
def test_pairs_say_what_is_beyond_chance_and_on_which_basis(p_holm: float, said: str) -> None:
    data = pd.DataFrame(
        {
            "better": ["a"],
            "worse": ["b"],
            "basis": ["payloads"],
            "difference": [0.1],
            "p_holm": [p_holm],
            "better_tokens": [48_000_000],
            "worse_tokens": [8_000_000],
        }
    )
    text = captions.pairs(data, PAGE)
    assert said in text
    assert "for 1 comparison," in text
    assert "another seed may order them differently" in text
    assert "Their trainings differ: a had 48 million tokens, b 8." in text
    assert "Their trainings differ" not in captions.pairs(
        data.assign(basis="seeds", better_tokens=None), PAGE
    )


def test_long_lists_are_cut() -> None:
    assert captions.listed(["a", "b"]) == "a; b"
    assert captions.listed("abcdefgh") == "a; b; c; d; e; f; and 2 more"


@pytest.fixture
def everything(runs: Path) -> Path:
    """Two models with all that a study may have."""
    rng = np.random.default_rng(0)
    for model in ("gru", "mlstm"):
        trials = [
            trial(
                T,
                k,
                files.STATUSES[k % 3],
                validation_accuracy=float(rng.uniform(0.1, 1)),
                ladder_accuracy=float(rng.uniform(0.1, 1)),
                learning_rate=float(10 ** rng.uniform(-4, -2)),
                hidden_size=int(rng.choice([64, 128])),
                tokens_to_solve=600_000 if k % 2 else "",
            )
            for T in (100, 200)
            for k in range(12)
        ]
        search = {"sampler": "random", "scheduler": "asha"}
        folder = write_study(runs, model, model=model, trials=trials, search=search)
        seeds = [
            seed(k, T=T, accuracy=0.9 + k / 100, model=model) for T in (100, 200) for k in range(5)
        ]
        confirm(folder, *seeds)
        tests = [
            {"model": model, "task": "delay", "T": T, "trial_id": f"T={T}-00", "test_T": test,
             "accuracy": 100 / test, "accuracy_low": 90 / test, "accuracy_high": 100 / test,
             "exact_match": 0, "recalled_bits": 3, "payloads": 200, "seed": 0}
            for T in (100, 200) for test in (100, 1000)
        ]  # fmt: skip
        write_csv(folder / files.GENERALIZATION_FILE, files.GENERALIZATION_COLUMNS, tests)
    return runs


def test_every_figure_of_studies_that_have_all_is_drawn_with_a_caption(everything: Path) -> None:
    studies = load_studies([everything])
    rendered, missing = draw_figures(studies, make_tables(studies, compare_studies(studies)))
    assert missing == []
    assert [figure.stem for figure in rendered] == list(FIGURES)
    assert len({figure.caption for figure in rendered}) == len(FIGURES)
    for figure in rendered:
        assert figure.caption[0].isupper()
        assert figure.caption.endswith(".")
        assert "nan" not in figure.caption
        assert figure.png.startswith(b"\x89PNG")
    said = {figure.stem: figure.caption for figure in rendered}
    assert "gru 10 of 10; mlstm 10 of 10" in said["seeds_vs_T"]
    assert "Of the models trained for T = 200" in said["generalization"]
    assert "16 of 48 trials were stopped early" in said["stops"]
    assert "of 1 slot" in said["slots"]
