"""Checkpoints: one file of tensors and plain values, read without running code from it.

A path is a string, a :class:`pathlib.Path`, or an object with its methods for another store, such
as ``upath.UPath("s3://bucket/prefix")`` (package universal_pathlib).
"""

import errno
import io
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from copytask.models import MODELS, CopyModel, build_model, find_factory, is_same_cell

FILE_NAME = "checkpoint.pt"
FORMAT = 1

FOLDER_BIT = 0x10
"""In the attributes of a file of a zip archive: it is a folder."""


class RemotePath(Protocol):
    """A path in a store that is no file system, in which what is written appears as a whole."""

    def __truediv__(self, name: str, /) -> Any: ...
    def is_dir(self) -> bool: ...
    def is_file(self) -> bool: ...
    def read_bytes(self) -> bytes: ...
    def write_bytes(self, data: bytes) -> int: ...


AnyPath = str | os.PathLike[str] | RemotePath


def _as_path(path: AnyPath) -> Any:
    return Path(path) if isinstance(path, str | os.PathLike) else path


def save_state(state: dict[str, Any], path: AnyPath) -> None:
    """Write a trainer's state into the folder ``path``; a reader never sees half a file.

    When this returns, the file survives a loss of power, as far as its file system can promise.

    Raises:
        OSError: it cannot be written; an earlier checkpoint there is as it was.
    """
    # In memory first: torch's own file writer turns a full disk into a RuntimeError.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    _replace(_as_path(path), buffer.getbuffer())


def copy_checkpoint(source: AnyPath, target: AnyPath) -> None:
    """Copy the checkpoint in the folder ``source`` to the folder ``target``.

    Raises:
        OSError: as :func:`save_state`.
    """
    _replace(_as_path(target), (_as_path(source) / FILE_NAME).read_bytes())


def _replace(folder: Path | RemotePath, content: bytes | memoryview) -> None:
    if not isinstance(folder, Path):
        (folder / FILE_NAME).write_bytes(bytes(content))
        return
    _make_folder(folder)
    # Of this write alone: processes of two containers may share a host name and a number.
    partial = folder / f"{FILE_NAME}.{uuid.uuid4().hex}.partial"
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, folder / FILE_NAME)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(folder)


def _make_folder(folder: Path) -> None:
    """Make a folder, with those above it, so that all of them survive a loss of power."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def damage_told(path: AnyPath) -> Iterator[None]:
    """Turn whatever is raised by content of the wrong kind into a ValueError of one line.

    What damaged bytes raise cannot be listed: it depends on the byte, and on torch's version.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError):  # no fault of the content
        raise
    except Exception as error:
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        reason = f"{kind}{error}".partition("\n")[0]
        raise ValueError(f"{path} is no readable checkpoint: {reason}") from None


def load_state(path: AnyPath) -> dict[str, Any]:
    """Read what :func:`save_state` wrote, all tensors on the CPU.

    Only tensors and plain values are accepted (``weights_only=True``).

    Raises:
        FileNotFoundError: there is no checkpoint at ``path``.
        OSError: it cannot be read now.
        ValueError: the file is no checkpoint of this project, or is damaged.
    """
    file = _as_path(path)
    if file.is_dir():
        file = file / FILE_NAME
    if not file.is_file():
        raise FileNotFoundError(f"no checkpoint at {file}")
    content = file.read_bytes()
    with damage_told(file):
        _check_archive(content)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{file} is no checkpoint of format {FORMAT}")
    return state


def _check_archive(content: bytes) -> None:
    """Check what torch does not.

    Raises:
        ValueError, or whatever zipfile raises: the content is not a whole zip archive.
    """
    # Torch would hand what does not begin as an archive to its reader of ancient formats.
    if not content.startswith(b"PK\x03\x04"):
        raise ValueError("it does not begin as an archive")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        damaged = archive.testzip()  # torch compares no checksums
        folders = [file.filename for file in archive.infolist() if file.external_attr & FOLDER_BIT]
    if damaged or folders:  # of a file marked as a folder torch would read nothing
        raise ValueError(f"its part {damaged or folders[0]} is damaged")


def recorded_factory(
    state: dict[str, Any], path: AnyPath, cell: str | Callable[..., nn.Module] | None
) -> Callable[..., nn.Module]:
    """The factory of a checkpoint's core. A module that only the file names is not imported.

    Args:
        state: what :func:`load_state` read from ``path``.
        cell: what the caller says the core is, see :func:`load_model`.

    Raises:
        ValueError: it is a user's own and the caller does not say so, or says that it is another
            one, or it cannot be imported.
    """
    with damage_told(path):
        name = state["config"]["model"]
        if not isinstance(name, str) or (name not in MODELS and ":" not in name):
            raise ValueError(f"its model is called {name!r}")
    if callable(cell):
        return cell
    if cell is None and name not in MODELS:
        raise ValueError(
            f"{path} holds the cell {name!r}. Loading it imports that module, which runs its code: "
            f"if you trust it, say so by cell={name!r}, or give its factory"
        )
    if cell is not None and not is_same_cell(cell, name):
        raise ValueError(f"{path} holds the model {name!r}, not {cell!r}")
    return find_factory(cell or name)


def load_model(path: AnyPath, *, cell: str | Callable[..., nn.Module] | None = None) -> CopyModel:
    """The model of a checkpoint, ready to be evaluated.

    Args:
        path: a checkpoint's folder or file.
        cell: of a checkpoint of a user's own cell, that cell's factory, or its name as
            ``package.module:factory`` or ``path/file.py:factory``, which is then imported; the
            file may lie elsewhere by now. Without it only the models in ``copytask.MODELS`` are
            loaded, so that a file cannot choose which code runs.

    Raises:
        FileNotFoundError: there is no checkpoint at ``path``.
        OSError: it cannot be read now.
        ValueError: the file is no checkpoint, or ``cell`` is missing or not the one that it holds.
    """
    state = load_state(path)
    factory = recorded_factory(state, path, cell)
    with damage_told(path):
        # The fresh weights, made on the CPU, are replaced: leave no trace of them.
        with torch.random.fork_rng(devices=[]):
            model = build_model(factory, state["config"]["hidden_size"])
        model.load_state_dict(state["model"])
    return model.eval()
