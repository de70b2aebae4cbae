"""Which studies a command line asks for, and with which configurations."""

from pathlib import Path

import pytest
import yaml

from copytask.models import MODELS
from search.errors import UserError
from search.execute.requested_study import RequestedStudy, overrides_of, requested_studies
from search.run import main, make_parser
from search.study.study import Study

FAST = ["--set", "training.precision=fp32"]

CELLS = """
from torch import nn

class Plain(nn.RNN):
    pass
"""


def requested(tmp_path: Path, *arguments: str) -> list[RequestedStudy]:
    words = ["--storage", str(tmp_path / "runs"), *FAST, *arguments]
    return requested_studies(make_parser().parse_args(words))


def test_each_model_has_the_study_that_it_would_have_alone(tmp_path):
    several = requested(tmp_path, "--model", "lstm", "mgru", "transformer", "--T", "7")
    alone = [
        requested(tmp_path, "--model", name, "--T", "7")[0]
        for name in ("lstm", "mgru", "transformer")
    ]
    assert several == alone
    assert [study.path.name for study in several] == [
        "lstm-delay", "mgru-delay", "transformer-delay"
    ]  # fmt: skip


def test_all_means_every_built_in_model_and_yours_come_beside_them(tmp_path, monkeypatch):
    (tmp_path / "cells.py").write_text(CELLS)
    monkeypatch.chdir(tmp_path)
    studies = requested(tmp_path, "--model", "cells.py:Plain", "all", "gru")
    names = [study.path.name.removesuffix("-delay") for study in studies]
    assert names[0] == "cells.Plain"
    assert sorted(names[1:]) == sorted(MODELS)
    assert studies[0].config.model == f"{tmp_path}/cells.py:Plain"


def test_the_budget_is_divided_and_a_file_holds_for_all(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("search: {trials: 3, budget_minutes: 7}")
    studies = requested(tmp_path, "--model", "lstm", "gru", "--config", str(file))
    assert [study.config.search.budget_minutes for study in studies] == [7, 7]  # of each
    studies = requested(
        tmp_path, "--model", "lstm", "gru", "--config", str(file), "--budget-minutes", "40"
    )
    assert [study.config.search.budget_minutes for study in studies] == [20, 20]
    assert [study.config.search.trials for study in studies] == [3, 3]
    studies = requested(tmp_path, "--model", "lstm", "gru", "--budget-tokens", "3e6")
    assert [study.config.search.budget_tokens for study in studies] == [1_500_000] * 2


def test_a_setting_of_one_model_wins_over_that_of_all(tmp_path):
    studies = requested(
        tmp_path, "--model", "lstm", "gru", "--set", "gru.space.hidden_size=32",
        "--set", "space.hidden_size=16",
    )  # fmt: skip
    assert [study.config.space["hidden_size"] for study in studies] == [16, 32]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gru", ["search.trials=1"]),
        ("my/cells.py:Plain", ["search.trials=1", "space.hidden_size=3", "T=[4]"]),
    ],
)
def test_a_users_own_model_is_named_as_in_the_command_or_by_its_factory(model, expected):
    overrides = [
        "search.trials=1", "Plain.space.hidden_size=3", "my/cells.py:Plain.T=[4]",
    ]  # fmt: skip
    assert overrides_of(overrides, model, ["gru", "my/cells.py:Plain"]) == expected


def test_a_factory_with_the_name_of_a_section_does_not_take_its_settings():
    assert overrides_of(["space.x=1"], "gru", ["gru", "cells:space"]) == ["space.x=1"]


def test_a_name_precedes_those_of_several_studies(tmp_path):
    studies = requested(tmp_path, "--model", "lstm", "gru", "--name", "wide")
    assert [study.path.name for study in studies] == ["wide-lstm-delay", "wide-gru-delay"]


def test_the_home_folder_is_meant_by_a_tilde_that_no_shell_has_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "cells.py").write_text(CELLS)
    (tmp_path / "mine.yaml").write_text('model: "~/cells.py:Plain"')
    (study,) = requested(tmp_path, "--config", "~/mine.yaml", "--storage", "~/studies")
    assert study.path == tmp_path / "studies" / "cells.Plain-delay"
    assert study.config.model == f"{tmp_path}/cells.py:Plain"


def make_study(tmp_path: Path, *arguments: str) -> None:
    (study,) = requested(tmp_path, *arguments)
    Study.create(study.path, study.config).close()


def test_resumed_some_studies_go_on_and_some_are_new(tmp_path):
    make_study(tmp_path, "--model", "gru", "--T", "7", "--budget-minutes", "5")
    words = ["--model", "lstm", "gru", "--T", "7", "--budget-minutes", "10"]
    with pytest.raises(UserError, match=r"^gru: the study .*gru-delay exists: continue it"):
        requested(tmp_path, *words)
    lstm, gru = requested(tmp_path, *words, "--resume")
    assert (lstm.exists, gru.exists) == (False, True)
    assert [study.config.search.budget_minutes for study in (lstm, gru)] == [5, 5]


def test_a_study_goes_on_by_the_command_that_began_it(tmp_path):
    """default.yaml lies below the values of a model, also when it is named."""
    words = ["--model", "transformer", "--config", "default.yaml"]
    make_study(tmp_path, *words)
    (study,) = requested(tmp_path, *words, "--resume")
    assert study.exists


def test_a_resumed_study_keeps_the_order_of_its_space(tmp_path):
    """Suggestions depend on it: most samplers draw one value after the other."""
    rate, size = "learning_rate: {low: 1e-4, high: 1e-2}", "hidden_size: {choices: [8, 16]}"
    (tmp_path / "a.yaml").write_text(f"model: gru\nspace: {{{rate}, {size}}}")
    (tmp_path / "b.yaml").write_text(
        f"model: gru\nspace: {{{size}, {rate.replace('1e-4', '0.0001')}}}"
    )
    make_study(tmp_path, "--config", str(tmp_path / "a.yaml"))
    (first,) = requested(tmp_path, "--config", str(tmp_path / "a.yaml"), "--resume")
    words = ["--config", str(tmp_path / "b.yaml"), "--trials", "99", "--resume"]
    (study,) = requested(tmp_path, *words)
    assert study.config.search.trials == 99
    assert list(study.config.space) == list(first.config.space)


def test_a_study_that_cannot_be_resumed_is_named(tmp_path):
    make_study(tmp_path, "--model", "gru", "--T", "7")
    with pytest.raises(UserError, match=r"^gru: .* was started with another T"):
        requested(tmp_path, "--model", "lstm", "gru", "--T", "8", "--resume")


def test_a_logger_of_ones_own_must_be_named_again(tmp_path, monkeypatch):
    """A study that somebody else has made must not choose which code runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from search.study.listener import Listener\nclass Mine(Listener): pass\n"
    )
    make_study(tmp_path, "--model", "gru", "--logger", "mine.py:Mine")
    again = ["--name", "gru-delay", "--resume"]
    with pytest.raises(UserError, match=r"study.yaml names the logger '.*mine.py:Mine'.*--logger"):
        requested(tmp_path, *again)
    [study] = requested(tmp_path, *again, "--logger", "mine.py:Mine")
    assert [Path(name).name for name in study.config.search.loggers] == ["mine.py:Mine"]
    [study] = requested(tmp_path, *again, "--logger", "wandb")
    assert study.config.search.loggers == ["wandb"]


def test_studies_of_one_command_share_slots_so_their_resources_are_the_same(tmp_path):
    with pytest.raises(UserError, match=r"^gru: its resources differ from those of lstm"):
        requested(tmp_path, "--model", "lstm", "gru", "--set", "gru.resources.cpus_per_trial=2")


def test_two_models_of_one_label_cannot_be_in_one_command(tmp_path, monkeypatch):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cells.py").write_text(CELLS)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^b/cells.py:Plain: another model of this command has"):
        requested(tmp_path, "--model", "a/cells.py:Plain", "b/cells.py:Plain")


def test_a_dry_run_prints_a_document_for_each_study(tmp_path, capsys):
    words = ["--model", "lstm", "gru", "--storage", str(tmp_path), "--dry-run"]
    assert main([*words, "--set", "gru.search.trials=3"]) == 0
    lstm, gru = yaml.safe_load_all(capsys.readouterr().out)
    assert (lstm["model"], gru["model"]) == ("lstm", "gru")
    assert (lstm["search"]["trials"], gru["search"]["trials"]) == (16, 3)
    assert list(tmp_path.iterdir()) == []
