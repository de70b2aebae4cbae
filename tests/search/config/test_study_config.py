from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from copytask import TrainingConfig
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config
from search.config.space import TRAINING_FIELDS
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.execute.requested_study import CONFIG_FLAGS
from search.run import main


def load(tmp_path, text="", overrides=(), **flags) -> StudyConfig:
    file = tmp_path / "study.yaml"
    file.write_text(text or "model: gru")
    return load_config(file, overrides, flags)


def fault(tmp_path, text="", overrides=(), **flags) -> str:
    with pytest.raises(UserError) as error:
        load(tmp_path, text, overrides, **flags)
    message = str(error.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("file", sorted(DEFAULT_CONFIG.parent.glob("*.yaml")), ids=lambda f: f.name)
def test_the_shipped_configurations_are_valid(file):
    load_config(file, [], {"model": "mgru"})


def test_flags_win_over_overrides_and_these_over_the_file(tmp_path):
    text = "{model: gru, search: {trials: 3, seed: 3, startup_trials: 3}}"
    overrides = ["search.trials=4", "search.seed=4"]
    search = load(tmp_path, text, overrides, **{"search.trials": 5}).search
    assert (search.trials, search.seed, search.startup_trials) == (5, 4, 3)


def test_yaml_numbers_without_a_dot_are_numbers(tmp_path):
    # YAML 1.1 reads 1e-3 as text.
    text = (
        "{model: gru, training: {clip_norm: 1e-1}, space: {learning_rate: {low: 1e-3, high: 1e-2}}}"
    )
    config = load(tmp_path, text, ["space.hidden_size=64"])
    training = config.training_config(5, {"learning_rate": 2e-3}, seed=1)
    assert (training.clip_norm, training.learning_rate, training.hidden_size) == (0.1, 2e-3, 64)


def test_choices_and_initial_points_have_the_type_of_their_field(tmp_path):
    config = load(
        tmp_path,
        overrides=[
            "space.learning_rate={choices: [1e-3, 1e-2]}",
            "space.clip_norm=1e0",
            "search.initial=[{learning_rate: 1e-2}]",
        ],
    )
    assert config.dimensions()["learning_rate"].examples() == [0.001, 0.01]
    assert config.training_config(5, {}, seed=0).clip_norm == 1.0
    assert config.initial_points() == [{"learning_rate": 0.01}]


def test_T_is_sorted_and_unique_and_may_be_one_length(tmp_path):
    assert load(tmp_path, T=[200, 100, 200]).T == [100, 200]
    assert load(tmp_path, "{model: gru, T: 50}").T == [50]
    assert load(tmp_path, overrides=["T=50"]).T == [50]


@pytest.mark.parametrize(
    ("text", "overrides", "expected"),
    [
        ("{model: lstmm}", [], "study.yaml: model: unknown model 'lstmm'; did you mean 'lstm'?"),
        ("{modle: lstm, model: lstm}", [], "unknown key 'modle'; did you mean 'model'?"),
        ("", ["search.trails=3"], "search.trails: unknown key 'trails'; did you mean 'trials'?"),
        ("{model: gru, search: {trails: 3}}", [], "study.yaml: search.trails: unknown key"),
        ("", ["training.batch_sze=3"], "did you mean 'batch_size'?"),
        ("", ["space.hidden=3"], "did you mean 'hidden_size'?"),
        ("", ["space.hidden_size=0"], "--set space.hidden_size: hidden_size must be >= 1"),
        ("", ["space.hidden_size={choices: [64, 0]}"], "hidden_size must be >= 1, but got 0"),
        ("", ["space.hidden_size={choices: []}"], "space.hidden_size: choices"),
        ("", ["space.learning_rate={choices: [1e-3, 0.001]}"],
         "space.learning_rate: choices has 0.001 twice"),
        ("", ["search.warm=[{T: 5, source: 5, trials: [], points: [], sorce: 1}]"],
         "search.warm.0.sorce: unknown key 'sorce'; did you mean 'source'?"),
        ("", ["space.learning_rate={low: 2, high: 1}"], "low < high must hold"),
        ("", ["space.learning_rate={low: -1, high: 1}"], "must be > 0 and finite, but got -1"),
        ("", ["space.learning_rate={low: 0, high: 1, log: true}"], "a log range needs low > 0"),
        ("", ["space.learning_rate={low: 1}"], "high: is missing"),
        ("", ["space.weight_decay={low: 0, high: .inf, step: 1}"],
         "space.weight_decay: high: input should be a finite number, but got inf"),
        ("", ["space.learning_rate={low: 1, hihg: 2}"], "space.learning_rate"),
        ("", ["space.learning_rate=[1, 2]"], "expected a range"),
        ("", ["space.learning_rate=fast"], "valid number"),
        ("", ["space.curriculum_length={low: 1.5, high: 3}"], "whole numbers"),
        ("", ["space.hidden_size={low: 8, high: 20, step: 5}"], "space.hidden_size: high must be"),
        ("", ["space.forget_bias={choices: [1], when: {gate: refined}}"], "did you mean 'gates'"),
        (
            "", ["space.gates={choices: [plain]}",
                 "space.forget_bias={choices: [1], when: {gates: refined}}"],
            "space.forget_bias: when: gates is never 'refined' in this space",
        ),
        (
            "", ["space.forget_bias={choices: [1], when: {gates: plain}}",
                 "space.gates={choices: [plain], when: {forget_bias: 1}}"],
            "in a circle",
        ),
        ("", ["search.sampler=grid"], "space.learning_rate: a range without a step has no grid"),
        ("", ["training.clip_norm=-1"], "clip_norm must be >= 0"),
        ("", ["final.max_tokens=0"], "--set final.max_tokens: max_tokens must be >= 1"),
        ("", ["final.max_token=9"], "final.max_token: unknown key 'max_token'; did you mean"),
        ("", ["final.max_tokens=many"], "--set final.max_tokens: input should be a valid integer"),
        ("", ["search.patience=0"], "--set search.patience: input should be greater than"),
        ("", ["search.confirm_seeds=-1"], "--set search.confirm_seeds: input should be greater"),
        ("", ["training.optimizer=adamm"], "optimizer must be one of adam"),
        ("", ["T=[]"], "--set T: needs at least one length"),
        ("", ["T=[0]"], "each >= 1, but got [0]"),
        ("", ["task=dely"], "unknown task 'dely'; did you mean 'delay'?"),
        ("", ["search.trials=0"], "--set search.trials: input should be greater than"),
        ("", ["search.initial=[{\"hidden\": 3}]"], "did you mean 'hidden_size'?"),
        ("", ["search.initial=[{\"hidden_size\": 0}]"], "hidden_size must be >= 1"),
        ("", ["resources.cpus_per_trial=0"], "greater than 0"),
        ("", ["model.x=1"], "'model' holds a value, not keys"),
        ("", ["search.trials"], "expected key.path=value"),
        ("", ["T=[1"], "line 1, column 3: not valid YAML"),
        ("{task: delay}", [], "which model?"),
        ("model: [", [], "study.yaml, line 1, column 9: not valid YAML"),
        ("- a", [], "expected a mapping of keys, but got list"),
        ("{model: nowhere.cells:Cell}", [], "cannot be imported: ModuleNotFoundError"),
        ("{model: 'torch.nn:Linear'}", [], "must return (outputs, state)"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_that_says_what_where_and_the_nearest(
    tmp_path, text, overrides, expected
):
    assert expected in fault(tmp_path, text, overrides)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*nowhere\.yaml: No such file"):
        load_config(tmp_path / "nowhere.yaml", [], {"model": "gru"})


def test_every_training_field_can_be_fixed_and_be_searched(tmp_path):
    example = TrainingConfig(model="gru", T=5)
    for name in TRAINING_FIELDS:
        value = getattr(example, name)
        fixed = load(tmp_path, overrides=[f"training.{name}={yaml.safe_dump(value).split()[0]}"])
        assert getattr(fixed.training_config(5, {}, seed=0), name) == value
        searched = load(
            tmp_path, overrides=[f"space.{name}={{choices: [{yaml.safe_dump(value).split()[0]}]}}"]
        )
        assert searched.dimensions()[name].examples() == [value]


def test_sampled_values_override_fixed_ones(tmp_path):
    config = load(tmp_path, overrides=["training.batch_size=7", "space.batch_size={choices: [3]}"])
    assert config.training_config(5, {"batch_size": 3}, seed=0).batch_size == 3


def test_initial_points_keep_what_the_space_has(tmp_path):
    point = "{learning_rate: 0.003, hidden_size: 64, curriculum_length: 1500}"
    config = load(tmp_path, overrides=[f"search.initial=[{point}]", "space.hidden_size=32"])
    assert config.initial_points() == [{"learning_rate": 0.003, "curriculum_length": 1500}]
    config = load(
        tmp_path,
        overrides=[
            f"search.initial=[{point}]",
            "space.hidden_size={choices: [32]}",
            "space.curriculum_length={low: 1, high: 10}",
        ],
    )
    assert config.initial_points() == [{"learning_rate": 0.003}]


def test_possible_values(tmp_path):
    config = load(
        tmp_path,
        overrides=["training.max_tokens=77", "space.batch_size={low: 3, high: 9}"],
    )
    assert config.possible_values("max_tokens") == [77]
    assert config.possible_values("batch_size") == [3, 9]
    assert config.possible_values("clip_norm") == [TrainingConfig(model="gru", T=1).clip_norm]


def test_the_final_training_is_the_winners_but_for_what_the_section_says(tmp_path):
    config = load(tmp_path, overrides=["final.max_tokens=7000"])
    winner = config.training_config(5, {"learning_rate": 2e-3, "hidden_size": 8}, seed=1)
    final = config.final_training(winner.to_dict())
    changes = {
        "max_tokens": 7000, "decay_share": 0.9, "stop_when_solved": False,
        "validation_payloads": 500,
    }  # fmt: skip
    assert final.to_dict() == {**winner.to_dict(), **changes}


def test_the_measured_precision_replaces_auto_alone(tmp_path):
    config = load(tmp_path)
    assert config.measure_precision() in {"fp32", "bf16"}
    assert config.with_precision("bf16").training["precision"] == "bf16"
    assert config.with_precision("auto") == config  # of a study made before there was a choice
    named = load(tmp_path, overrides=["training.precision=fp32"])
    assert named.with_precision("bf16") == named
    searched = load(tmp_path, overrides=["space.precision={choices: [fp32, bf16]}"])
    assert searched.with_precision("bf16") == searched


def test_the_precision_is_measured_with_what_the_space_has(tmp_path):
    text = """
        model: transformer
        architecture: {clock: none}
        space: {addressing: {choices: [content]}, hidden_size: {choices: [32, 64]}}
    """
    assert load(tmp_path, text).measure_precision() == "fp32"


def test_an_architecture_has_the_first_values_unless_one_needs_another(tmp_path):
    text = """
        model: mgru
        architecture: {input_gated: true}
        space:
            hidden_size: {choices: [32, 64]}
            gates: {choices: [plain, refined]}
            forget_bias: {low: 1, high: 3, when: {gates: refined}}
    """
    config = load(tmp_path, text)
    plain = config.architecture_with("hidden_size", 64)
    assert plain.items() >= {"input_gated": True, "gates": "plain"}.items()
    assert "forget_bias" not in plain
    biased = config.architecture_with("forget_bias", 3.0)
    assert biased.items() >= {"input_gated": True, "gates": "refined", "forget_bias": 3.0}.items()


FLAG_VALUES = {
    "model": "lstm", "task": "sequence", "T": "7", "trials": "3", "budget_minutes": "2.5",
    "budget_tokens": "500000",
    "reach": "2048", "final": None, "confirm_seeds": "5", "seed": "9", "sampler": "random",
    "scheduler": "none",
    "cpus_per_trial": "0.5", "gpus_per_trial": "0.25", "max_concurrent": "1",
    "mixed": None, "autoscale": None, "tensorboard": None, "logger": "tensorboard",
}  # fmt: skip


NEEDED = {"mixed": ["--gpus-per-trial", "0.5"], "autoscale": ["--max-concurrent", "3"]}


@pytest.mark.parametrize("flag", CONFIG_FLAGS)
def test_every_flag_changes_the_resolved_configuration(flag, capsys, tmp_path):
    value = FLAG_VALUES[flag]
    storage = ["--dry-run", "--storage", str(tmp_path)]

    def resolved(*extra):
        assert main(["--model", "gru", *storage, *extra]) == 0
        return yaml.safe_load(capsys.readouterr().out)

    path = CONFIG_FLAGS[flag].split(".")
    option = ["--" + flag.replace("_", "-"), *([value] if value else [])]
    needed = NEEDED.get(flag, [])
    before, after = resolved(*needed), resolved(*needed, *option)
    for key in path:
        before, after = before[key], after[key]
    assert before != after
    given = yaml.safe_load(value or "true")
    assert after == ([given] if flag in ("T", "logger") else given)
    assert list(tmp_path.iterdir()) == []  # a dry run writes nothing


def test_every_hidden_size_must_fit_the_architecture(tmp_path):
    text = """
        model: transformer
        architecture: {addressing: content}
        space: {hidden_size: {choices: [32, 50]}, heads: {choices: [1, 2]}}
    """
    assert "space.heads: hidden_size must be a multiple of 2 x heads" in fault(tmp_path, text)
    text = (
        "{model: transformer, architecture: {heads: 2, addressing: content}, "
        "space: {hidden_size: {choices: [8, 10]}}}"
    )
    assert "hidden_size must be a multiple of 2 x heads" in fault(tmp_path, text)


def test_searched_keywords_are_tried_with_one_another(tmp_path):
    text = """
        model: transformer
        space: {addressing: {choices: [content]}, clock: {choices: [none, absolute]}}
    """
    assert load(tmp_path, text).dimensions()["clock"].choices == ["none", "absolute"]


def test_a_value_that_only_some_others_allow_is_searched_with_these(tmp_path):
    """`implementation: torch` computes plain gates only."""
    torch_too = "space.implementation={choices: [fused, torch]%s}"
    overrides = ["space.gates={choices: [refined, plain]}"]
    with pytest.raises(UserError, match="implementation torch computes plain gates only"):
        load(tmp_path, overrides=[*overrides, torch_too % ""])
    config = load(tmp_path, overrides=[*overrides, torch_too % ", when: {gates: plain}"])
    for values in ({"gates": "plain", "implementation": "torch"}, {"gates": "refined"}):
        training = config.training_config(5, {"learning_rate": 0.002, **values}, seed=1)
        assert training.architecture.items() >= values.items()
    assert "implementation" not in training.architecture  # its default


class Keywords(nn.GRU):
    """A cell whose keywords are of all kinds."""

    def __init__(
        self, input_size, hidden_size, depth: int | None = None, share: "float | str | None" = None,
        growth: float = 2.0, device=None, activation=torch.tanh, norm=nn.LayerNorm,
        act: str = torch.relu, inner: nn.Module | None = None,
    ):  # fmt: skip
        super().__init__(input_size, hidden_size)


KEYWORDS = f"model: {__name__}:Keywords"


def test_a_keyword_of_a_users_cell_may_also_be_none(tmp_path):
    config = load(tmp_path, KEYWORDS, ["architecture.depth=3", "architecture.share=1e-1"])
    assert config.architecture == {"depth": 3, "share": 0.1, "inner": None}
    assert load(tmp_path, KEYWORDS, ["architecture.depth=null"]).architecture["depth"] is None
    assert load(tmp_path, KEYWORDS, ["architecture.share=all"]).architecture["share"] == "all"
    assert "architecture.depth" in fault(tmp_path, KEYWORDS, ["architecture.depth=1.5"])


@pytest.mark.parametrize("name", ["growth", "device", "activation", "norm"])
def test_a_keyword_that_is_a_field_of_a_training_or_that_no_file_can_hold_stays(tmp_path, name):
    config = load(tmp_path, KEYWORDS)
    assert name not in config.architecture
    plain = {"depth": None, "share": None, "inner": None}
    assert config.training_config(5, {}, seed=0).architecture == plain
    assert f"architecture.{name}: unknown" in fault(tmp_path, KEYWORDS, [f"architecture.{name}=1"])


def test_a_keyword_that_has_an_object_and_takes_a_word_can_be_set_and_searched(tmp_path):
    assert load(tmp_path, KEYWORDS, ["architecture.act=tanh"]).architecture["act"] == "tanh"
    config = load(tmp_path, KEYWORDS, ["space.act={choices: [relu, tanh]}"])
    assert config.training_config(5, {"act": "relu"}, seed=0).architecture["act"] == "relu"


def test_a_fixed_hyperparameter_of_an_architecture_has_its_type(tmp_path):
    """YAML reads 1e-1 as text."""
    config = load(tmp_path, "model: gru", ["architecture.forget_bias=1e-1"])
    assert config.architecture["forget_bias"] == 0.1


def test_a_range_of_a_whole_number_that_may_be_none_has_whole_numbers(tmp_path):
    config = load(tmp_path, KEYWORDS, ["space.depth={low: 1, high: 4}"])
    assert config.dimensions()["depth"].value_of(2.4) == 2


def test_the_default_configuration_by_its_path_is_the_default(monkeypatch):
    monkeypatch.chdir(DEFAULT_CONFIG.parent)
    model = {"model": "transformer"}
    assert load_config(Path("default.yaml"), [], model) == load_config(DEFAULT_CONFIG, [], model)
