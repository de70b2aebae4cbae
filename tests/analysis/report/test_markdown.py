from collections.abc import Sequence
from pathlib import Path

from study_files import NOT_SOLVED, trial, write_study

from analysis import load_studies
from analysis.figures.rendering import MissingFigure, RenderedFigure
from analysis.report.markdown import markdown
from analysis.tables.comparison import compare_studies
from analysis.tables.pairs import MOST_SHOWN
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
    assert "another\nseed may change the accuracy by more" in text
    assert "were measured on test data" in text
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


def test_what_is_left_out_of_a_study_is_said(runs: Path) -> None:
    folder = write_study(runs, "gru")
    (folder / "events.jsonl").write_text("{\n")
    assert f"is left out\n\n- {folder}: what happened when is not known" in page(runs)


def test_a_further_hyperparameter_that_was_searched_is_shown(runs: Path) -> None:
    trials = [trial(100, optimizer="sgd", batch_size=32)]
    write_study(runs, "gru", T=[100], trials=trials, extra=["optimizer", "batch_size"])
    text = page(runs)
    assert "| learning rate | curriculum length | optimizer | batch size |" in text
    assert "| 0.00123 | 500 | sgd | 32 |" in text
    assert "hidden size" not in text  # which is fixed


def test_pairs_are_those_of_the_largest_length_and_not_too_many(runs: Path) -> None:
    for number in range(8):
        write_study(
            runs, f"gru-{number}", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)]
        )
    text = page(runs)
    pairs = text.split("Differences of test accuracy")[1].split("What each result has cost")[0]
    assert pairs.count("\n| 200 | payloads | ") == MOST_SHOWN
    assert "| 100 |" not in pairs
    assert f"The first {MOST_SHOWN} of 28." in pairs
