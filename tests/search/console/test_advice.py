import pytest
from made_studies import best, make_config, report, start

from search.console.advice import advice_at_chance
from search.study.study import Study


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study.create(tmp_path / "study", make_config(T=(5, 9, 20)))
    for T in study.config.T:
        start(study, f"T{T}", T)
    return study


def end(study: Study, T: int, accuracy: float, ladder: float, low: float) -> None:
    """A search at T whose one trial has these accuracies, the last of them in its test."""
    report(study, f"T{T}", 1, accuracy, ladder_accuracy=ladder)
    report(study, f"T{T}", 2, accuracy, "completed", ladder_accuracy=0.1)
    study.history.best[T] = best(T, low + 0.01, low)


def test_what_to_look_at_depends_on_what_was_learnt_at_shorter_lengths(study):
    end(study, 5, 0.13, 0.12, low=0.095)
    end(study, 9, 0.11, 0.11, low=0.1)
    end(study, 20, 0.14, 0.62, low=0.099)
    nowhere, shorter = advice_at_chance(study.history)
    assert nowhere.startswith("T=5, 9: every trial stayed at chance, at shorter lengths too.")
    assert "space.learning_rate" in nowhere
    assert shorter.startswith("T=20: every trial stayed at chance, but learned shorter")
    assert "(ladder accuracy 0.62)" in shorter
    assert "space.curriculum_length" in shorter


def test_nothing_is_said_of_a_length_at_which_something_was_learnt(study):
    end(study, 5, 0.99, 0.99, low=0.98)
    end(study, 9, 0.2, 0.4, low=0.11)
    assert advice_at_chance(study.history) == []


def test_a_task_with_two_outputs_is_not_judged_by_a_multiple_of_its_chance(study):
    study.history.chance_accuracy = 0.5
    end(study, 5, 0.51, 0.51, low=0.49)
    end(study, 9, 0.5, 0.7, low=0.48)
    nowhere, shorter = advice_at_chance(study.history)
    assert nowhere.startswith("T=5: every trial stayed at chance, at shorter lengths too.")
    assert shorter.startswith("T=9: every trial stayed at chance, but learned shorter")
