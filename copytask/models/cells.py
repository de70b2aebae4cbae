"""A user's own cell: imports its factory by file or by module."""

import difflib
import hashlib
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import cast

from torch import nn

FILE_ENDING = ".py"


def absolute_cell(name: str) -> str:
    """Make the path in ``path/file.py:factory`` absolute, so that it holds in every folder.

    Any other name of a model is returned unchanged.
    """
    source, _, attribute = name.rpartition(":")
    if not source.endswith(FILE_ENDING):
        return name
    return f"{_absolute(source)}:{attribute}"


def is_same_cell(given: str, recorded: str) -> bool:
    """Whether a name that a user gives means the recorded cell.

    For a file, only its name and the factory count: its folder may differ on this machine.
    """
    if given == recorded:
        return True
    files = [name.rpartition(":")[0] for name in (given, recorded)]
    return all(file.endswith(FILE_ENDING) for file in files) and (
        given.rpartition("/")[2] == recorded.rpartition("/")[2]
    )


def import_cell(name: str) -> Callable[..., nn.Module]:
    """Import the factory that ``package.module:factory`` or ``path/file.py:factory`` names.

    Raises:
        ValueError: it cannot be imported, or cannot be called; the message says what to do.
    """
    source, _, attribute = name.rpartition(":")
    try:
        is_file = source.endswith(FILE_ENDING)
        module = _import_file(source) if is_file else importlib.import_module(source)
        if not hasattr(module, attribute):
            near = difflib.get_close_matches(attribute, vars(module), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"{source} has no {attribute!r}{hint}")
        factory = getattr(module, attribute)
    except Exception as error:  # the user's module may raise anything while it is imported
        advice = ""
        if isinstance(error, ModuleNotFoundError) and error.name == source.partition(".")[0]:
            file = f"{source.replace('.', '/')}{FILE_ENDING}"
            advice = (
                f". Run the command in the folder that holds {file}, or name the file: "
                f"path/to/{Path(file).name}:{attribute}"
            )
        raise ValueError(
            f"the cell {name!r} cannot be imported: {type(error).__name__}: {error}{advice}"
        ) from error
    if not callable(factory):
        raise ValueError(
            f"the cell {name!r} is a {type(factory).__name__}; it must be a class or a function "
            "that makes the cell"
        )
    return cast("Callable[..., nn.Module]", factory)


def _absolute(source: str) -> Path:
    """Do not resolve links: on other hosts of a cluster they may lead elsewhere."""
    return Path(os.path.abspath(Path(source).expanduser()))


def _import_file(source: str) -> ModuleType:
    """Import a file as a module, once in a process. It can import modules from its own folder.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = _absolute(source)
    # A unique name: a module with the file's name may already be imported.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"cell_{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}_{digest}"
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
