"""A study is deleted with all its files, in a folder and in an object store."""

import shutil

import pytest
from made_studies import make_config
from stores import BUCKET, object_store
from upath import UPath

from search.errors import UserError
from search.storage.store import children
from search.study.deletion import delete_study
from search.study.study import Study
from studies import format as files
from studies.finding import is_study


def make_study(path) -> None:
    Study.create(path, make_config(trials=1)).close()
    (path / "checkpoints" / "T=5").mkdir(parents=True, exist_ok=True)
    (path / "checkpoints" / "T=5" / "model").write_bytes(b"model")


@pytest.fixture(params=["folder", "memory", "s3"])
def runs(request, tmp_path):
    if request.param == "s3":
        with object_store():
            yield UPath(f"s3://{BUCKET}/runs")
    else:
        yield UPath(tmp_path if request.param == "folder" else f"memory://{tmp_path.name}")


def test_nothing_of_it_is_left_and_its_neighbour_is(runs):
    make_study(runs / "s")
    make_study(runs / "s2")
    delete_study(runs / "s")
    assert [path.name for path in children(runs)] == ["s2"]
    assert (runs / "s2" / "checkpoints" / "T=5" / "model").read_bytes() == b"model"


def test_one_that_is_searched_is_refused(runs):
    study = Study.create(runs / "s", make_config(trials=1))
    with pytest.raises(UserError, match="another process is searching in"):
        delete_study(runs / "s")
    study.close()
    delete_study(runs / "s")
    assert children(runs) == []


def test_a_deletion_that_is_cut_off_can_be_repeated(tmp_path, monkeypatch):
    make_study(tmp_path / "s")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            delete_study(tmp_path / "s")
    assert not (tmp_path / "s" / files.STUDY_FILE).exists()
    assert is_study(tmp_path / "s")
    delete_study(tmp_path / "s")
    assert children(tmp_path) == []


def test_what_cannot_be_deleted_is_one_line_and_a_link_leaves_its_study_whole(
    tmp_path, monkeypatch
):
    make_study(tmp_path / "s")
    (tmp_path / "link").symlink_to(tmp_path / "s")
    with pytest.raises(UserError, match=r"link is a link; delete the study to which it leads: "):
        delete_study(tmp_path / "link")
    assert (tmp_path / "s" / files.STUDY_FILE).exists()

    def refuse(path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(UserError, match="s cannot be deleted: Permission denied"):
        delete_study(tmp_path / "s")
