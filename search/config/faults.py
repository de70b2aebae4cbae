"""Describes what is wrong with a configuration in one line."""

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from search.errors import unknown


def describe(error: ValidationError, schema: type[BaseModel]) -> str:
    """Describe the first fault of a pydantic error in one line.

    Args:
        schema: what was validated.
    """
    fault = error.errors()[0]
    location = [part for part in fault["loc"] if not str(part).startswith("function-")]
    path = ".".join(map(str, location))
    if fault["type"] == "extra_forbidden":
        return f"{path}: {unknown('key', location[-1], _keys(schema, location[:-1]))}"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        message = "is missing"
    elif fault["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, but got {fault['input']!r}"
    if message.startswith("."):  # our own check of a field names a key below the field
        return path + message
    return f"{path}: {message}" if path else message


def _keys(schema: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The valid keys of the section at ``location``."""
    section: Any = schema
    for part in location:
        if isinstance(part, int):  # a section of a list
            (section,) = get_args(section)
        else:
            section = section.model_fields[part].annotation
    return list(section.model_fields)
