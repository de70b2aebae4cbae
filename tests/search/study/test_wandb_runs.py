"""The trials of a study in the files that `wandb sync` uploads, read with its own messages."""

import pytest
from logged_runs import PATIENT_WANDB, in_wandb
from made_studies import make_config, report, start

from search.study.study import Study
from studies import format as files

pytest.importorskip("wandb", reason="needs the extra wandb")

from search.study.wandb_runs import WandbRuns


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    for name, value in PATIENT_WANDB.items():
        monkeypatch.setenv(name, value)


def test_wandb_has_each_trial_that_has_ended_once_whatever_was_interrupted(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    start(study, "a", learning_rate=0.002)
    start(study, "b")
    trials = study.history.trials
    report(study, "a", 1, 0.25)
    WandbRuns(study.path, study.history.space).write(trials["a"])
    assert not in_wandb(study.path)  # it has not ended
    report(study, "a", 2, 0.75, files.STOPPED_EARLY)
    report(study, "b", 1, 0.1)
    study.fail_trial("b", "why")
    runs = WandbRuns(study.path, study.history.space)
    for trial in trials.values():
        runs.write(trial)
    before = in_wandb(study.path)["a"]
    assert (before.group, before.kind, before.status) == ("s", files.SEARCH, files.STOPPED_EARLY)
    expected = {"model": "gru", "task": "delay", "T": 5, "learning_rate": 0.002, "hidden_size": 8}
    assert before.parameters.items() >= expected.items()
    assert before.curve == [(p.tokens, p.validation_accuracy) for p in trials["a"].curve]

    # Another process finds one trial whole, one that was cut off, and one that ran again.
    (folder,) = study.path.glob(f"wandb/offline-run-*-{before.id}")
    (folder / "ended").unlink()
    study.restart_trial(trials["b"])
    report(study, "b", 1, 0.9, files.COMPLETED)
    for _ in range(2):
        runs = WandbRuns(study.path, study.history.space)
        for trial in trials.values():
            runs.write(trial)
    found = in_wandb(study.path)
    assert set(found) == {"a", "b"}
    assert found["a"].id == before.id
    assert found["b"].curve == [(trials["b"].tokens, 0.9)]
    assert found["b"].status == files.COMPLETED
    study.close()
