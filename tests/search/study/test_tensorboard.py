"""The event files of a study, read by TensorBoard's own loader."""

from pathlib import Path

import pytest
from made_studies import make_config, report, start
from stores import BUCKET, object_store
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import Status

from search import run
from search.study.study import Study
from studies import format as files


def events(study: Study, trial_id: str) -> list:
    """Of the only event file of a trial."""
    (path,) = (Path(study.path) / files.TENSORBOARD_FOLDER / trial_id).iterdir()
    return list(EventFileLoader(str(path)).Load())


def points(study: Study, trial_id: str, tag: str) -> list[tuple[int, float]]:
    return [
        (event.step, pytest.approx(value.tensor.float_val[0]))
        for event in events(study, trial_id)
        for value in event.summary.value
        if value.tag == tag
    ]


def plugin_values(study: Study, trial_id: str) -> dict[str, bytes]:
    """Tag -> content for the table of hyperparameters."""
    return {
        value.tag: value.metadata.plugin_data.content
        for event in events(study, trial_id)
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "hparams"
    }


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study.create(tmp_path / "s", make_config(tensorboard=True))
    start(study, "a", learning_rate=2e-3)
    start(study, "b")
    report(study, "a", 1, 0.25)
    study.write()
    return study


def test_each_point_is_there_once_however_often_files_are_written(study):
    study.write()
    report(study, "a", 2, 0.5, files.COMPLETED)
    study.write()
    study.write()
    assert points(study, "a", "accuracy/at_T") == [(100, 0.25), (200, 0.5)]
    assert points(study, "a", "loss/training") == [(100, 2.0), (200, 2.0)]
    assert not (study.path / files.TENSORBOARD_FOLDER / "b").exists()  # nothing to tell yet
    first, last = (event for event in events(study, "a") if event.step)
    assert last.wall_time - first.wall_time == pytest.approx(1.5)
    study.close()


def test_a_study_that_goes_on_has_each_point_once_also_after_half_a_record(study):
    study.close()
    (path,) = (study.path / files.TENSORBOARD_FOLDER / "a").iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    study = Study.open(study.path)
    report(study, "a", 2, 0.5)
    study.write()
    assert points(study, "a", "accuracy/ladder") == [(100, 0.125), (200, 0.25)]
    study.close()


def test_the_table_of_hyperparameters_has_what_is_searched_and_how_it_ended(study):
    report(study, "b", 1, 0.1)
    study.fail_trial("b", "diverged")
    report(study, "a", 2, 0.5, files.COMPLETED)
    study.write()
    for trial_id, rate, status in [
        ("a", 2e-3, Status.STATUS_SUCCESS), ("b", 1e-3, Status.STATUS_FAILURE),
    ]:  # fmt: skip
        values = plugin_values(study, trial_id)
        begun = metadata.parse_session_start_info_plugin_data(
            values[metadata.SESSION_START_INFO_TAG]
        )
        shown = {name: value.number_value for name, value in begun.hparams.items()}
        assert shown["learning_rate"] == rate
        assert shown["hidden_size"] == 8
        assert begun.hparams["model"].string_value == "gru"
        ended = metadata.parse_session_end_info_plugin_data(values[metadata.SESSION_END_INFO_TAG])
        assert ended.status == status
    study.close()


def test_a_study_that_was_begun_without_gets_all_of_them_once_they_are_wanted(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    start(study, "a")
    report(study, "a", 1, 0.5, files.COMPLETED)
    study.write()
    assert not (study.path / files.TENSORBOARD_FOLDER).exists()
    study.change_config(make_config(tensorboard=True))
    study.write()
    assert points(study, "a", "accuracy/at_T") == [(100, 0.5)]
    study.close()


def test_on_an_object_store_they_are_refused_with_what_is_possible(capsys):
    with object_store():
        storage = f"s3://{BUCKET}/runs"
        assert run.main(["--model", "gru", "--storage", storage, "--tensorboard"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot append to event files; set it to false" in line
    assert "optuna-dashboard on a copy" in line
