from pathlib import Path

import pytest

from studies.command_line import home_path
from studies.errors import InputError
from studies.finding import find_studies
from studies.paths import open_path


def make(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "study.yaml").touch()


def test_a_path_is_a_study_or_a_folder_of_studies(tmp_path: Path) -> None:
    make(tmp_path / "runs" / "b", tmp_path / "runs" / "a", tmp_path / "single")
    (tmp_path / "runs" / "notes").mkdir()
    found = find_studies([tmp_path / "runs", str(tmp_path / "single"), tmp_path / "runs" / "a"])
    assert list(found.values()) == ["a", "b", "single"]


def test_studies_that_share_a_name_are_named_by_their_paths(tmp_path: Path) -> None:
    make(tmp_path / "here" / "a", tmp_path / "there" / "a")
    found = find_studies([tmp_path / "here", tmp_path / "there"])
    assert list(found.values()) == [str(tmp_path / "here" / "a"), str(tmp_path / "there" / "a")]


def test_a_study_that_is_being_created_is_none_yet(tmp_path: Path) -> None:
    make(tmp_path / "a", tmp_path / ".b")
    assert list(find_studies([tmp_path]).values()) == ["a"]


@pytest.mark.parametrize("name", ["best.csv", "events.jsonl", "trials.csv"])
def test_a_study_without_its_yaml_is_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).touch()
    assert list(find_studies([tmp_path]).values()) == ["a"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "nowhere does not exist; name a folder of studies, or make one by"),
        ("empty", "no study in "),
        ("file", "file is not a folder"),
    ],
)
def test_a_path_without_a_study_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as refused:
        find_studies([tmp_path / name])
    assert message in str(refused.value)


def test_the_home_folder_is_meant_by_a_tilde_that_no_shell_has_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_path("~/runs") == tmp_path / "runs"
    assert open_path("a/~b") == Path("a/~b")
    assert home_path("~/reports") == tmp_path / "reports"


def test_a_study_that_two_paths_lead_to_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "latest").symlink_to("a")
    monkeypatch.chdir(tmp_path)
    assert list(find_studies(["runs", tmp_path / "runs" / "a"]).values()) == ["a"]


def test_a_path_that_the_system_refuses_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^cannot read .*: File name too long$"):
        find_studies([tmp_path / ("a" * 300)])
