"""``--delete NAME``: what it shows, asks and refuses."""

import io
import sys

import pytest
from made_studies import make_config, search

from search.run import main
from search.study.study import Study
from studies import format as files


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def study(tmp_path):
    study = Study.create(tmp_path / "s", make_config(T=[5], trials=3))
    search(study, 5)
    study.close()
    return study.path


def delete(study, *more: str) -> int:
    return main(["--delete", study.name, "--storage", str(study.parent), *more])


@pytest.mark.parametrize(
    ("answer", "kept"), [("y", False), ("Yes", False), ("", True), ("n", True)]
)
def test_it_shows_what_is_deleted_and_asks(answer, kept, study, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert delete(study) == 0
    out = capsys.readouterr().out
    assert f"{study}: gru on delay, finished" in out
    assert "1 of 1 T done, 1 trial" in out
    assert study.exists() == kept
    assert "[y/N]" in out
    assert ("nothing is deleted" in out) == kept


def test_with_yes_nobody_is_asked_also_about_a_broken_study(study, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    (study / files.STUDY_FILE).unlink()
    assert delete(study, "--yes") == 0
    assert "broken: " in capsys.readouterr().out
    assert list(study.parent.iterdir()) == []


def test_where_nobody_can_be_asked_it_is_refused(study, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert delete(study) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert study.exists()


def test_a_study_that_is_searched_is_refused(study, capsys):
    running = Study.open(study)
    before = sorted(study.iterdir())
    assert delete(study, "--yes") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: another process is searching in {study}: wait for it, or end it first\n"
    assert sorted(study.iterdir()) == before
    running.close()
