"""Reading a configuration: YAML files, layers, overrides, and what is wrong with them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from copytask import MODELS
from search.config.layers import CONFIGS, DEFAULT_CONFIG, layered
from search.config.study_config import RECORDED, StudyConfig, describe
from search.errors import UserError
from search.storage.store import error_message, read_bytes
from studies.format import recorded_values
from studies.paths import StudyPath


def installed_configs() -> list[str]:
    """The names of the configurations in :data:`CONFIGS`."""
    return sorted(file.name for file in CONFIGS.glob("*.yaml"))


def find_config(file: Path) -> Path:
    """The configuration that a user means: a file of theirs, or the name of an installed one.

    The folder ``configs`` of a checkout may stand before the name.

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
    """A mapping from a YAML file.

    Raises:
        UserError: there is no such file, or it does not parse; says where.
    """
    try:
        values = yaml.safe_load(read_bytes(path).decode())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error_message(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}{_where(error)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping of keys, but got {type(values).__name__}")
    return values


def load_config(path: Path, overrides: Sequence[str], flags: Mapping[str, Any]) -> StudyConfig:
    """Read a configuration: the file over default.yaml, ``--set`` overrides, the CLI's own flags.

    Args:
        flags: dotted path -> value.

    Raises:
        UserError: anything is wrong with it; one line.
    """
    values = layered(read_yaml(DEFAULT_CONFIG), read_yaml(path))
    return override(values, overrides, flags, str(path))


def recorded_config(values: Any, source: str) -> StudyConfig:
    """The configuration in a study.yaml, to look at.

    It was checked when it was written. A user's cell is not imported: it may be gone by now, or
    take its time.

    Raises:
        UserError: it is none.
    """
    try:
        if isinstance(values, Mapping):
            values = recorded_values(values)
        return StudyConfig.model_validate(values, context=RECORDED)
    except ValidationError as error:
        raise UserError(f"{source}: config: {describe(error)}") from None


def override(
    values: dict[str, Any], overrides: Sequence[str], flags: Mapping[str, Any], source: str
) -> StudyConfig:
    """The configuration of plain values from ``source`` after overrides and flags.

    Raises:
        UserError: anything is wrong with it; one line that names the key and where it was given.
    """
    origins = {}  # dotted path -> the option that set it
    for text in overrides:
        path, separator, value = text.partition("=")
        path = named = path.strip()
        if not separator or not path:
            raise UserError(f"--set {text}: expected key.path=value")
        section, _, name = path.partition(".")
        space = values.get("space")
        if section == "training" and isinstance(space, dict) and name in space:
            path = f"space.{name}"  # a plain value there fixes it
        try:
            set_path(values, path, yaml.safe_load(value))
        except yaml.YAMLError as error:
            raise UserError(f"--set {text}: the value{_where(error)}") from None
        origins[path] = f"--set {named}"
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
        fault = describe(error)
        place = fault.partition(":")[0]
        origin = next((p for p in origins if f"{place}.".startswith(f"{p}.")), "")
        if origin == place:  # "--model: unknown model", not "--model: model: unknown model"
            fault = fault.partition(": ")[2]
        raise UserError(f"{origins.get(origin, source)}: {fault}") from None


def set_path(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the dotted ``path`` in nested values.

    Raises:
        UserError: the path leads through something that has no keys.
    """
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise UserError(f"{path}: {parent!r} holds a value, not keys")
    values[last] = value


def _where(error: Exception) -> str:
    """Line and reason of a YAML error."""
    mark = getattr(error, "problem_mark", None)
    position = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{position}: no valid YAML: {reason}"
