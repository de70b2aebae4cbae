"""What loggers wrote of a study, read as their own software does."""

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

from searches import wait_for

from studies import format as files

PATIENT_WANDB = {"WANDB__SERVICE_WAIT": "600", "WANDB_INIT_TIMEOUT": "600"}
"""Environment variables: W&B's own processes may take minutes to start, on a busy machine."""

BLOCK = 32768
"""Bytes of a block of the log of LevelDB, whose format the files of W&B have after 7 bytes."""


class Shown(NamedTuple):
    """A run.

    Attributes:
        curve: pairs of tokens and validation accuracy, in the order in which they were written.
    """

    id: str
    group: str
    kind: str
    status: str
    parameters: dict[str, Any]
    curve: list[tuple[int, float]]
    tags: dict[str, Any]


def in_mlflow(study: Path) -> dict[str, Shown]:
    """The runs by the name of their trial, each of which has one."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{study / files.MLFLOW_FILE}")
    (experiment,) = [e for e in client.search_experiments() if e.name == study.name]
    found = {}
    for run in client.search_runs([experiment.experiment_id]):
        info, data = run.info, run.data
        history = client.get_metric_history(info.run_id, "validation_accuracy")
        assert info.run_name not in found
        found[info.run_name] = Shown(
            info.run_id, experiment.name, data.tags["stage"], info.status, data.params,
            sorted((point.step, point.value) for point in history), data.tags,
        )  # fmt: skip
    return found


def in_wandb(study: Path) -> dict[str, Shown]:
    """The offline runs by the name of their trial, each of which has one; all have ended."""
    found = {}
    for file in study.glob("wandb/offline-run-*/*.wandb"):
        wait_for(lambda file=file: has_ended(file))  # W&B writes the end in the background
        run, config, curve, summary = None, {}, [], {}
        for record in records(file):
            if record.HasField("run"):
                run = record.run
                config |= {item.key: json.loads(item.value_json) for item in run.config.update}
            if record.HasField("history"):
                row = values(record.history.item)
                curve.append((row["_step"], row["validation_accuracy"]))
            if record.HasField("summary"):
                summary |= values(record.summary.update)
        assert run.display_name not in found
        found[run.display_name] = Shown(
            run.run_id, run.run_group, run.job_type, summary["status"], config, curve, summary
        )
    return found


def has_ended(file: Path) -> bool:
    """Whether an offline run of W&B is whole; one that is removed is not."""
    try:
        found = records(file)
    except FileNotFoundError:
        return False
    return bool(found) and found[-1].HasField("exit")


def records(file: Path) -> list:
    """The records of an offline run of W&B, those that are written as a whole."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, found, parts, at = file.read_bytes(), [], b"", 7
    assert b":W&B".startswith(data[:4])
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        if at + 7 + length > len(data):
            break
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            found.append(Record.FromString(parts))
            parts = b""
    return found


def values(items: Any) -> dict[str, Any]:
    """The values of a history or a summary of W&B."""
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}
