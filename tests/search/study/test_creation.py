import errno
import json
import multiprocessing
import os
import shutil
import stat

import pytest
from made_studies import make_config, start
from stores import BUCKET, object_store
from upath import UPath

from search.errors import UserError
from search.study.creation import UNFINISHED, check_free
from search.study.event_log import read_events
from search.study.study import Study
from search.study.study_file import read_config
from studies import format as files
from studies.events import TrialStarted

ROUNDS = 5


@pytest.fixture(scope="module")
def store():
    with object_store():
        yield UPath(f"s3://{BUCKET}/runs")


@pytest.fixture(params=["folder", "store"])
def path(request, tmp_path) -> UPath:
    """Where a study is to be made."""
    storage = request.getfixturevalue("store") if request.param == "store" else UPath(tmp_path)
    return storage / tmp_path.name / "study"


def make_many(storage, barrier, results) -> None:
    """Make one study after the other at the same moment as the other processes."""
    for number in range(ROUNDS):
        path = UPath(storage) / str(number)
        barrier.wait()
        try:
            study = Study.create(path, make_config())
        except UserError as error:
            results.put((number, str(error)))
        else:
            start(study, "a")
            barrier.wait()
            study.close()
            results.put((number, ""))
            continue
        barrier.wait()


@pytest.mark.slow
def test_of_two_processes_that_make_one_study_exactly_one_does(path):
    spawn = multiprocessing.get_context("spawn")  # the threads of this one cannot be forked
    barrier, results = spawn.Barrier(2), spawn.Queue()
    arguments = (str(path), barrier, results)
    processes = [spawn.Process(target=make_many, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    try:
        answers = [results.get() for _ in range(2 * ROUNDS)]
    finally:
        for process in processes:
            process.kill() if process.exitcode is None and not answers else process.join()
    for number in range(ROUNDS):
        study = path / str(number)
        lost, won = sorted((text for n, text in answers if n == number), reverse=True)
        assert won == ""
        assert lost in (
            f"another process is searching in {study}: wait for it, or end it first",
            f"the study {study} exists: continue it with --resume, or choose another --name",
        )
        assert [type(event) for event in read_events(study)] == [TrialStarted]
        opened = Study.open(study)
        assert list(opened.history.trials) == ["a"]
        opened.close()
    assert {child.name for child in path.iterdir()} == set(map(str, range(ROUNDS)))


def check_new(path) -> None:
    """A study can be made there, and resumed."""
    check_free(path)
    with pytest.raises(UserError, match=f"no study to resume at {path}; start it without --res"):
        read_config(path)
    study = Study.create(path, make_config())
    start(study, "a")
    study.close()
    opened = Study.open(path)
    assert list(opened.history.trials) == ["a"]
    opened.close()
    with pytest.raises(UserError, match="exists: continue it with --resume"):
        check_free(path)


def test_a_study_is_made_where_nothing_is(path):
    check_new(path)


def test_a_study_is_made_in_an_empty_folder(tmp_path):
    (tmp_path / "study").mkdir()
    check_new(tmp_path / "study")
    assert [child.name for child in tmp_path.iterdir()] == ["study"]


def test_a_study_is_made_in_an_empty_folder_of_a_store(store, tmp_path):
    """The console of S3 makes a folder as an empty object."""
    path = store / tmp_path.name
    path.fs.call_s3("put_object", Bucket=BUCKET, Key=f"runs/{tmp_path.name}/")
    check_new(path)


@pytest.mark.parametrize("written", range(1, len(UNFINISHED) + 1))
def test_a_study_is_made_where_the_making_of_one_was_cut_off(path, tmp_path, written):
    """As an object store has it when the process is killed after so many files."""
    Study.create(UPath(tmp_path / "whole"), make_config()).close()
    path.mkdir(parents=True, exist_ok=True)
    for name in sorted(UNFINISHED)[:written]:
        (path / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    check_new(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_making_that_is_interrupted_is_in_nobodys_way(path, monkeypatch, error):
    def interrupt(*arguments) -> None:
        raise error

    monkeypatch.setattr("search.study.study.provenance", interrupt)
    with pytest.raises((KeyboardInterrupt, UserError)):
        Study.create(path, make_config())
    monkeypatch.undo()
    check_new(path)


@pytest.mark.parametrize("name", ["notes.txt", files.OPTUNA_FILE, files.EVENTS_FILE])
def test_files_that_are_no_study_are_left_alone(path, name):
    path.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"event": "x", "elapsed": 0.0}) + "\n"
    (path / name).write_text(content)
    for look in (check_free, read_config, lambda path: Study.create(path, make_config())):
        with pytest.raises(UserError, match=f"{path} holds files, but no study.yaml; choose ano"):
            look(path)
    assert {child.name: child.read_text() for child in path.iterdir()} == {name: content}


def test_a_file_is_left_alone(tmp_path):
    path = tmp_path / "study"
    path.touch()
    for look in (check_free, read_config):
        with pytest.raises(UserError, match="study is a file; choose another --name"):
            look(path)


def test_a_folder_that_a_killed_process_has_left_is_used(tmp_path):
    left = tmp_path / ".study.new"
    shutil.copytree(Study.create(tmp_path / "other", make_config()).path, left)
    check_new(tmp_path / "study")
    assert not left.exists()


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_a_study_is_made_where_a_folder_cannot_be_flushed(tmp_path, monkeypatch, code):
    fsync = os.fsync

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", only_files)
    Study.create(tmp_path / "study", make_config()).close()
    assert read_config(tmp_path / "study") == make_config()
