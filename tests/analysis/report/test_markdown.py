from collections.abc import Sequence
from pathlib import Path

import pytest
from study_files import NOT_SOLVED, confirm, seed, trial, write_study

from analysis import load_studies
from analysis.figures.rendering import MissingFigure, RenderedFigure
from analysis.report.markdown import markdown
from analysis.tables.comparison import compare_studies
from analysis.tables.registry import make_tables

ACCURACY = RenderedFigure("delay", "accuracy", "Accuracy", b"", b"", "All copy.")
SEEDS = MissingFigure("delay", "seeds", "Seeds", "there are none")


SEARCHED = ["learning_rate", "curriculum_length", "optimizer", "batch_size"]


def page(
    runs: Path,
    figures: Sequence[RenderedFigure] = (),
    missing: Sequence[MissingFigure] = (),
) -> str:
    studies = load_studies([runs])
    comparison = compare_studies(studies)
    return markdown(
        make_tables(studies, comparison), figures, missing, SEARCHED, studies.warnings()
    )


def test_a_page_has_its_tables_and_the_caveats(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100])
    write_study(runs, "mgru", task="sequence", T=[10])
    write_study(runs, "a|b", model="lstm", T=[100], trials=[])
    text = page(runs, [ACCURACY], [SEEDS])
    assert text.startswith("# ")
    assert text.count("## Task ") == 2
    assert "another seed may change the accuracy by more" in text
    assert "on test data, which decided nothing" in text
    assert "![Accuracy](accuracy.png)\n\nAll copy.\n" in text
    assert "- Seeds: there are none\n" in text
    assert "| gru | 0.9910 (0.9890-0.9930) |" in text
    assert "| 100 | gru | 0.9910 | 0.989-0.993 | 0.9500 | 32.8 | 0.6 | 6 | 1 | 10 |" in text
    assert "| 1 / 0 / 0 / 0 | done | gru |" in text
    assert "| not started | a\\|b |" in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    assert len(tables) == 6  # of each task: in short, in full, and what it has cost
    assert all(len({line.replace("\\|", "").count("|") for line in table}) == 1 for table in tables)
    assert "no figures" in text.split("## Task sequence")[1]


def test_each_task_has_its_own_accuracy_of_guessing(runs: Path) -> None:
    write_study(runs, "gru")
    write_study(runs, "mgru", task="own.py:Parity", chance=0.5)
    _, delay, own = page(runs).split("## Task ")
    assert "Guessing has an accuracy of 0.1." in delay
    assert "Guessing has an accuracy of 0.5." in own


def test_what_is_left_out_of_a_study_is_said(runs: Path) -> None:
    folder = write_study(runs, "gru")
    (folder / "events.jsonl").write_text("{\n")
    assert f"is left out\n\n- {folder}: what happened when is not known" in page(runs)


def test_a_further_hyperparameter_that_was_searched_is_shown(runs: Path) -> None:
    trials = [trial(100, number, optimizer="sgd", batch_size=32) for number in range(5)]
    write_study(runs, "gru", T=[100], trials=trials, extra=["optimizer", "batch_size"])
    text = page(runs)
    assert "| learning rate | curriculum length | optimizer | batch size |" in text
    assert "| 0.00123 | 500 | sgd | 32 |" in text
    assert "| hidden size" not in text  # which is fixed
    assert "- hidden size: 1 of 1 winners (mgru) lie at the smallest value searched, 64." in text


def test_pairs_are_those_with_fresh_seeds_and_not_too_many(runs: Path) -> None:
    for number in range(5):
        name = f"gru-{number}"
        folder = write_study(runs, name, model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
        confirm(folder, *(seed(k) for k in range(number + 1)))
    text = page(runs)
    pairs = text.split("Every two models")[1].split("What each search has cost")[0]
    assert pairs.count("\n| 100 | solve rate | ") == 10
    assert pairs.count("\n| 100 | tokens to solve | ") == 10
    assert "| 200 |" not in pairs
    assert "The first" not in pairs


def test_of_many_pairs_the_first_are_shown(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.report.markdown.MOST_SHOWN", 1)
    for model in ("gru", "lstm"):
        confirm(write_study(runs, model, model=model), seed(0), seed(1))
    assert "The first 1 of 2." in page(runs)
