"""The trials of a study in the files that `wandb sync` uploads, read with its own messages."""

import json
import struct
import time
from pathlib import Path

import pytest
from made_studies import make_config, report, start

from search.study.study import Study
from studies import format as files

pytest.importorskip("wandb", reason="needs the extra wandb")

from wandb.proto.wandb_internal_pb2 import Record

from search.study.wandb_runs import WandbRuns

BLOCK = 32768
"""Bytes of a block of the log of LevelDB, whose format these files have after 7 bytes."""


def records(file: Path) -> list[Record]:
    """The records of an offline run."""
    data, found, parts, at = file.read_bytes(), [], b"", 7
    assert data[:4] == b":W&B"
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            found.append(Record.FromString(parts))
            parts = b""
    return found


def whole(file: Path) -> list[Record]:
    """The records of a run that has ended; W&B writes the last ones in the background."""
    deadline = time.monotonic() + 60
    while not (found := records(file)) or not found[-1].HasField("exit"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def values(items) -> dict:
    """The values of a history or a summary."""
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}


def shown(study: Study) -> dict:
    """Of each run its id, group, configuration, curve and summary."""
    found = {}
    for file in study.path.glob("wandb/offline-run-*/*.wandb"):
        config, summary, curve = {}, {}, []
        for record in whole(file):
            if record.HasField("run"):
                run = record.run
                config |= {item.key: json.loads(item.value_json) for item in run.config.update}
            if record.HasField("history"):
                row = {
                    i.key or i.nested_key[0]: json.loads(i.value_json) for i in record.history.item
                }
                curve.append((row["_step"], row["validation_accuracy"]))
            if record.HasField("summary"):
                summary |= values(record.summary.update)
        assert run.display_name not in found
        found[run.display_name] = (run, config, curve, summary)
    return found


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))


def test_wandb_has_each_trial_that_has_ended_once_whatever_was_interrupted(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    start(study, "a", learning_rate=0.002)
    start(study, "b")
    trials = study.history.trials
    report(study, "a", 1, 0.25)
    WandbRuns(study.path, study.history.space).write(trials["a"])
    assert not shown(study)  # it has not ended
    report(study, "a", 2, 0.75, files.STOPPED_EARLY)
    report(study, "b", 1, 0.1)
    study.fail_trial("b", "why")
    runs = WandbRuns(study.path, study.history.space)
    for trial in trials.values():
        runs.write(trial)
    run, config, curve, summary = shown(study)["a"]
    assert (run.run_group, run.job_type) == ("s", files.SEARCH)
    assert config["learning_rate"] == 0.002
    assert (config["model"], config["hidden_size"], config["T"]) == ("gru", 8, 5)
    assert curve == [(point.tokens, point.validation_accuracy) for point in trials["a"].curve]
    assert summary["status"] == files.STOPPED_EARLY

    # Another process finds one trial whole, one that was cut off, and one that ran again.
    before = run.run_id
    (folder,) = study.path.glob(f"wandb/offline-run-*-{before}")
    (folder / "ended").unlink()
    study.restart_trial(trials["b"])
    report(study, "b", 1, 0.9, files.COMPLETED)
    for _ in range(2):
        runs = WandbRuns(study.path, study.history.space)
        for trial in trials.values():
            runs.write(trial)
    found = shown(study)
    assert set(found) == {"a", "b"}
    assert found["a"][0].run_id == before
    assert found["b"][2] == [(trials["b"].tokens, 0.9)]
    assert found["b"][3]["status"] == files.COMPLETED
    study.close()
