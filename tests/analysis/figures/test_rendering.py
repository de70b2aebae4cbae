import importlib
import io
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from study_files import write_study

from analysis import compare_studies, load_studies, make_tables, render_figures
from analysis.figures.registry import FIGURES
from analysis.figures.rendering import MOST_LABELS, missing_note, render_all, shown_labels
from studies.columns import PROGRESS


def test_each_figure_has_a_module_named_after_its_file() -> None:
    for spec in FIGURES:
        module = importlib.import_module(f"analysis.figures.{spec.name.lower()}")
        assert module.FIGURE is spec


def test_studies_that_have_all_have_every_figure_with_a_caption(everything: Path) -> None:
    studies = load_studies([everything])
    rendered, missing = render_all(studies, make_tables(studies, compare_studies(studies)))
    assert missing == []
    assert [figure.stem for figure in rendered] == [spec.name for spec in FIGURES]
    assert [figure.shows for figure in rendered] == [
        f"{spec.title} (delay task)" for spec in FIGURES
    ]
    assert len({figure.caption for figure in rendered}) == len(FIGURES)
    for figure in rendered:
        assert figure.caption[0].isupper()
        assert figure.caption.endswith(".")
        assert "nan" not in figure.caption


@pytest.mark.usefixtures("one_figure")
def test_figures_are_wide_enough_for_a_page_and_not_blank(three: Path) -> None:
    studies = load_studies([three])
    first = render_figures(compare_studies(studies), studies)[0]
    pixels = matplotlib.image.imread(io.BytesIO(first.png))
    assert pixels.shape[1] == 1050  # 7 inches
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 10
    assert b"<svg" in first.svg


def test_note_names_what_has_no_result(three: Path) -> None:
    comparison = compare_studies(load_studies([three]))
    assert missing_note(comparison) == (
        "No result: lstm at T = 100 (not started); mgru at T = 200 (all trials failed)"
    )
    assert missing_note(comparison[comparison["state"] == "done"]) == ""


@pytest.mark.usefixtures("one_figure")
def test_a_task_without_results_has_no_figure(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100])
    write_study(runs, "mgru", task="sequence", T=[100], trials=[])
    studies = load_studies([runs])
    rendered = render_figures(compare_studies(studies), studies)
    assert rendered
    assert all(figure.stem.endswith("_delay") for figure in rendered)


def test_a_result_without_a_curve_has_the_other_figures(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    (folder / "progress.csv").write_text(",".join(PROGRESS.names) + "\n")
    studies = load_studies([runs])
    rendered, missing = render_all(studies, make_tables(studies, compare_studies(studies)))
    assert "learning_curves" not in [figure.stem for figure in rendered]
    [reason] = [figure.reason for figure in missing if figure.stem == "learning_curves"]
    assert reason == "progress.csv has no evaluation of a best trial"


@pytest.mark.usefixtures("one_figure")
def test_equal_data_make_equal_images(three: Path) -> None:
    studies = load_studies([three])
    comparison = compare_studies(studies)
    first, second = (render_figures(comparison, studies)[0] for _ in range(2))
    assert first.svg == second.svg


def test_of_many_studies_the_best_are_shown_and_the_others_counted(runs: Path) -> None:
    for number in range(MOST_LABELS + 2):
        folder = write_study(runs, f"gru-{number:02}", model="gru", T=[100])
        best = pd.read_csv(folder / "best.csv").assign(accuracy=0.5 + number / 100)
        best.to_csv(folder / "best.csv", index=False)
    rows = compare_studies(load_studies([runs]))
    labels, left_out = shown_labels(rows)
    assert labels == [f"gru (gru-{number:02})" for number in range(2, MOST_LABELS + 2)]
    assert left_out == (
        "Figures show the 12 of 14 studies that are best at T = 100; the tables have all."
    )
    assert shown_labels(rows[:3]) == (rows["label"].tolist()[:3], "")
