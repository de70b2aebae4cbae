from pathlib import Path
from typing import Any

import pytest
import yaml
from study_files import trial, write_study

from analysis import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.edges import FEW, edge_warnings, search_edges
from studies import format as files


def edges(runs: Path) -> list[list[Any]]:
    studies = load_studies([runs])
    rows = search_edges(studies, compare_studies(studies))
    return rows[["label", "T", "hyperparameter", "end", "bound"]].values.tolist()


def with_space(folder: Path, **space: Any) -> None:
    path = folder / files.STUDY_FILE
    document = yaml.safe_load(path.read_text())
    document["config"]["space"] = space
    path.write_text(yaml.safe_dump(document))


def searched(T: int, trials: int = FEW, **values: Any) -> list[dict[str, Any]]:
    """A search at T, of whose trials the first is the best."""
    return [trial(T, number, **values) for number in range(trials)]


@pytest.mark.parametrize(
    ("dimension", "value", "end"),
    [
        ({"choices": [64, 96, 128]}, 128, "high"),
        ({"choices": [64, 96, 128]}, 64, "low"),
        ({"choices": [64, 96, 128]}, 96, None),
        ({"choices": [64]}, 64, None),
        ({"choices": [1, 3, 10, 30, 100]}, 3, None),  # 2 % of the way
        ({"choices": [1, 3, 10, 30, 100]}, 1, "low"),
        ({"choices": [1, 70, 98, 100]}, 98, None),
        ({"choices": [0, 1]}, 0, None),
        ({"choices": ["64", "1e2"]}, 100, "high"),  # YAML reads 1e2 as text
        ({"low": 1, "high": "1e2"}, 99, "high"),
        ({"low": 1, "high": 101}, 99, "high"),
        ({"low": 1, "high": 101}, 97, None),
        ({"low": 1, "high": 101}, 1, "low"),
        ({"low": 0, "high": 100}, 0, None),
        ({"low": 10, "high": 1000, "log": True}, 900, "high"),
        ({"low": 10, "high": 1000, "log": True}, 800, None),
        ({"low": 10, "high": 1000, "log": True}, 11, "low"),
        ({"low": 10, "high": 1000}, 5000, "high"),
        (64, 64, None),
        ({"odd": 3}, 64, None),
    ],
)
def test_a_best_trial_at_an_end_of_what_was_searched(
    runs: Path, dimension: Any, value: int, end: str | None
) -> None:
    folder = write_study(runs, "gru", model="gru", trials=searched(100, hidden_size=value))
    with_space(folder, hidden_size=dimension)
    assert [row[3] for row in edges(runs)] == ([end] if end else [])


def test_a_search_of_few_trials_says_nothing_about_its_space(runs: Path) -> None:
    trials = searched(100, FEW - 1, hidden_size=128) + searched(200, hidden_size=128)
    folder = write_study(runs, "gru", model="gru", trials=trials)
    with_space(folder, hidden_size={"choices": [64, 96, 128]})
    assert edges(runs) == [["gru", 200, "hidden_size", "high", 128.0]]
    studies = load_studies([runs])
    (warning,) = edge_warnings(search_edges(studies, compare_studies(studies)))
    assert "1 of 1 winners" in warning


def test_choices_in_words_have_no_end(runs: Path) -> None:
    trials = searched(100, optimizer="adam", flag=True)
    folder = write_study(runs, "gru", T=[100], trials=trials, extra=["optimizer", "flag"])
    with_space(folder, optimizer={"choices": ["adam", "sgd"]}, flag={"choices": [False, True]})
    assert edges(runs) == []


def test_an_end_at_which_few_winners_lie_needs_no_warning(runs: Path) -> None:
    trials = searched(100, hidden_size=128) + searched(200, hidden_size=96)
    folder = write_study(runs, "gru", model="gru", trials=trials)
    with_space(folder, hidden_size={"choices": [64, 96, 128]})
    studies = load_studies([runs])
    rows = search_edges(studies, compare_studies(studies))
    assert len(rows) == 1
    assert edge_warnings(rows) == []


def test_a_sentence_says_how_many_winners_lie_there(runs: Path) -> None:
    for model, size in (("gru", 128), ("lstm", 96), ("mgru", 96)):
        trials = searched(100, hidden_size=128) + searched(200, hidden_size=size)
        folder = write_study(runs, model, model=model, trials=trials)
        with_space(folder, hidden_size={"choices": [64, 96, 128]})
    studies = load_studies([runs])
    assert edge_warnings(search_edges(studies, compare_studies(studies))) == [
        "hidden size: 4 of 6 winners (gru, lstm, mgru) lie at the largest value searched, 128. A "
        "larger one may do better: widen space.hidden_size."
    ]
