import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from made_studies import agenda_of, make_checkpoint, make_config, read, report, start
from searches import ROOT

from copytask import compiled_kernels, load_model
from search.decide.agenda import first_configurations
from search.errors import SearchFailedError, UserError
from search.run import main
from search.study.event_log import FileLog, read_events
from search.study.overview import look
from search.study.study import Study
from studies import format as files
from studies.columns import BEST, PROGRESS, TRIALS


@pytest.fixture
def study(tmp_path) -> Study:
    return Study.create(tmp_path / "study", make_config())


def test_a_new_study_has_all_files_with_their_columns(study):
    for name, columns in [
        (files.TRIALS_FILE, TRIALS.names),
        (files.PROGRESS_FILE, PROGRESS.names),
        (files.BEST_FILE, BEST.names),
    ]:
        header = (study.path / name).read_text().strip().split(",")
        assert header == list(columns)
    document = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    assert document["schema_version"] == files.SCHEMA_VERSION
    assert document["config"]["space"]["hidden_size"] == {"choices": [8, 16]}
    assert {"torch", "ray", "optuna"} <= document["provenance"]["packages"].keys()
    assert document["provenance"]["kernels"] == (compiled_kernels() or "none")


def test_a_study_records_the_accuracy_of_guessing_in_its_task(tmp_path):
    own = make_config().model_copy(update={"task": f"{ROOT}/examples/running_sum.py:RunningSum"})
    for config, chance in ((make_config(), 0.1), (own, 0.2)):
        study = Study.create(tmp_path / f"study-{chance}", config)
        study.close()
        document = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
        assert document["chance_accuracy"] == study.history.chance_accuracy == chance
        assert look(study.path).history.chance_accuracy == chance


def test_a_trials_row_keeps_its_best_evaluation_and_its_last_counters(study):
    start(study, "a")
    for iteration, accuracy in enumerate([0.2, 0.8, 0.5], start=1):
        report(study, "a", iteration, accuracy, files.COMPLETED if iteration == 3 else "")
    study.write()
    (row,) = read(study.path / files.TRIALS_FILE)
    assert (row["validation_accuracy"], row["ladder_accuracy"]) == ("0.8", "0.4")
    assert (row["tokens"], row["seconds"], row["status"]) == ("300", "4.5", "completed")
    # The hyperparameter, not the decayed rate of the last iteration.
    assert (row["learning_rate"], row["hidden_size"], row["seed"]) == ("0.001", "8", "7")
    assert row["tokens_to_solve"] == row["error"] == ""
    assert [r["validation_accuracy"] for r in read(study.path / files.PROGRESS_FILE)] == [
        "0.2", "0.8", "0.5"
    ]  # fmt: skip


def test_hyperparameters_beyond_the_usual_have_columns_of_their_own(tmp_path):
    config = make_config()
    space = {**config.space, "batch_size": {"choices": [2, 4]}}
    study = Study.create(tmp_path / "study", config.model_copy(update={"space": space}))
    start(study, "a", batch_size=2)
    study.write()
    (row,) = read(study.path / files.TRIALS_FILE)
    assert list(row) == [*TRIALS.names, "batch_size"]
    assert row["batch_size"] == "2"


def test_a_trial_that_does_not_end_is_interrupted(study):
    start(study, "a")
    study.write()
    assert read(study.path / files.TRIALS_FILE)[0]["status"] == files.INTERRUPTED


def test_the_clock_counts_the_time_in_which_events_are_written(tmp_path, monkeypatch):
    """Also in a store that takes long for each; the budget is one of wall time."""
    now = 1000.0
    append = FileLog.append

    def append_slowly(*arguments, **options) -> None:
        nonlocal now
        now += 7
        append(*arguments, **options)

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(FileLog, "append", append_slowly)
    study = Study.create(tmp_path / "slow", make_config())
    for name in "abc":
        start(study, name)
    assert study.elapsed() == study.searched() == 21
    assert [event.elapsed for event in read_events(study.path)] == [0, 7, 14]
    study.close()
    now += 1000
    opened = Study.open(study.path)
    assert opened.elapsed() == 14  # all that the events know
    opened.close()


def first_of_9(study: Study) -> list[dict]:
    return first_configurations(study, 9)


def test_the_best_configurations_are_carried_to_the_next_T(study):
    for name, accuracy in [("a", 0.3), ("b", 0.9), ("c", 0.5), ("d", 0.1)]:
        start(study, name, learning_rate=accuracy / 100)
        report(study, name, 1, accuracy)
    assert first_of_9(study) == [
        {"learning_rate": accuracy / 100, "hidden_size": 8} for accuracy in (0.9, 0.5, 0.3)
    ]
    assert first_configurations(study, 5) == []


def test_initial_configurations_take_turns_with_the_carried_ones(tmp_path):
    initial = [{"learning_rate": 0.009}, {"learning_rate": 0.003, "hidden_size": 8}]
    study = Study.create(tmp_path / "study", make_config(initial=initial))
    for name, accuracy, rate in [("a", 0.3, 0.003), ("b", 0.9, 0.009)]:
        start(study, name, learning_rate=rate)
        report(study, name, 1, accuracy)
    assert first_configurations(study, 5) == initial
    assert first_of_9(study) == [
        {"learning_rate": 0.009, "hidden_size": 8},
        {"learning_rate": 0.009},
        {"learning_rate": 0.003, "hidden_size": 8},
    ]


def end_and_test(study: Study) -> None:
    """End the search at T = 5."""
    study.end_length(5, "trials")
    with agenda_of(study) as agenda:
        agenda.finish()


def test_the_checkpoint_of_the_best_evaluation_is_tested_and_kept(study):
    training = start(study, "a")
    for iteration, accuracy in [(1, 0.2), (2, 0.8), (3, 0.5)]:
        report(study, "a", iteration, accuracy)
    best = make_checkpoint(study, training, "a", 2)
    make_checkpoint(study, training, "a", 3)
    assert study.checkpoints.best(study.history.trials["a"]) == best
    end_and_test(study)
    (written,) = read(study.path / files.BEST_FILE)
    assert (written["trials"], written["trial_id"], written["validation_accuracy"]) == (
        "1", "a", "0.8"
    )  # fmt: skip
    assert float(written["accuracy_low"]) < float(written["accuracy"])
    kept = study.path / written["checkpoint"]
    assert load_model(kept).core.hidden_size == 8
    assert not best.exists()
    assert study.checkpoints.best(study.history.trials["a"]) == kept


def test_what_a_search_left_that_was_killed_while_it_copied_a_checkpoint_is_removed(study):
    checkpoint = make_checkpoint(study, start(study, "a"), "a")
    kept = study.path / "checkpoints" / "T=5"
    kept.mkdir(parents=True)
    (kept / "checkpoint.pt.0123.partial").write_bytes(b"half")
    assert study.checkpoints.keep(checkpoint, 5) == "checkpoints/T=5"
    assert [path.name for path in kept.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_that_somebody_has_removed_is_told(study):
    start(study, "a")
    report(study, "a", 1, 0.5)
    with pytest.raises(
        SearchFailedError, match=r"a cannot be tested: no intact checkpoint .*T=5/a"
    ):
        end_and_test(study)


@pytest.mark.parametrize("ahead", ["fails", "trains on without a gain"])
def test_the_best_that_ended_keeps_its_checkpoints_while_another_is_ahead(study, ahead):
    for name, tokens in [("ended", 300), ("ahead", 200)]:
        make_checkpoint(study, start(study, name), name)
        report(study, name, 1, 0.9, files.COMPLETED if name == "ended" else "", tokens=tokens)
    assert study.history.winner(5).id == "ahead"
    study.checkpoints.remove_unneeded(5)
    if ahead == "fails":
        study.fail_trial("ahead", "why")
    else:
        report(study, "ahead", 2, 0.9, files.COMPLETED, tokens=400)
    end_and_test(study)
    assert study.history.best[5].trial_id == "ended"


def test_while_a_T_is_searched_live_trials_and_the_best_one_keep_their_checkpoints(study):
    for name, accuracy, status in [
        ("weak", 0.3, files.COMPLETED), ("best", 0.9, files.COMPLETED), ("live", 0.1, ""),
        ("without a result", None, ""),
    ]:  # fmt: skip
        make_checkpoint(study, start(study, name), name)
        if accuracy is not None:
            report(study, name, 1, accuracy, status)
    study.checkpoints.remove_unneeded(5)
    folder = study.checkpoints.folder(study.history.trials["best"]).parent
    assert {path.name for path in folder.iterdir()} == {"best", "live", "without a result"}


def test_an_opened_study_equals_the_written_one_wherever_it_lies(study, tmp_path):
    training = start(study, "a")
    study.begin_length(5, [{"learning_rate": 1e-3}])
    report(study, "a", 1, 0.5, files.COMPLETED, tokens_to_solve=100)
    start(study, "c")
    study.retry_trial("c", "worker lost")
    make_checkpoint(study, training, "a", 1)
    end_and_test(study)
    start(study, "b", T=9)
    elapsed = study.elapsed()
    study.fail_trial("b", 'quotes ", commas and\nlines')
    study.write()
    study.close()
    shutil.copytree(study.path, tmp_path / "elsewhere" / "moved")

    opened = Study.open(tmp_path / "elsewhere" / "moved")
    assert opened.elapsed() >= elapsed - 0.001  # events have milliseconds
    assert (opened.config, opened.history.best, opened.history.lengths, opened.history.trials) == (
        study.config, study.history.best, study.history.lengths, study.history.trials
    )  # fmt: skip
    before = {f.name: f.read_bytes() for f in study.path.glob("*.csv")}
    opened.write()
    assert {f.name: f.read_bytes() for f in opened.path.glob("*.csv")} == before
    assert opened.checkpoints.best(opened.history.trials["a"]).is_relative_to(opened.path)


@pytest.mark.parametrize(
    ("limit", "less", "more"),
    [
        ("trials", {"trials": 16}, {"trials": 17}),
        ("solved_trials", {"solved_trials": 1, "trials": 99}, {"solved_trials": 3}),
        ("budget_minutes", {"budget_minutes": 5, "trials": 99}, {"budget_minutes": None}),
        ("budget_tokens", {"budget_tokens": 5, "trials": 99}, {"budget_tokens": 6}),
        ("patience", {"patience": 3, "trials": 99}, {"patience": 5}),
        ("patience", {"patience": 3, "trials": 99}, {"patience": None}),
    ],
)
def test_a_T_is_over_until_the_limit_that_ended_it_is_raised(tmp_path, limit, less, more):
    study = Study.create(tmp_path / "study", make_config(patience=4, budget_tokens=5))
    assert not study.history.is_over(5)
    study.end_length(5, limit)
    assert study.history.is_over(5)
    assert not study.history.is_over(9)

    def with_limits(**limits) -> bool:
        search = study.config.search.model_copy(update=limits)
        study.change_config(study.config.model_copy(update={"search": search}))
        return study.history.is_over(5)

    assert with_limits(**less)
    assert not with_limits(**more)


def test_study_yaml_tells_the_limits_of_a_resumed_study(study):
    before = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    search = study.config.search.model_copy(update={"trials": 99})
    study.change_config(study.config.model_copy(update={"search": search}))
    after = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    assert after["config"]["search"]["trials"] == 99
    assert after["provenance"] == before["provenance"]


def test_an_existing_study_is_not_overwritten(study):
    before = {f: f.read_bytes() for f in study.path.iterdir()}
    with pytest.raises(UserError, match="exists: continue it with --resume"):
        Study.create(study.path, study.config)
    assert {f: f.read_bytes() for f in study.path.iterdir()} == before
    assert [path.name for path in study.path.parent.iterdir()] == ["study"]


def test_a_study_whose_making_was_cut_off_is_made_again(tmp_path):
    (tmp_path / ".study.new").mkdir()
    (tmp_path / ".study.new" / files.STUDY_FILE).write_text("half")
    Study.create(tmp_path / "study", make_config()).close()
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
    Study.open(tmp_path / "study")


def test_two_searches_cannot_write_to_one_study(study):
    with pytest.raises(UserError, match="another process is searching in"):
        Study.open(study.path)
    study.close()
    Study.open(study.path).close()


def test_a_study_that_cannot_be_opened_is_told(study, tmp_path):
    study.close()
    with pytest.raises(UserError, match="no study to resume at"):
        Study.open(tmp_path / "none")
    events = study.path / files.EVENTS_FILE
    events.write_text("nonsense\n")
    with pytest.raises(UserError, match=r"events\.jsonl, line 1: no valid event"):
        Study.open(study.path)
    events.unlink()
    with pytest.raises(UserError, match="an earlier version made it"):
        Study.open(study.path)
    text = (study.path / files.STUDY_FILE).read_text()
    (study.path / files.STUDY_FILE).write_text(
        text.replace("schema_version: 1", "schema_version: 99")
    )
    with pytest.raises(UserError, match="schema version 99"):
        Study.open(study.path)


OWN = """
from pathlib import Path
from torch import nn

Path(__file__).with_name("ran").touch()


def factory(input_size, hidden_size, forget_bias=1.0, implementation="auto"):
    return nn.RNN(input_size, hidden_size)
"""


@pytest.fixture
def cell(tmp_path, monkeypatch) -> Iterator[Path]:
    """A module whose cell ``own_cell:factory`` can be imported; what it leaves when it is."""
    (tmp_path / "own_cell.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_cell", raising=False)
    yield tmp_path / "ran"
    sys.modules.pop("own_cell", None)


def test_the_module_of_a_cell_is_imported_only_if_the_user_names_it(study, cell, capsys):
    start(study, "a")
    study.write()
    study.close()
    events = study.path / files.EVENTS_FILE
    events.write_text(events.read_text().replace('"model":"gru"', '"model":"own_cell:factory"'))
    file = study.path / files.STUDY_FILE
    values = yaml.safe_load(file.read_text())
    values["config"] |= {"model": "own_cell:factory", "architecture": {}}
    file.write_text(yaml.safe_dump(values))
    where = ["--storage", str(study.path.parent), "--dry-run", "--name", "study"]
    ways = [[*where, "--resume"], [*where, "--resume", "--model", "gru"],
            ["--replay", str(study.path), "a"]]  # fmt: skip
    for arguments in ways:
        assert main(arguments) == 2
        told = capsys.readouterr().err
        assert "names the cell 'own_cell:factory'. Its trials run that code" in told
        assert told.endswith("add --model own_cell:factory\n")
        assert told.count("\n") == 1
    with pytest.raises(UserError, match="add --model own_cell:factory"):
        Study.open(study.path)
    assert not cell.exists()
    assert main([*where, "--resume", "--model", "own_cell:factory"]) == 0
    assert cell.exists()
    Study.open(study.path, "own_cell:factory").close()


@pytest.mark.parametrize(("key", "own"), [("model", "gru"), ("task", "delay")])
def test_events_do_not_choose_another_model_or_task(study, cell, key, own):
    start(study, "a")
    study.close()
    file = study.path / files.EVENTS_FILE
    file.write_text(file.read_text().replace(f'"{key}":"{own}"', f'"{key}":"own_cell:factory"'))
    with pytest.raises(UserError, match=f"its trials are of own_cell:factory, not {own}"):
        Study.open(study.path)
    assert not cell.exists()


def test_a_study_of_a_users_own_task_is_opened_only_if_the_user_names_it(tmp_path):
    name = f"{tmp_path / 'own_task.py'}:Mine"
    Path(tmp_path / "own_task.py").write_text(
        "from copytask.tasks.delay import Delay\nclass Mine(Delay):\n    pass\n"
    )
    study = Study.create(tmp_path / "study", make_config().model_copy(update={"task": name}))
    study.close()
    with pytest.raises(UserError, match=f"add --task {re.escape(name)}"):
        Study.open(study.path, "gru")
    Study.open(study.path, "gru", name).close()


def test_a_study_with_a_key_of_an_earlier_version_is_resumed(tmp_path):
    study = Study.create(tmp_path / "study", make_config())
    study.close()
    file = study.path / files.STUDY_FILE
    document = yaml.safe_load(file.read_text())
    document["config"]["search"]["prior"] = True
    file.write_text(yaml.safe_dump(document))
    again = Study.open(study.path)
    assert again.config == study.config
    again.close()
