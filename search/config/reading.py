"""Reads configurations: YAML files in layers, overrides, and one line for every fault."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from copytask import MODELS
from copytask.error_lines import message_line, reason_line
from search.config.faults import describe
from search.config.layers import CONFIGS, DEFAULT_CONFIG, FOLDERS, layered
from search.config.space import ARCHITECTURE
from search.config.study_config import RECORDED, StudyConfig
from search.errors import UserError
from search.storage.store import read_bytes
from studies.format import recorded_values
from studies.paths import StudyPath


def installed_configs() -> list[str]:
    """List the names of the configurations in :data:`CONFIGS`."""
    return sorted(file.name for file in CONFIGS.glob("*.yaml"))


def find_config(file: Path) -> Path:
    """Find the configuration that a user names: a file, or an installed one.

    ``configs/NAME`` also means the installed one, unless there is such a file.

    Raises:
        UserError: there is neither.
    """
    if os.path.lexists(file) or file.parent not in (Path(), Path(CONFIGS.name)):
        return file
    if file.name not in installed_configs():
        names = ", ".join(installed_configs())
        raise UserError(f"cannot read {file}: No such file; give a path, or one of {names}")
    return CONFIGS / file.name


def read_yaml(path: StudyPath) -> dict[str, Any]:
    """Read a mapping from a YAML file.

    Raises:
        UserError: it cannot be read or parsed; the message says where.
    """
    try:
        values = yaml.safe_load(read_bytes(path).decode())
    except OSError as error:
        raise UserError(f"cannot read {path}: {reason_line(error)}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path}{_where(error)}") from None
    if not isinstance(values, dict):
        found = "it is empty" if values is None else f"got {type(values).__name__}"
        raise UserError(f"{path}: expected a mapping of keys, but {found}")
    return values


def load_config(path: Path, overrides: Sequence[str], flags: Mapping[str, Any]) -> StudyConfig:
    """Read a configuration: default.yaml, task, model, the file, ``--set``, other flags.

    Args:
        path: the configuration file.
        overrides: the values of ``--set``, ``key.path=value``.
        flags: the other flags, dotted path -> value.

    Raises:
        UserError: anything is wrong; the message is one line.
    """
    values = read_yaml(path)
    below = read_yaml(DEFAULT_CONFIG)
    named = {key.strip(): value.strip() for key, _, value in (o.partition("=") for o in overrides)}
    asked = {**below, **values, **{k: named[k] for k in FOLDERS if k in named}, **flags}
    for key, folder in FOLDERS.items():
        of_name = folder / f"{asked.get(key)}.yaml"
        if of_name in folder.glob("*.yaml"):  # a name from outside may be a path
            below = layered(below, read_yaml(of_name))
    if not path.samefile(DEFAULT_CONFIG):
        below = layered(below, values)
    return override(below, overrides, flags, str(path))


def recorded_config(values: Any, source: str) -> StudyConfig:
    """Read the configuration in a study.yaml without checking it again.

    It was checked when it was written. A user's cell is not imported: it may have moved, or be slow
    to import.

    Raises:
        UserError: it is not a configuration.
    """
    try:
        if isinstance(values, Mapping):
            values = recorded_values(values)
        return StudyConfig.model_validate(values, context=RECORDED)
    except ValidationError as error:
        raise UserError(f"{source}: config: {describe(error, StudyConfig)}") from None


def override(
    values: dict[str, Any], overrides: Sequence[str], flags: Mapping[str, Any], source: str
) -> StudyConfig:
    """Apply overrides and flags to plain values, and check the result.

    Args:
        values: the values; they are changed.
        overrides: as for :func:`load_config`, and ``flags`` too.
        source: where the values come from, for messages.

    Raises:
        UserError: anything is wrong; one line that names the key and where it was set.
    """
    origins = {}  # dotted path -> the option that set it
    for text in overrides:
        path, separator, value = text.partition("=")
        path = named = path.strip()
        if not separator or not path:
            raise UserError(f"--set {text}: expected key.path=value")
        section, _, name = path.partition(".")
        space = values.get("space")
        fixing = section in ("training", ARCHITECTURE)
        if fixing and isinstance(space, dict) and name in space:
            path = f"space.{name}"  # a plain value in space fixes the hyperparameter
        elif section == "training" and name in mapping(values.get(ARCHITECTURE)):
            path = f"{ARCHITECTURE}.{name}"  # where earlier versions had it
        try:
            set_path(values, path, yaml.safe_load(value))
        except (yaml.YAMLError, ValueError) as error:
            raise UserError(f"--set {text}: the value{_where(error)}") from None
        origins[path] = f"--set {named}"
        if path == "space" and "search.initial" not in origins:  # which belongs to another space
            set_path(values, "search.initial", [])
    for path, value in flags.items():
        set_path(values, path, value)
        origins[path] = "--" + path.rpartition(".")[2].replace("_", "-")
    if not values.get("model"):
        raise UserError(
            f"which model? Give --model: {', '.join(MODELS)} or your own cell as "
            "path/file.py:factory or package.module:factory"
        )
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        fault = describe(error, StudyConfig)
        place = fault.partition(":")[0]
        origin = next((p for p in origins if f"{place}.".startswith(f"{p}.")), "")
        if origin == place:  # "--model: unknown model", not "--model: model: unknown model"
            fault = fault.partition(": ")[2]
        raise UserError(f"{origins.get(origin, source)}: {fault}") from None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, if it is a mapping; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def set_path(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the dotted ``path`` in nested values.

    Raises:
        UserError: the path leads through a value that has no keys.
    """
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise UserError(f"{path}: {parent!r} holds a value, not keys")
    values[last] = value


def _where(error: Exception) -> str:
    """Line, column and reason of a YAML error."""
    mark = getattr(error, "problem_mark", None)
    position = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    reason = getattr(error, "problem", None) or message_line(error)
    return f"{position}: not valid YAML: {reason}"
