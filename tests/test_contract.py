"""What the packages must agree on although they do not import one another."""

import base64
import dataclasses
import re
import subprocess
import sys

import yaml
from searches import ROOT

import copytask
from analysis.report.page.studies import config_download
from analysis.tables.comparison import COMPARISON
from copytask import MODELS, TASKS
from copytask.models import architecture_keywords
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config
from search.config.space import ARCHITECTURE, STUDY_FIELDS, TRAINING_FIELDS, architecture_types
from search.run import main
from studies import format as files
from studies.columns import PROGRESS
from studies.reserved import HYPERPARAMETERS, RESERVED


def test_chance_and_solved_are_the_same_for_a_training_and_for_its_files():
    assert TASKS["delay"].chance_accuracy == files.CHANCE_ACCURACY
    assert files.SOLVED_ACCURACY == copytask.SOLVED_ACCURACY


def test_progress_columns_are_what_a_training_iteration_reports():
    reported = {"model", "task", "T", "trial_id", *copytask.Metrics.__dataclass_fields__}
    assert set(PROGRESS.names) <= reported


def test_no_hyperparameter_of_ours_has_the_name_of_another_column():
    assert set(COMPARISON.names) <= RESERVED | set(HYPERPARAMETERS)
    ours = [TRAINING_FIELDS, *map(architecture_types, MODELS)]
    assert not RESERVED & {name for names in ours for name in names}


def test_copytask_needs_neither_ray_nor_optuna_nor_pandas():
    script = (
        "import sys, copytask;"
        "print([m for m in ('ray', 'optuna', 'pandas', 'pydantic', 'search') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"


def test_the_configuration_that_the_page_offers_is_one_that_the_search_takes(
    tmp_path, monkeypatch, capsys
):
    config = load_config(DEFAULT_CONFIG, [], {"model": "gru", "search.seed": 3})
    values = config.model_dump(mode="json")  # what study.yaml has
    name, uri = config_download("gru-delay", values)
    offered = tmp_path / name
    offered.write_bytes(base64.b64decode(uri.split(",")[1]))
    monkeypatch.chdir(tmp_path)
    assert main(["--config", str(offered), "--name", "again", "--dry-run"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == values


def test_the_table_of_all_settings_has_them_with_their_defaults():
    text = (ROOT / "docs" / "training.md").read_text().partition("## All settings")[2]
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", text.partition("\n## ")[0], re.MULTILINE)
    fields = {field.name: field.default for field in dataclasses.fields(copytask.TrainingConfig)}
    expected = {name: fields[name] for name in fields if name not in (*STUDY_FIELDS, ARCHITECTURE)}
    assert {name: yaml.safe_load(value) for name, value in rows} == expected


def test_every_model_is_described_with_its_hyperparameters_and_their_defaults():
    text = (ROOT / "docs" / "models.md").read_text()
    described = {}
    for heading, section in re.findall(r"^## (`.+)\n([\s\S]+?)(?=^## |\Z)", text, re.MULTILINE):
        rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", section, re.MULTILINE)
        for model in re.findall(r"`(\w+)`", heading):
            described[model] = {name: yaml.safe_load(value) for name, value in rows}
    assert described == {
        model: {name: keyword.default for name, keyword in architecture_keywords(factory).items()}
        for model, factory in MODELS.items()
    }


def test_every_task_is_described_and_drawn_as_in_its_docstring():
    text = (ROOT / "docs" / "task.md").read_text()
    drawn = {}
    for name, section in re.findall(r"^## `(\w+)`\n([\s\S]+?)(?=^## )", text, re.MULTILINE):
        (rows,) = re.findall(r"^input (.+)\ntarget (.+)$", section, re.MULTILINE)
        drawn[name] = [row.split() for row in rows]
    assert set(drawn) == set(TASKS)
    for name, task in TASKS.items():
        for rows in re.findall(r"tokens (.+)\n +targets (.+)", task.__doc__ or ""):
            assert [row.split() for row in rows] == drawn[name]
