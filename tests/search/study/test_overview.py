"""Looking at studies: one that runs, one that was cut off, one that is finished, a broken one."""

import csv
import json
import time

import pytest
from made_studies import make_config, search
from stores import BUCKET, object_store
from upath import UPath

from search.errors import UserError
from search.storage.lock import LEASE_SECONDS, LOCK_FILE, is_locked
from search.storage.lock_owner import this_process
from search.study.event_log import read_events
from search.study.overview import FINISHED, INTERRUPTED, RUNNING, find_studies, look, study_named
from search.study.study import Study
from studies import format as files


def test_a_study_is_running_while_it_is_open_then_interrupted_then_finished(tmp_path):
    study = Study.create(tmp_path / "s", make_config(trials=1))
    search(study, 5)
    view = look(study.path)
    assert view.state == RUNNING
    assert [view.is_done(T) for T in (5, 9)] == [True, False]
    assert view.history.best[5].accuracy == 0.5
    study.close()
    assert look(study.path).state == INTERRUPTED
    study = Study.open(study.path)
    search(study, 9)
    study.close()
    assert look(study.path).state == FINISHED
    assert look(study.path).seconds == list(read_events(study.path))[-1].elapsed


def test_a_study_is_interrupted_while_a_training_or_a_test_is_left(tmp_path):
    study = Study.create(tmp_path / "s", make_config(T=[5], trials=1, confirm_seeds=1))
    search(study, 5)
    study.close()
    assert look(study.path).state == INTERRUPTED
    study = Study.open(study.path)
    training = study.config.training_config(5, {"learning_rate": 1e-3, "hidden_size": 8}, seed=9)
    study.start_trial("c", training.to_dict(), files.CONFIRM, confirms="T5-0000")
    study.fail_trial("c", "diverged")
    study.close()
    assert look(study.path).state == INTERRUPTED
    study = Study.open(study.path)
    study.confirm("c", None)
    study.close()
    assert look(study.path).state == FINISHED


def test_looking_leaves_nothing_behind_and_does_not_keep_a_search_out(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    study.close()
    before = {path: path.stat().st_mtime_ns for path in study.path.iterdir()}
    look(study.path)
    assert {path: path.stat().st_mtime_ns for path in study.path.iterdir()} == before
    Study.open(study.path).close()


def test_half_a_line_at_the_end_of_the_events_is_not_there_yet(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    search(study, 5)
    with (study.path / files.EVENTS_FILE).open("a") as file:
        file.write('{"event":"resu')
    assert look(study.path).history.best[5].trial_id == "T5-0000"
    study.close()


def test_a_users_cell_that_is_gone_can_be_looked_at(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    study.close()
    file = study.path / files.STUDY_FILE
    file.write_text(file.read_text().replace("model: gru", "model: gone:factory"))
    assert look(study.path).history.config.model == "gone:factory"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (files.STUDY_FILE, "schema_version: 99", "has schema version 99; this program reads 1"),
        (files.STUDY_FILE, "schema_version: 1", "study.yaml: config: input should be"),
        (files.STUDY_FILE, "a: [", "study.yaml, line 1"),
        (
            files.STUDY_FILE,
            "{schema_version: 1, config: {model: gru}, chance_accuracy: 0}",
            "study.yaml: chance_accuracy must be above 0 and at most 1, but is 0",
        ),
        (files.EVENTS_FILE, "{}\n", "events.jsonl, line 1: no valid event"),
        (files.EVENTS_FILE, "what\n", "events.jsonl, line 1: no valid event"),
    ],
)
def test_a_damaged_study_is_an_error_that_names_the_file(tmp_path, name, content, message):
    Study.create(tmp_path / "s", make_config()).close()
    (tmp_path / "s" / name).write_text(content)
    with pytest.raises(UserError, match=message):
        look(tmp_path / "s")


def test_only_studies_are_found_and_a_wrong_name_has_the_nearest(tmp_path):
    Study.create(tmp_path / "mgru-delay", make_config()).close()
    (tmp_path / "notes").mkdir()
    (tmp_path / ".gru.new").mkdir()
    (tmp_path / ".gru.new" / files.STUDY_FILE).touch()
    assert [path.name for path in find_studies(UPath(tmp_path))] == ["mgru-delay"]
    with pytest.raises(UserError, match="did you mean 'mgru-delay'"):
        study_named(UPath(tmp_path), "mgru-dely")
    with pytest.raises(UserError, match="unknown study"):
        study_named(UPath(tmp_path), "../" + tmp_path.name + "/mgru-delay")
    with pytest.raises(UserError, match="no such folder"):
        find_studies(UPath(tmp_path / "no"))


def test_studies_in_an_object_store_and_their_locks():
    with object_store():
        storage = UPath(f"s3://{BUCKET}/runs")
        study = Study.create(storage / "s", make_config(trials=1))
        search(study, 5)
        lock = storage / "s" / LOCK_FILE
        assert [path.name for path in find_studies(storage)] == ["s"]
        assert look(storage / "s").state == RUNNING
        study.close()
        assert look(storage / "s").state == INTERRUPTED
        now = {"host": "another", "pid": 1, "renewed": time.time()}
        for lease, locked in [
            (now, True),
            (now | {"renewed": time.time() - 2 * LEASE_SECONDS}, False),
            (now | this_process(), True),
            (now | this_process() | {"pid": 2**22 + 1}, False),
        ]:
            lock.write_text(json.dumps(lease))
            assert is_locked(storage / "s") is locked


def test_a_study_without_events_is_read_from_its_tables(tmp_path):
    study = Study.create(tmp_path / "s", make_config(trials=1))
    search(study, 5, accuracy=0.4)
    study.write()
    study.close()
    (study.path / files.EVENTS_FILE).unlink()
    view = look(study.path)
    assert (view.state, view.seconds) == (INTERRUPTED, None)
    assert [view.is_done(T) for T in (5, 9)] == [True, False]
    assert [trial.id for trial in view.history.ranked(5)] == ["T5-0000"]
    with (study.path / files.BEST_FILE).open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert view.history.best[5].accuracy == float(row["accuracy"])
