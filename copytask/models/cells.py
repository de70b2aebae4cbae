"""Cells of one's own: where the code that a name stands for is found."""

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
    """The name of a cell that stands for the same one in every folder.

    Args:
        name: a model. ``path/file.py:factory`` becomes absolute; any other stays as it is.
    """
    source, _, attribute = name.rpartition(":")
    if not source.endswith(FILE_ENDING):
        return name
    return f"{_absolute(source)}:{attribute}"


def is_same_cell(given: str, recorded: str) -> bool:
    """Whether a name that a user gives may stand for a recorded one.

    Of a file, its folder does not matter: it may be another one on this machine.
    """
    if given == recorded:
        return True
    files = [name.rpartition(":")[0] for name in (given, recorded)]
    return all(file.endswith(FILE_ENDING) for file in files) and (
        given.rpartition("/")[2] == recorded.rpartition("/")[2]
    )


def import_cell(name: str) -> Callable[..., nn.Module]:
    """The factory that ``package.module:factory`` or ``path/file.py:factory`` names.

    Raises:
        ValueError: it cannot be imported, or is no factory; says what to do.
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
        raise ValueError(f"the cell {name!r} is no factory: it cannot be called")
    return cast("Callable[..., nn.Module]", factory)


def _absolute(source: str) -> Path:
    """Links are kept: other hosts of a cluster may have them lead elsewhere."""
    return Path(os.path.abspath(Path(source).expanduser()))


def _import_file(source: str) -> ModuleType:
    """The module in a file, which is run once in a process. It finds modules beside it.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = _absolute(source)
    # A name of its own: the file may be called as a module that is imported already.
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
        sys.path.append(str(path.parent))  # last: it must not hide what is installed
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
