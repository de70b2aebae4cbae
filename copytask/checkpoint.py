"""Checkpoints: one file of tensors and plain values, read without running code from it.

A path is a string, a :class:`pathlib.Path`, or an object with its methods for another store, such
as ``upath.UPath("s3://bucket/prefix")`` (package universal_pathlib).
"""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, Protocol

import torch

from copytask.config import TrainingConfig
from copytask.models import CopyModel, build_model

FILE_NAME = "checkpoint.pt"
FORMAT = 1


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
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE_NAME}.{os.getpid()}.partial"  # of this process alone
    try:
        partial.write_bytes(content)
        os.replace(partial, folder / FILE_NAME)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def load_state(path: AnyPath) -> dict[str, Any]:
    """Read what :func:`save_state` wrote, all tensors on the CPU.

    Only tensors and plain values are accepted (``weights_only=True``).

    Raises:
        FileNotFoundError: there is no checkpoint at ``path``.
        ValueError: the file is no checkpoint of this project, or is damaged.
    """
    file = _as_path(path)
    if file.is_dir():
        file = file / FILE_NAME
    if not file.is_file():
        raise FileNotFoundError(f"no checkpoint at {file}")
    # Anything but a whole zip archive would go to torch's reader of ancient formats.
    content = io.BytesIO(file.read_bytes())
    if not zipfile.is_zipfile(content):
        raise ValueError(f"{file} is no readable checkpoint: it is not a whole archive")
    content.seek(0)
    try:
        state = torch.load(content, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{file} is no readable checkpoint: {reason}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{file} is no checkpoint of format {FORMAT}")
    return state


def load_model(path: AnyPath) -> CopyModel:
    """The model of a checkpoint, ready to be evaluated.

    Args:
        path: a checkpoint's folder or file. A checkpoint of a user's own cell needs that
            cell's module to be importable.

    Raises:
        FileNotFoundError: there is no checkpoint at ``path``.
        ValueError: the file is no checkpoint, or its cell cannot be imported.
    """
    state = load_state(path)
    config = TrainingConfig.from_dict(state["config"])
    with torch.random.fork_rng():  # the fresh weights are replaced: leave no trace of them
        model = build_model(config.model, config.hidden_size)
    model.load_state_dict(state["model"])
    return model.eval()
