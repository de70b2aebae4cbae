import pytest
import torch
from made_studies import make_config, start

from copytask import DivergedError, Trainer, TrainingConfig
from search.errors import UserError
from search.execute.replay import replay, replayed_config
from search.run import main
from search.storage.csv_tables import read_rows, write_rows
from search.study.study import Study
from search.study.tables import trial_row
from studies import format as files
from studies.columns import PROGRESS
from studies.events import Point, Scores


@pytest.fixture
def study(tmp_path) -> Study:
    """A study with one trial of three iterations that was really trained."""
    config = make_config(T=[3])
    study = Study.create(tmp_path / "study", config.model_copy(update={"task": "sequence"}))
    trainer = Trainer(start(study, "T3-0000", T=3))
    for status in ("", "", files.STOPPED_EARLY):
        point = Point(**vars(trainer.run_iteration()))
        study.add_result("T3-0000", point, trainer.model.parameter_count(), status)
    study.write()
    return study


def test_a_trial_repeats_itself_from_its_row(study, capsys):
    assert replay(study.path, "T3-0000") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all("as recorded" in line for line in lines)
    assert lines[-1] == "T3-0000: all 3 iterations as recorded"
    assert max(map(len, lines)) <= 80


def test_a_replay_has_the_threads_of_a_trial(study):
    # With others, sums of a larger model come out otherwise.
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        replay(study.path, "T3-0000")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("gpus", "fixed", "device"),
    [(0.0, "auto", "cpu"), (0.5, "auto", "cuda"), (None, "auto", "auto"), (0.5, "cpu", "cpu")],
)
def test_a_replay_has_the_device_of_the_trial(study, gpus, fixed, device):
    config = study.config.model_copy(update={"training": {"device": fixed}})
    row = trial_row(study.history.trials["T3-0000"], study.history.space) | {"gpus": gpus}
    assert replayed_config(config, row, final=False).device == device
    assert replayed_config(config, row, final=True).device == device


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_trial_of_a_gpu_is_not_replayed_without_one(study):
    trial = study.history.trials["T3-0000"]
    trial.host, trial.gpus = "big", 1.0
    study.write()
    with pytest.raises(UserError, match="it was trained on a GPU of big, and this machine has"):
        replay(study.path, "T3-0000")


def test_a_difference_is_found_and_told(study, capsys):
    file = study.path / files.PROGRESS_FILE
    header, first, second, third = file.read_text().splitlines()
    accuracy = header.split(",").index("validation_accuracy")
    cells = second.split(",")
    cells[accuracy] = "0.123"
    file.write_text("\n".join([header, first, ",".join(cells), third, ""]))
    assert replay(study.path, "T3-0000") == 1
    out, err = capsys.readouterr()
    assert "iteration   2" in out
    assert "differs: validation_accuracy" in out
    assert err == "T3-0000 differs from its record, first in iteration 2: validation_accuracy\n"


def test_a_failure_repeats_itself(tmp_path, capsys):
    study = Study.create(tmp_path / "study", make_config(T=[3]))
    trainer = Trainer(start(study, "T3-0000", T=3, learning_rate=1e4))
    while True:
        try:
            point = Point(**vars(trainer.run_iteration()))
        except DivergedError as error:
            study.fail_trial("T3-0000", str(error))
            break
        study.add_result("T3-0000", point, trainer.model.parameter_count())
    study.write()
    assert replay(study.path, "T3-0000") == 0
    study.history.trials["T3-0000"].error = "something else"
    study.write()
    assert replay(study.path, "T3-0000") == 1
    assert "first in its error: training diverged" in capsys.readouterr().err


def failed_study(tmp_path, iterations: int, error: str) -> Study:
    """A study with one trial that failed after some of its six iterations with this error."""
    config = make_config(T=[3])
    training = {**config.training, "max_tokens": 4000}
    study = Study.create(tmp_path / "study", config.model_copy(update={"training": training}))
    trainer = Trainer(start(study, "T3-0000", T=3))
    for _ in range(iterations):
        point = Point(**vars(trainer.run_iteration()))
        study.add_result("T3-0000", point, trainer.model.parameter_count())
    study.fail_trial("T3-0000", error)
    study.write()
    return study


def fail_after(iterations: int, error: Exception, monkeypatch) -> None:
    """Let every training fail."""
    run_iteration = Trainer.run_iteration

    def failing(self):
        if self.progress.iteration >= iterations:
            raise error
        return run_iteration(self)

    monkeypatch.setattr(Trainer, "run_iteration", failing)


def test_an_exception_later_in_a_group_of_results_repeats_itself(tmp_path, monkeypatch):
    study = failed_study(tmp_path, 2, "RuntimeError: no data")
    fail_after(4, RuntimeError("no data"), monkeypatch)
    assert replay(study.path, "T3-0000") == 0


@pytest.mark.parametrize("iterations", [0, 2])
@pytest.mark.parametrize(
    ("error", "recorded"),
    [
        (RuntimeError("no data\nas it seems"), "RuntimeError: no data"),
        (AssertionError(), "AssertionError"),
        (StopIteration(), "StopIteration"),
        (AssertionError(), "AssertionError: "),  # as an earlier version wrote it
        (DivergedError("training diverged"), "training diverged"),
    ],
)
def test_an_exception_repeats_itself(tmp_path, monkeypatch, capsys, error, recorded, iterations):
    study = failed_study(tmp_path, iterations, recorded)
    fail_after(iterations, error, monkeypatch)
    assert replay(study.path, "T3-0000") == 0
    assert capsys.readouterr().err == ""


def test_an_exception_where_a_training_is_made_repeats_itself(tmp_path, monkeypatch):
    study = failed_study(tmp_path, 0, "RuntimeError: no room")

    def failing(training):
        raise RuntimeError("no room\nfor this")

    monkeypatch.setattr("search.execute.replay.Trainer", failing)
    assert replay(study.path, "T3-0000") == 0


@pytest.mark.parametrize(
    ("fails_after", "told"),
    [
        (1, "iteration 2: RuntimeError: no data"),
        (2, "its error: RuntimeError: no data"),
        (3, "its error: RuntimeError: no data"),
        (99, "its error: KeyError: 'x'"),
    ],
)
def test_another_exception_is_one_line_on_stderr(tmp_path, monkeypatch, capsys, fails_after, told):
    study = failed_study(tmp_path, 2, "KeyError: 'x'")
    fail_after(fails_after, RuntimeError("no data\nas it seems"), monkeypatch)
    assert main(["--replay", str(study.path), "T3-0000"]) == 1
    assert capsys.readouterr().err == f"T3-0000 differs from its record, first in {told}\n"


def as_if_begun_by_an_earlier_version(study: Study) -> None:
    """It validated on the same payloads each time, and recorded no version of its streams."""
    for name, keys in ((files.EVENTS_FILE, 1), (files.PROGRESS_FILE, 0)):
        file = study.path / name
        text = file.read_text()
        assert text.count(',"streams":2') == keys
        file.write_text(text.replace(',"streams":2', ""))
    rows = read_rows(study.path / files.PROGRESS_FILE)
    for row in rows:
        row |= {"validation_accuracy": 0.5, "ladder_accuracy": 0.5, "validation_loss": 0.5}
    write_rows(study.path / files.PROGRESS_FILE, PROGRESS.names, lambda: rows)


def test_a_trial_of_an_earlier_version_is_compared_by_its_training(study, capsys):
    as_if_begun_by_an_earlier_version(study)
    assert replay(study.path, "T3-0000") == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "T3-0000: an earlier version used other validation payloads: not compared"
    assert last == "T3-0000: all 3 iterations as recorded"
    rows = read_rows(study.path / files.PROGRESS_FILE)
    rows[1]["training_loss"] += 0.1
    write_rows(study.path / files.PROGRESS_FILE, PROGRESS.names, lambda: rows)
    assert replay(study.path, "T3-0000") == 1
    told = "T3-0000 differs from its record, first in iteration 2: training_loss\n"
    assert capsys.readouterr().err == told


def test_a_trial_that_an_earlier_version_trained_on_a_gpu_is_not_accused(study):
    as_if_begun_by_an_earlier_version(study)
    rows = [row | {"gpus": 0.5} for row in read_rows(study.path / files.TRIALS_FILE)]
    write_rows(study.path / files.TRIALS_FILE, list(rows[0]), lambda: rows)
    with pytest.raises(UserError, match="an earlier version trained it on data that it drew"):
        replay(study.path, "T3-0000")


@pytest.mark.parametrize("repeated", ["T3-final", "T3-0000"])
def test_final_trainings_and_confirmations_repeat_themselves(study, capsys, repeated):
    training = study.history.trials["T3-0000"].training
    final = study.config.final_training(training)
    assert final.validation_payloads != training["validation_payloads"]
    confirmed = {"T3-final": final.to_dict(), "T3-0000": training}
    train(study, "T3-final", final, files.FINAL)
    training = TrainingConfig.from_dict({**confirmed[repeated], "seed": 6})
    train(study, "T3-confirm-00", training, files.CONFIRM, confirms=repeated)
    study.write()
    with pytest.raises(UserError, match=r"T3-confirm-00: the trial is not in confirm.csv yet"):
        replay(study.path, "T3-confirm-00")
    study.confirm("T3-confirm-00", Scores(accuracy=0.5, accuracy_low=0.4, accuracy_high=0.6))
    study.write()
    for name in ("T3-0000", "T3-final", "T3-confirm-00"):
        assert replay(study.path, name) == 0


def train(study: Study, name: str, training: TrainingConfig, stage: str, **more) -> None:
    """One iteration."""
    trainer = Trainer(training)
    study.start_trial(name, training.to_dict(), stage, **more)
    point = Point(**vars(trainer.run_iteration()))
    study.add_result(name, point, trainer.model.parameter_count(), files.COMPLETED)


def test_a_training_with_a_fresh_seed_repeats_its_own_validation(study, capsys):
    candidate = study.history.trials["T3-0000"].training
    training = study.config.race_training(candidate, seed=6)
    assert (training.validation_seed, training.stop_when_solved) == (6, True)
    train(study, "T3-race-00", training, files.RACE, confirms="T3-0000")
    study.write()
    assert replay(study.path, "T3-race-00") == 0


@pytest.mark.parametrize(
    ("path", "trial", "message"),
    [
        ("none", "T3-0000", "none/trials.csv: No such file or directory"),
        ("study", "T3-0009", "no such trial; it has T3-0000, ..."),
    ],
)
def test_what_is_not_there_is_told(study, path, trial, message):
    with pytest.raises(UserError, match=message):
        replay(study.path.parent / path, trial)
