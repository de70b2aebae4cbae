import shlex
from pathlib import Path

import pytest
from made_studies import make_config

from search.console.commands import (
    compare_command,
    replay_command,
    resume_all_command,
    resume_command,
)
from search.execute.requested_study import study_path
from search.run import make_parser
from search.storage.store import parse_storage
from studies.paths import ENDPOINT

CONFIG = make_config()


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch):
    monkeypatch.setenv(ENDPOINT, "")
    monkeypatch.delenv(ENDPOINT)  # what parse_storage sets is undone as well


def test_a_study_in_the_usual_place_needs_its_name_only():
    assert resume_command(Path("runs/s"), CONFIG) == "python -m search.run --name s --resume"


def test_the_command_that_resumes_names_folder_and_cluster():
    command = resume_command(Path("/my data/s"), CONFIG, "10.0.0.1:6379")
    assert command == (
        "python -m search.run --name s --storage '/my data' --address 10.0.0.1:6379 --resume"
    )


def test_a_users_model_and_task_are_named_again():
    own = CONFIG.model_copy(update={"model": "/my cells.py:Cell", "task": "tasks:Mine"})
    assert resume_command(Path("runs/s"), own) == (
        "python -m search.run --name s --resume --model '/my cells.py:Cell' --task tasks:Mine"
    )


def test_the_server_of_an_object_store_is_in_every_command(monkeypatch):
    endpoint = "http://127.0.0.1:9000"
    study = parse_storage(f"s3://bucket/runs?endpoint_override={endpoint}") / "s"
    resume = resume_command(study, CONFIG)
    assert resume == (
        "python -m search.run --name s --storage "
        f"'s3://bucket/runs?endpoint_override={endpoint}' --resume"
    )
    assert f"--replay 's3://bucket/runs/s?endpoint_override={endpoint}' T3" in replay_command(
        study, "T3", CONFIG
    )


def test_what_the_command_says_leads_to_the_same_study(tmp_path):
    command = resume_command(tmp_path / "s", CONFIG, "auto")
    args = make_parser().parse_args(shlex.split(command)[3:])
    assert (args.address, args.resume) == ("auto", True)
    assert study_path(args.storage, args.name) == tmp_path / "s"


def test_several_studies_are_resumed_by_the_command_that_made_them():
    words = ["--model", "gru", "my cells.py:Cell", "--retry-failed", "--resume", "--trials", "9"]
    assert resume_all_command(words) == (
        "python -m search.run --model gru 'my cells.py:Cell' --trials 9 --resume"
    )


def test_several_studies_are_compared_by_one_command():
    assert compare_command(Path("runs/a"), Path("my runs/b")) == (
        "python -m analysis.compare runs/a 'my runs/b'"
    )
