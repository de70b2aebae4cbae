import shutil

import pytest
import yaml
from made_studies import make_config

from copytask import TrainingConfig
from copytask.models import architecture_keywords, find_factory
from search.config.layers import DEFAULT_CONFIG, TRAINING_DEFAULTS, completed, layered
from search.config.reading import load_config, override, read_yaml
from search.config.sections import ResourcesConfig, SearchConfig
from search.config.study_config import StudyConfig
from search.run import main
from search.study.study import Study
from search.study.study_file import read_config
from studies import format as files

SHIPPED = sorted(path for path in DEFAULT_CONFIG.parent.glob("*.yaml") if path != DEFAULT_CONFIG)
DEFAULTS = read_yaml(DEFAULT_CONFIG)
KEYWORDS = {
    name: keyword.default for name, keyword in architecture_keywords(find_factory("gru")).items()
}
"""Those of the model that the tests configure."""


def load(tmp_path, text: str, *overrides: str) -> StudyConfig:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    return load_config(file, overrides, {"model": "gru"})


def test_the_layer_of_the_task_is_below_that_of_the_model(tmp_path, monkeypatch):
    tasks, models = tmp_path / "tasks", tmp_path / "models"
    tasks.mkdir()
    models.mkdir()
    (tasks / "recite.yaml").write_text("training: {batch_size: 5, clip_norm: 2.0}")
    (models / "gru.yaml").write_text("training: {batch_size: 6}")
    monkeypatch.setattr("search.config.reading.FOLDERS", {"task": tasks, "model": models})
    training = load(tmp_path, "task: recite").training
    assert (training["batch_size"], training["clip_norm"]) == (6, 2.0)
    assert load(tmp_path, "task: delay").training["clip_norm"] == 1.0


@pytest.mark.parametrize("name", ["task=sequence", "model=transformer"])
def test_set_brings_the_layers_of_a_model_or_task_as_its_flag_does(name):
    key, _, value = name.partition("=")
    assert load_config(DEFAULT_CONFIG, [name], {"model": "gru"} if key == "task" else {}) == (
        load_config(DEFAULT_CONFIG, [], {"model": "gru", key: value})
    )


def test_long_payloads_are_tested_by_fewer_of_them():
    counts = {
        task: load_config(DEFAULT_CONFIG, [], {"model": "gru", "task": task}).search.test_payloads
        for task in ("delay", "sequence", "recall", "selective")
    }
    assert counts == {"delay": 2000, "sequence": 200, "recall": 200, "selective": 2000}


def test_the_defaults_in_python_are_those_of_the_default_configuration():
    """But for ``space`` and the initial configurations, which belong to a search."""
    config = load_config(DEFAULT_CONFIG, [], {"model": "gru"})
    in_python = StudyConfig(model="gru")
    assert (config.task, config.T) == (in_python.task, in_python.T)
    assert config.final == in_python.final
    assert config.resources == ResourcesConfig()
    assert config.search.model_copy(update={"initial": []}) == SearchConfig()
    training = config.training_config(
        100, {name: TRAINING_DEFAULTS[name] for name in config.space}, 0
    )
    assert training == TrainingConfig(model="gru", T=100, architecture=KEYWORDS)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_a_shipped_configuration_has_only_what_it_changes(file):
    values = read_yaml(file)
    for section, found in values.items():
        if section in ("training", "search", "final", "resources"):
            same = {k for k, v in found.items() if DEFAULTS[section].get(k, TRAINING_DEFAULTS) == v}
            assert not same, f"{section} repeats {same}"
        else:
            assert found != DEFAULTS.get(section)


@pytest.mark.parametrize("file", [DEFAULT_CONFIG, *SHIPPED], ids=lambda file: file.name)
def test_every_configuration_says_solved_by_as_many_payloads_but_where_it_says_so(file):
    config = load_config(file, [], {"model": "gru"})
    by_task = 200 if config.task == "delay" else 50
    expected = read_yaml(file).get("training", {}).get("validation_payloads", by_task)
    assert config.possible_values("validation_payloads") == [expected]


def test_sections_merge_key_by_key(tmp_path):
    config = load(
        tmp_path, "{training: {batch_size: 7}, search: {trials: 3}, final: {max_tokens: 9}}"
    )
    assert (config.training["batch_size"], config.training["max_tokens"]) == (7, 12_000_000)
    assert (config.search.trials, config.search.solved_trials) == (3, 2)
    assert config.final == {**DEFAULTS["final"], "max_tokens": 9}
    assert list(config.space) == list(DEFAULTS["space"])
    assert config.initial_points() == DEFAULTS["search"]["initial"]


def test_a_space_replaces_the_whole_space_with_its_initial_configurations(tmp_path):
    config = load(tmp_path, "space: {learning_rate: {low: 1.0e-3, high: 1.0e-2}}")
    assert list(config.space) == ["learning_rate"]
    assert config.search.initial == []
    assert config.training["hidden_size"] == TRAINING_DEFAULTS["hidden_size"]
    given = "space={learning_rate: {low: 1.0e-3, high: 1.0e-2}}"
    assert load(tmp_path, "{}", given) == config
    point = "search.initial=[{learning_rate: 2.0e-3}]"
    for texts in ((given, point), (point, given)):
        assert load(tmp_path, "{}", *texts).initial_points() == [{"learning_rate": 2e-3}]
    own = "{space: {clip_norm: {low: 1, high: 2}}, search: {initial: [{clip_norm: 1.5}]}}"
    assert load(tmp_path, own).initial_points() == [{"clip_norm": 1.5}]


def test_a_list_is_replaced_as_a_whole(tmp_path):
    config = load(tmp_path, "{T: [7], search: {initial: [{hidden_size: 64}]}}")
    assert (config.T, config.search.initial) == ([7], [{"hidden_size": 64}])


def test_what_training_fixes_above_is_not_searched_any_more(tmp_path):
    for config in (
        load(tmp_path, "training: {hidden_size: 32}"),
        load(tmp_path, "{}", "training.hidden_size=32"),
    ):
        assert config.possible_values("hidden_size") == [32]
        assert {"learning_rate", "curriculum_length"} == set(config.dimensions())
        assert "hidden_size" not in config.initial_points()[0]


def test_a_dry_run_prints_every_value_that_a_trial_gets(tmp_path, capsys):
    file = tmp_path / "own.yaml"
    file.write_text("{model: gru, T: 5, space: {learning_rate: 1.0e-3}}")
    assert main(["--config", str(file), "--dry-run", "--storage", str(tmp_path)]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    expected = TrainingConfig(model="gru", T=5, learning_rate=1e-3, architecture=KEYWORDS).to_dict()
    del expected["seed"]  # of each trial
    found = {
        "model": "gru",
        "T": 5,
        "task": printed["task"],
        "architecture": printed["architecture"],
        **printed["training"],
        **printed["space"],
    }
    assert found == expected


@pytest.fixture
def earlier_study(tmp_path):
    """A study whose study.yaml has what an earlier version wrote: only what was given."""
    path = tmp_path / "s"
    Study.create(path, make_config(T=[5])).close()
    document = yaml.safe_load((path / files.STUDY_FILE).read_text())
    document["config"]["training"] = {"max_tokens": 1000, "tokens_per_iteration": 100}
    del document["config"]["final"], document["config"]["search"]["patience"]
    (path / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    return path


def test_a_study_with_what_its_cell_never_got_goes_on_without_it(earlier_study):
    """An earlier version recorded keywords that are named as fields of a training."""
    file = earlier_study / files.STUDY_FILE
    document = yaml.safe_load(file.read_text())
    document["config"]["architecture"]["growth"] = 2.0
    file.write_text(yaml.safe_dump(document))
    assert "growth" not in read_config(earlier_study).architecture


def test_a_study_keeps_its_values_when_defaults_change(earlier_study, capsys):
    config = read_config(earlier_study)
    assert config.training["batch_size"] == config.training["validation_payloads"] == 64
    assert config.search.patience is None
    assert config.final == {"stop_when_solved": False, "validation_payloads": 500}
    given = earlier_study.parent / "given.yaml"
    given.write_text("{model: gru, training: {max_tokens: 1000}, search: {trials: 99}}")
    options = ["--name", "s", "--storage", str(earlier_study.parent), "--resume", "--dry-run"]
    for more in ([], ["--config", str(given)]):
        assert main([*options, *more]) == 0
        printed = yaml.safe_load(capsys.readouterr().out)
        assert printed["training"] == config.training
        assert printed["space"] == config.space
    assert printed["search"]["trials"] == 99


def test_studies_that_differ_in_what_was_written_alone_have_no_difference(earlier_study, capsys):
    same = shutil.copytree(earlier_study, earlier_study.parent / "same")
    document = yaml.safe_load((same / files.STUDY_FILE).read_text())
    document["config"] = read_config(same).model_dump(mode="json")
    (same / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    assert main(["--show", "s", "same", "--storage", str(earlier_study.parent)]) == 0
    assert "nothing" in capsys.readouterr().out.partition("What differs")[2]


def test_what_is_searched_is_not_in_training_as_well():
    values = completed(
        {"training": {"batch_size": 7}, "space": {"batch_size": {"choices": [3]}}}, {}
    )
    assert "batch_size" not in values["training"]
    assert "seed" not in values["training"]  # else all trials would have the same


def test_a_keyword_where_earlier_versions_had_it_wins_over_what_is_below(tmp_path):
    below = {"model": "gru", "architecture": KEYWORDS}
    above = layered(below, {"training": {"forget_bias": 2.0}})
    assert StudyConfig.model_validate(above).architecture["forget_bias"] == 2.0
    changed = override(below, ["training.forget_bias=3.0"], {}, "study.yaml")
    assert changed.architecture == {**KEYWORDS, "forget_bias": 3.0}
