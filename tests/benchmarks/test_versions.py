import re
import subprocess

import pytest

from benchmarks import versions
from search.errors import UserError


def test_libraries_and_project_have_a_version():
    known = versions.versions()
    assert set(known) == {"torch", "ray", "optuna", "syne_tune", "project"}
    assert re.match(r"\d+\.\d+", known["ray"])


def test_a_side_whose_library_is_missing_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(versions, "_installed", lambda package: "")
    versions.check_installed(["ours", "Optuna: TPE, Hyperband"])
    with pytest.raises(UserError, match=r"Syne Tune is not installed: pip install .*benchmarks"):
        versions.check_installed(["ours", "Syne Tune: ASHA"])


def test_the_version_of_the_project_is_the_last_commit_that_changed_its_code(tmp_path, monkeypatch):
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x"]
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True
        ).stdout.decode()

    monkeypatch.setattr(versions, "ROOT", tmp_path)
    git("init", "-q")
    code = tmp_path / "search" / "run.py"
    code.parent.mkdir()
    code.write_text("1")
    git("add", ".")
    git("commit", "-q", "-m", "code")
    commit = git("rev-parse", "--short=10", "HEAD").strip()
    assert versions.project_version() == commit
    (tmp_path / "README.md").write_text("words")
    git("add", ".")
    git("commit", "-q", "-m", "words")
    assert versions.project_version() == commit
    code.write_text("2")
    assert versions.project_version() == f"{commit}+"
    training = tmp_path / "copytask" / "trainer.py"
    training.parent.mkdir()
    training.write_text("1")
    git("add", "copytask")
    git("commit", "-q", "-m", "training")
    commit = git("rev-parse", "--short=10", "HEAD").strip()
    known = versions.versions(versions.TRAINING, ["torch"])
    assert known["project"] == commit, "the search has changed since, and no training with it"
    assert set(known) == {"torch", "project"}


def test_without_a_repository_it_is_the_version_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    monkeypatch.setattr(versions, "_installed", {"copytask-search": "1.2"}.get)
    assert versions.project_version() == "1.2"
