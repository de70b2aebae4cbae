import csv

import pytest
import yaml

import study_format as files
from copytask import Trainer, TrainingConfig, compiled_kernels, load_model
from search.config import StudyConfig
from search.errors import UserError
from search.runner import first_configurations
from search.study import Study


@pytest.fixture
def study(tmp_path) -> Study:
    config = StudyConfig(
        model="gru",
        T=[5, 9],
        space={
            "learning_rate": {"low": 1e-4, "high": 1e-2},
            "hidden_size": 8,
            "batch_size": {"choices": [2, 4]},
        },
    )
    return Study.create(tmp_path / "study", config)


def start(study: Study, trial_id: str, T: int = 5, **changes) -> TrainingConfig:
    values = {"learning_rate": 1e-3, "batch_size": 4, **changes}
    training = study.config.training_config(T, values, seed=7)
    study.start_trial(training.to_dict(), trial_id)
    return training


def result(iteration: int, accuracy: float, **changes) -> dict:
    return {
        "iteration": iteration, "step": 10 * iteration, "tokens": 100 * iteration,
        "seconds": 1.5 * iteration, "learning_rate": 5e-4, "max_length": 3, "training_loss": 2.0,
        "validation_accuracy": accuracy, "ladder_accuracy": accuracy / 2, "exact_match": 0.0,
        "validation_loss": 2.0, "recalled_bits": 1.0, "parameters": 99, "tokens_to_solve": None,
        "seconds_to_solve": None, **changes,
    }  # fmt: skip


def read(study: Study, name: str) -> list[dict]:
    with (study.path / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_new_study_has_all_files_with_their_columns(study):
    for name, columns in [
        (files.TRIALS_FILE, files.TRIALS_COLUMNS),
        (files.PROGRESS_FILE, files.PROGRESS_COLUMNS),
        (files.BEST_FILE, files.BEST_COLUMNS),
    ]:
        header = (study.path / name).read_text().strip().split(",")
        extra = [] if name == files.PROGRESS_FILE else ["batch_size"]
        assert header == [*columns, *extra]
    document = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    assert document["schema_version"] == files.SCHEMA_VERSION
    assert document["config"]["space"]["hidden_size"] == 8
    assert {"torch", "ray", "optuna"} <= document["provenance"]["packages"].keys()
    assert document["provenance"]["kernels"] == (compiled_kernels() or "none")


def test_a_trials_row_keeps_its_best_evaluation_and_its_last_counters(study):
    start(study, "a")
    for iteration, accuracy in enumerate([0.2, 0.8, 0.5], start=1):
        study.add_result("a", result(iteration, accuracy))
    study.end_trial("a", files.COMPLETED)
    study.write()
    (row,) = read(study, files.TRIALS_FILE)
    assert (row["validation_accuracy"], row["ladder_accuracy"]) == ("0.8", "0.4")
    assert (row["tokens"], row["seconds"], row["status"]) == ("300", "4.5", "completed")
    # The hyperparameter, not the decayed rate of the last iteration.
    assert (row["learning_rate"], row["batch_size"], row["seed"]) == ("0.001", "4", "7")
    assert row["tokens_to_solve"] == row["error"] == ""
    assert [r["validation_accuracy"] for r in read(study, files.PROGRESS_FILE)] == [
        "0.2", "0.8", "0.5"
    ]  # fmt: skip


def test_a_trial_that_does_not_end_is_interrupted(study):
    start(study, "a")
    study.write()
    assert read(study, files.TRIALS_FILE)[0]["status"] == files.INTERRUPTED


def test_repeated_iterations_replace_the_earlier_rows(study):
    start(study, "a")
    for iteration in (1, 2, 2, 3):
        study.add_result("a", result(iteration, 0.1 * iteration))
    assert [row["iteration"] for row in study.progress.values()] == [1, 2, 3]


def test_ranking_is_by_accuracy_then_by_tokens_to_solve(study):
    for name, accuracy, tokens in [("a", 1.0, 300), ("b", 1.0, 200), ("c", 0.999, 100)]:
        start(study, name)
        study.add_result(name, result(1, accuracy, tokens_to_solve=tokens))
    start(study, "failed")
    study.add_result("failed", result(1, 1.0, tokens_to_solve=1))
    study.end_trial("failed", files.FAILED, "why")
    start(study, "without a result")
    assert [row["trial_id"] for row in study.ranked(5)] == ["b", "a", "c"]
    assert study.solved_trials(5) == 4
    assert study.ranked(9) == []


def test_the_best_configurations_are_carried_to_the_next_T(study):
    for name, accuracy in [("a", 0.3), ("b", 0.9), ("c", 0.5), ("d", 0.1)]:
        start(study, name, learning_rate=accuracy / 100)
        study.add_result(name, result(1, accuracy))
    assert first_configurations(study, 5) == [
        {"learning_rate": accuracy / 100, "batch_size": 4} for accuracy in (0.9, 0.5, 0.3)
    ]


def test_initial_configurations_take_turns_with_the_carried_ones(study):
    initial = [{"learning_rate": 0.009}, {"learning_rate": 0.003, "batch_size": 4}]
    search = study.config.search.model_copy(update={"initial": initial})
    study.config = study.config.model_copy(update={"search": search})
    for name, accuracy, rate in [("a", 0.3, 0.003), ("b", 0.9, 0.009)]:
        start(study, name, learning_rate=rate)
        study.add_result(name, result(1, accuracy))
    assert first_configurations(study, 5) == [
        {"learning_rate": 0.009, "batch_size": 4},
        {"learning_rate": 0.009},
        {"learning_rate": 0.003, "batch_size": 4},
    ]


def make_checkpoint(study: Study, training: TrainingConfig, trial_id: str, iterations: int):
    trainer = Trainer(training)
    trainer.progress.iteration = iterations
    folder = study.path / files.RAY_FOLDER / f"T={training.T}" / trial_id
    trainer.save(folder / f"checkpoint_{iterations:06}")
    return folder / f"checkpoint_{iterations:06}"


def test_the_checkpoint_of_the_best_evaluation_is_kept(study):
    training = start(study, "a")
    for iteration, accuracy in [(1, 0.2), (2, 0.8), (3, 0.5)]:
        study.add_result("a", result(iteration, accuracy))
    best = make_checkpoint(study, training, "a", 2)
    make_checkpoint(study, training, "a", 3)
    row = study.ranked(5)[0]
    assert study.best_checkpoint(row) == best
    scores = {"accuracy": 0.75, "accuracy_low": 0.7, "accuracy_high": 0.8, "exact_match": 0.1,
              "recalled_bits": 3.0, "cross_entropy": 1.0}  # fmt: skip
    study.add_best(row, best, scores)
    (written,) = read(study, files.BEST_FILE)
    assert (written["accuracy"], written["trials"], written["trial_id"]) == ("0.75", "1", "a")
    assert load_model(study.path / written["checkpoint"]).core.hidden_size == 8


def test_a_loaded_study_equals_the_written_one(study):
    training = start(study, "a")
    study.add_result("a", result(1, 0.5, tokens_to_solve=100))
    start(study, "b", T=9)
    study.end_trial("b", files.FAILED, 'quotes ", commas and\nlines')
    study.add_best(study.ranked(5)[0], make_checkpoint(study, training, "a", 1), {"accuracy": 0.5})
    study.write_state(12.5)
    loaded = Study.load(study.path)
    study.write()
    before = {f.name: f.read_bytes() for f in study.path.glob("*.csv")}
    loaded.write()
    assert {f.name: f.read_bytes() for f in study.path.glob("*.csv")} == before
    assert loaded.config == study.config
    assert loaded.elapsed_seconds == 12.5
    assert loaded.best.keys() == {5}


def test_an_existing_study_is_not_overwritten(study):
    before = {f: f.read_bytes() for f in study.path.iterdir()}
    with pytest.raises(UserError, match="File exists"):
        Study.create(study.path, study.config)
    assert {f: f.read_bytes() for f in study.path.iterdir()} == before


def test_resume_of_none_and_of_another_schema_is_told(study, tmp_path):
    with pytest.raises(UserError, match="no study to resume at"):
        Study.load(tmp_path / "none")
    text = (study.path / files.STUDY_FILE).read_text()
    (study.path / files.STUDY_FILE).write_text(
        text.replace("schema_version: 1", "schema_version: 99")
    )
    with pytest.raises(UserError, match="schema version 99"):
        Study.load(study.path)
