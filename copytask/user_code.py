"""A user's own model or task: imports it by file or by module."""

import difflib
import hashlib
import importlib
import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from copytask.error_lines import error_line

FILE_ENDING = ".py"


def absolute_name(name: str) -> str:
    """Make the path in ``path/file.py:name`` absolute, so that it holds in every folder.

    Any other name is returned unchanged.
    """
    source, _, attribute = name.rpartition(":")
    if not source.endswith(FILE_ENDING):
        return name
    return f"{_absolute(source)}:{attribute}"


def is_same_code(given: str, recorded: str) -> bool:
    """Whether a name that a user gives means the recorded model or task.

    For a file, only the last part of its path and the name after the colon count: its folder may
    differ on this machine.
    """
    if given == recorded:
        return True
    files = [name.rpartition(":")[0] for name in (given, recorded)]
    return all(file.endswith(FILE_ENDING) for file in files) and (
        given.rpartition("/")[2] == recorded.rpartition("/")[2]
    )


def import_object(name: str, what: str) -> Any:
    """Import what ``package.module:attribute`` or ``path/file.py:attribute`` names.

    Args:
        name: where it is.
        what: "cell" or "task", for messages.

    Raises:
        ValueError: it cannot be imported; the message says what to do.
    """
    source, _, attribute = name.rpartition(":")
    try:
        is_file = source.endswith(FILE_ENDING)
        module = _import_file(source) if is_file else importlib.import_module(source)
        if not hasattr(module, attribute):
            near = difflib.get_close_matches(attribute, vars(module), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"{source} has no {attribute!r}{hint}")
        return getattr(module, attribute)
    except Exception as error:  # the user's module may raise anything while it is imported
        advice = ""
        if isinstance(error, ModuleNotFoundError) and error.name == source.partition(".")[0]:
            file = f"{source.replace('.', '/')}{FILE_ENDING}"
            advice = (
                f". Run the command in the folder that holds {file}, or name the file: "
                f"path/to/{Path(file).name}:{attribute}"
            )
        raise ValueError(
            f"the {what} {name!r} cannot be imported: {error_line(error)}{advice}"
        ) from error


def _absolute(source: str) -> Path:
    """Do not resolve links: on other hosts of a cluster they may lead elsewhere."""
    return Path(os.path.abspath(os.path.expanduser(source)))


def _import_file(source: str) -> ModuleType:
    """Import a file as a module, once in a process. It can import modules from its own folder.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = _absolute(source)
    # A unique name: a module with the file's name may already be imported.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"user_{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} on this machine")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that it does not hide installed packages
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
