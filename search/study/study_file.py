"""study.yaml: the configuration of a study, and where and with what it was made."""

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from copytask import find_task
from copytask.user_code import absolute_name
from search.config.reading import override, read_yaml
from search.config.space import ARCHITECTURE, TRAINING_FIELDS
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.storage.store import write_bytes
from search.study.creation import check_free, holds_study
from studies import format as files
from studies.paths import StudyPath

HEADER = "# Written by search.run: the resolved configuration and its provenance.\n"


def write_study_file(path: StudyPath, config: StudyConfig, provenance: Mapping[str, Any]) -> None:
    """Write the study.yaml of the study at ``path``.

    Raises:
        OSError: it cannot be written.
    """
    document = {
        "schema_version": files.SCHEMA_VERSION,
        "config": config.model_dump(mode="json"),
        "chance_accuracy": find_task(config.task).chance_accuracy,
        "provenance": dict(provenance),
    }
    text = HEADER + yaml.safe_dump(document, sort_keys=False)
    write_bytes(path / files.STUDY_FILE, text.encode())


def read_study_file(path: StudyPath) -> dict[str, Any]:
    """Read the content of study.yaml: schema_version, config, chance_accuracy, provenance.

    Raises:
        UserError: it cannot be read, or another version wrote it.
    """
    file = path / files.STUDY_FILE
    document = read_yaml(file)
    if document.get("schema_version") != files.SCHEMA_VERSION:
        raise UserError(
            f"{file} has schema version {document.get('schema_version')}; "
            f"this program reads {files.SCHEMA_VERSION}"
        )
    return document


def read_config(path: StudyPath, model: str | None = None, task: str | None = None) -> StudyConfig:
    """Read the configuration of the study at ``path``.

    Args:
        path: the study's directory.
        model: the model that the user names. A study must not choose which code runs, so a user's
            own cell is imported only if the user names it.
        task: the task that the user names; likewise.

    Raises:
        UserError: there is no study, it cannot be read, or ``model`` does not name its cell.
    """
    if not holds_study(path):
        check_free(path)
        raise UserError(f"no study to resume at {path}; start it without --resume")
    values = read_study_file(path).get("config") or {}
    for kind, key, given in (("cell", "model", model), ("task", "task", task)):
        name = values.get(key)
        trusted = given and absolute_name(given)
        if isinstance(name, str) and ":" in name and name != trusted:
            raise UserError(
                f"{path / files.STUDY_FILE} names the {kind} {name!r}. Its trials run that code: "
                f"if you trust it, add --{key} {shlex.quote(name)}"
            )
    values = files.recorded_values(values)
    if isinstance(architecture := values.get(ARCHITECTURE), dict):
        # An earlier version recorded such keywords of a user's cell, and gave it none of them.
        values[ARCHITECTURE] = {k: v for k, v in architecture.items() if k not in TRAINING_FIELDS}
    return override(values, [], {}, str(path / files.STUDY_FILE))
