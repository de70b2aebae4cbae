"""``--list --json`` and ``--show --json``: keys that programs can rely on."""

import json
import re
import shutil
import subprocess

import pytest
from made_studies import make_config, report, search, start
from searches import ROOT

from search.console import as_json
from search.run import main
from search.study.study import Study
from studies import format as files

HEAD = ["study", "path", "state", "error", "model", "task", "created", "seconds", "lengths"]


@pytest.fixture
def storage(tmp_path):
    """A study with a T that is done and one that is not, and one that cannot be read."""
    study = Study.create(tmp_path / "s", make_config(trials=3))
    search(study, 5, accuracy=0.9969)
    study.begin_length(9, [])
    start(study, "T9-0000", 9)
    report(study, "T9-0000", 1, 0.4)
    start(study, "T9-0001", 9)
    study.fail_trial("T9-0001", "training diverged at step 3")
    study.close()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / files.EVENTS_FILE).touch()
    return tmp_path


def printed(capsys, *arguments: object) -> str:
    assert main([*map(str, arguments), "--json"]) == 0
    return capsys.readouterr().out


def test_a_list_has_the_same_keys_for_each_study_also_for_a_broken_one(storage, capsys):
    study, lost = json.loads(printed(capsys, "--list", "--storage", storage))
    assert sorted(study) == sorted(lost) == sorted(HEAD)
    assert (study["study"], study["state"], study["error"]) == ("s", "interrupted", None)
    assert (lost["state"], lost["lengths"]) == ("broken", [])
    assert "study.yaml" in lost["error"]
    done, begun = study["lengths"]
    assert (done["T"], done["done"], done["limit"], done["trials"]) == (5, True, "trials", 1)
    assert done["best"]["test_accuracy"] == 0.9969
    assert done["best"]["hyperparameters"] == {"learning_rate": 1e-3, "hidden_size": 8}
    assert done["best"]["checkpoint"] == f"{storage}/s/checkpoints/T=5"
    assert (begun["done"], begun["limit"], begun["statuses"]["failed"]) == (False, None, 1)
    assert (begun["best"]["trial_id"], begun["best"]["test_accuracy"]) == ("T9-0000", None)
    assert begun["confirmed"] is None


def test_an_empty_storage_is_an_empty_list(tmp_path, capsys):
    assert json.loads(printed(capsys, "--list", "--storage", tmp_path)) == []


def test_a_study_that_is_shown_has_more_and_two_are_a_list(storage, capsys):
    study = json.loads(printed(capsys, "--show", "s", "--storage", storage))
    assert study.keys() == {*HEAD, "config", "provenance", "failures", "commands"}
    assert study["config"]["search"]["trials"] == 3
    assert study["failures"] == {"training diverged at step 3": 1}
    assert study["commands"]["resume"].endswith("--resume")
    two = json.loads(printed(capsys, "--show", "s", "s", "--storage", storage))
    assert two == [study, study]


def test_what_json_does_not_know_is_null():
    assert json.loads(as_json.text({"a": [float("inf"), {3: float("nan")}]})) == {
        "a": [None, {"3": None}]
    }


def test_numbers_are_printed_without_noise():
    text = as_json.text([0.19490000000000005, 0.0012345678912, 10**12])
    assert text.split() == ["[", "0.1949,", "0.001234567891,", "1000000000000", "]"]


@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
def test_jq_reads_it(storage, capsys):
    out = printed(capsys, "--list", "--storage", storage)
    query = '.[] | select(.state != "broken") | .lengths[] | select(.done) | .best.test_accuracy'
    found = subprocess.run(["jq", query], input=out, capture_output=True, text=True, check=True)
    assert found.stdout == "0.9969\n"


def test_the_documentation_explains_every_key(storage, capsys):
    page = (ROOT / "docs" / "searching.md").read_text(encoding="utf-8")
    section = page.partition("### As JSON")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`(\w+)`", section))
    study = json.loads(printed(capsys, "--show", "s", "--storage", storage))
    done = study["lengths"][0]
    assert {*study, *done, *done["best"]} <= explained
