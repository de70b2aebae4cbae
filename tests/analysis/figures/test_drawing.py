from pathlib import Path

import pandas as pd
import pytest
from study_files import NOT_SOLVED, trial, write_study

from analysis import Studies, load_studies
from analysis.figures.drawing import (
    FIGURES,
    MOST_LABELS,
    draw_figures,
    render_figures,
    shown_labels,
)
from analysis.figures.figure_data import (
    accuracy_data,
    largest_length_data,
    learning_curves_data,
    missing_note,
    time_to_solve_data,
)
from analysis.figures.styles import KNOWN_MODELS, label_styles, model_styles
from analysis.tables.comparison import compare_studies
from analysis.tables.registry import make_tables
from studies import format as files


@pytest.fixture
def studies(runs: Path) -> Studies:
    """gru solves 100 and fails to solve 200; mgru solves 100 and has only failures at 200;
    lstm has not started."""
    write_study(runs, "gru-delay", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
    failed = trial(200, 0, files.FAILED)
    write_study(runs, "mgru-delay", trials=[trial(100), failed], best=[100])
    write_study(runs, "lstm-delay", model="lstm", T=[100], trials=[])
    return load_studies([runs])


@pytest.fixture
def comparison(studies: Studies) -> pd.DataFrame:
    return compare_studies(studies)


def test_accuracy_data(comparison: pd.DataFrame) -> None:
    data = accuracy_data(comparison)
    assert data[["label", "T"]].values.tolist() == [["gru", 100], ["mgru", 100], ["gru", 200]]
    assert set(data["accuracy_low"]) == {0.989}


def test_time_to_solve_data_has_what_an_unsolved_trial_spent(comparison: pd.DataFrame) -> None:
    data = time_to_solve_data(comparison)
    assert data.values.tolist() == [
        ["gru", 100, True, 6.0, 0.6],
        ["mgru", 100, True, 6.0, 0.6],
        ["gru", 200, False, 20.0, 2.0],
    ]


def test_learning_curves_data_follows_the_best_trials_only(
    runs: Path, comparison: pd.DataFrame, studies: Studies
) -> None:
    data = learning_curves_data(comparison, studies.progress)
    assert data[["label", "T"]].drop_duplicates().values.tolist() == [
        ["gru", 100],
        ["mgru", 100],
        ["gru", 200],
    ]
    curve = data[(data["label"] == "gru") & (data["T"] == 200)]
    assert curve["million_tokens"].tolist() == [0.5, 1.0, 1.5, 2.0]
    assert curve["validation_accuracy"].tolist() == [k / 4.1 for k in range(1, 5)]


def test_curves_of_equal_trial_ids_do_not_mix(runs: Path) -> None:
    write_study(runs, "gru", model="gru", trials=[trial(100), trial(100, 1)])
    write_study(runs, "mgru", trials=[trial(100)])
    studies = load_studies([runs])
    data = learning_curves_data(compare_studies(studies), studies.progress)
    assert data.groupby("label").size().to_dict() == {"gru": 4, "mgru": 4}


def test_largest_length_data_keeps_models_without_a_result(comparison: pd.DataFrame) -> None:
    data = largest_length_data(comparison)
    assert data[["label", "state"]].values.tolist() == [
        ["gru", "done"],
        ["lstm", "not searched"],
        ["mgru", "all trials failed"],
    ]
    assert set(data["T"]) == {200}


def test_note_names_what_has_no_result(comparison: pd.DataFrame) -> None:
    assert missing_note(comparison) == (
        "No result: lstm at T = 100 (not started); mgru at T = 200 (all trials failed)"
    )
    assert missing_note(comparison[comparison["state"] == "done"]) == ""


def test_data_of_nothing_is_empty(comparison: pd.DataFrame, studies: Studies) -> None:
    nothing = comparison[comparison["state"] != "done"]
    assert accuracy_data(nothing).empty
    assert time_to_solve_data(nothing).empty
    assert learning_curves_data(nothing, studies.progress).empty


def test_figures_of_one_task_have_no_suffix(comparison: pd.DataFrame, studies: Studies) -> None:
    rendered = render_figures(comparison, studies)
    assert len(rendered) >= 8
    assert {figure.stem for figure in rendered} < set(FIGURES)
    for figure in rendered:
        assert figure.png.startswith(b"\x89PNG")
        assert b"<svg" in figure.svg
        assert figure.caption.endswith(".")
        assert "nan" not in figure.caption


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
    (folder / "progress.csv").write_text(",".join(files.PROGRESS_COLUMNS) + "\n")
    studies = load_studies([runs])
    rendered, missing = draw_figures(studies, make_tables(studies, compare_studies(studies)))
    assert "learning_curves" not in [figure.stem for figure in rendered]
    [reason] = [figure.reason for figure in missing if figure.stem == "learning_curves"]
    assert reason == "progress.csv has no evaluation of a best trial"


@pytest.mark.usefixtures("one_figure")
def test_equal_data_make_equal_images(comparison: pd.DataFrame, studies: Studies) -> None:
    first, second = (render_figures(comparison, studies)[0] for _ in range(2))
    assert first.svg == second.svg


def test_of_many_studies_the_best_are_shown_and_the_others_counted(runs: Path) -> None:
    for number in range(MOST_LABELS + 2):
        folder = write_study(runs, f"gru-{number:02}", model="gru", T=[100])
        best = pd.read_csv(folder / "best.csv").assign(accuracy=0.5 + number / 100)
        best.to_csv(folder / "best.csv", index=False)
    rows = compare_studies(load_studies([runs]))
    labels, left_out = shown_labels(rows)
    assert labels == [f"gru (gru-{number:02})" for number in range(MOST_LABELS + 1, 1, -1)]
    assert left_out == (
        "Figures show the 12 of 14 studies that are best at T = 100; the tables have all."
    )
    assert shown_labels(rows[:3]) == (rows["label"].tolist()[:3], "")


def test_known_models_keep_their_style_and_differ() -> None:
    styles = model_styles(["z:cell", "mgru", "a:cell", "lstm"])
    assert list(styles) == ["lstm", "mgru", "a:cell", "z:cell"]
    assert styles["mgru"] == KNOWN_MODELS["mgru"]
    assert len({style.color for style in styles.values()}) == 4
    assert len({style.marker for style in styles.values()}) == 4


def test_studies_of_one_model_share_its_colour_but_not_the_marker() -> None:
    rows = pd.DataFrame({"model": ["gru", "gru"], "label": ["gru (b)", "gru (a)"]})
    styles = label_styles(rows, ["gru"])
    assert list(styles) == ["gru (a)", "gru (b)"]
    first, second = styles.values()
    assert first == KNOWN_MODELS["gru"]
    assert first.color == second.color
    assert first.marker != second.marker
