"""Checkpoints: one file of tensors and plain values, read without running code from it.

A path is a string, a :class:`pathlib.Path`, or an object with its methods for another store, such
as ``upath.UPath("s3://bucket/prefix")`` (package universal_pathlib).
"""

import errno
import io
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from copytask.error_lines import error_line, message_line
from copytask.models import MODELS, CopyModel, architecture_keywords, build_model, find_factory
from copytask.tasks import TASKS, Task
from copytask.user_code import is_same_code

FILE_NAME = "checkpoint.pt"
FORMAT = 1

FOLDER_BIT = 0x10
"""The attribute that marks an entry of a zip archive as a folder."""


class RemotePath(Protocol):
    """A path in an object store, where a file appears as a whole or not at all."""

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

    Once this returns, the file survives a loss of power, if its file system can promise that.

    Raises:
        OSError: the file cannot be written; an earlier checkpoint there is unchanged.
    """
    # Into memory first: torch's own file writer reports a full disk as a RuntimeError.
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
    # A random name: processes in two containers may share a host name and a process id.
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
    sync_folder(folder)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents so that all of them survive a loss of power."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk, if the file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def damage_as_value_error(path: AnyPath) -> Iterator[None]:
    """Turn any exception that damaged content raises into a ValueError of one line.

    Damaged bytes may raise anything: it depends on the byte and on torch's version.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError):  # not the content's fault
        raise
    except Exception as error:
        reason = message_line(error) if isinstance(error, ValueError) else error_line(error)
        raise ValueError(f"{path} is not a readable checkpoint: {reason}") from None


def load_state(path: AnyPath) -> dict[str, Any]:
    """Read what :func:`save_state` wrote, all tensors on the CPU.

    Only tensors and plain values are accepted (``weights_only=True``).

    Raises:
        FileNotFoundError: there is no checkpoint at ``path``.
        OSError: the file cannot be read now.
        ValueError: the file is not a checkpoint of this project, or is damaged.
    """
    file = _as_path(path)
    if file.is_dir():
        file = file / FILE_NAME
    if not file.is_file():
        raise FileNotFoundError(f"no checkpoint at {file}")
    content = file.read_bytes()
    with damage_as_value_error(file):
        _check_archive(content)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{file} is not a checkpoint of format {FORMAT}")
    return state


def _check_archive(content: bytes) -> None:
    """Check that the content is an undamaged zip archive, which torch does not.

    Raises:
        ValueError, or any exception of zipfile: it is not.
    """
    # Without this check torch would read anything else as one of its ancient formats.
    if not content.startswith(b"PK\x03\x04"):
        raise ValueError("it does not start like a zip archive")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        damaged = archive.testzip()  # compares checksums
        folders = [file.filename for file in archive.infolist() if file.external_attr & FOLDER_BIT]
    if damaged or folders:  # torch reads an entry that is marked as a folder as zeros
        raise ValueError(f"its part {damaged or folders[0]} is damaged")


def recorded_factory(
    state: dict[str, Any], path: AnyPath, cell: str | Callable[..., nn.Module] | None
) -> Callable[..., nn.Module]:
    """Find the factory of a checkpoint's cell; import a user's own only if ``cell`` names it.

    Args:
        state: what :func:`load_state` read from ``path``.
        path: the checkpoint, for messages.
        cell: the cell that the caller expects, see :func:`load_model`.

    Raises:
        ValueError: the cell is a user's own and ``cell`` is None, or ``cell`` is a different one,
            or it cannot be imported.
    """
    with damage_as_value_error(path):
        name = state["config"]["model"]
        if not isinstance(name, str) or (name not in MODELS and ":" not in name):
            raise ValueError(f"its model is called {name!r}")
    if callable(cell):
        return cell
    if cell is None and name not in MODELS:
        raise ValueError(
            f"{path} holds the cell {name!r}. Loading it imports that module, which runs its code: "
            f"if you trust it, pass cell={name!r} or its factory"
        )
    if cell is not None and not is_same_code(cell, name):
        raise ValueError(f"{path} holds the model {name!r}, not {cell!r}")
    return find_factory(cell or name)


def check_recorded_task(state: dict[str, Any], path: AnyPath, task: str | Task | None) -> None:
    """Check that the task of a checkpoint is the one that the caller expects.

    Raises:
        ValueError: it is a user's own and ``task`` is None, or ``task`` is a different one.
    """
    with damage_as_value_error(path):
        name = state["config"].get("task", "delay")
        if not isinstance(name, str) or (name not in TASKS and ":" not in name):
            raise ValueError(f"its task is called {name!r}")
    if task is None and name not in TASKS:
        raise ValueError(
            f"{path} was trained on the task {name!r}. Loading it imports that module, which runs "
            f"its code: if you trust it, pass task={name!r} or the task"
        )
    if isinstance(task, str) and not is_same_code(task, name):
        raise ValueError(f"{path} was trained on the task {name!r}, not {task!r}")


EARLIER_ARCHITECTURE = ("forget_bias", "initialization", "implementation")
"""Hyperparameters that earlier versions recorded beside the architecture's own."""


def recorded_training(
    values: Mapping[str, Any], factory: Callable[..., nn.Module] | None = None
) -> dict[str, Any]:
    """The plain values of a TrainingConfig, as this version has them, of any version.

    Earlier versions recorded three hyperparameters of the cells for every model, also where they
    had no effect; those are dropped. They did not rewind, and could skip spikes of the gradient.

    Args:
        factory: that of the model; None imports the one that ``values`` names.
    """
    dropped = {*EARLIER_ARCHITECTURE, "spike_norm"}
    recorded = {"rewind": False} | {k: v for k, v in values.items() if k not in dropped}
    architecture = dict(recorded.get("architecture", {}))
    earlier = {k: values[k] for k in EARLIER_ARCHITECTURE if k in values}
    if earlier:
        known = architecture_keywords(factory or find_factory(values["model"]))
        architecture = {**{k: v for k, v in earlier.items() if k in known}, **architecture}
    return {**recorded, "architecture": architecture}


def load_model(
    path: AnyPath,
    *,
    cell: str | Callable[..., nn.Module] | None = None,
    task: str | Task | None = None,
) -> CopyModel:
    """Load the model of a checkpoint, on the CPU and in evaluation mode.

    Args:
        path: a checkpoint's folder or file: a string, a :class:`pathlib.Path`, or a path in an
            object store such as ``upath.UPath("s3://bucket/prefix")``.
        cell: for a user's own cell, its factory, or its name as ``package.module:factory`` or
            ``path/file.py:factory``, which is then imported; the file may have moved. None loads
            only the models in ``copytask.MODELS``, so that a file cannot choose which code runs.
        task: for a user's own task, the task, or its name; likewise.

    Raises:
        FileNotFoundError: there is no checkpoint at ``path``.
        OSError: the checkpoint cannot be read now.
        ValueError: the file is not a checkpoint, is damaged, or holds another cell than ``cell``.
    """
    state = load_state(path)
    factory = recorded_factory(state, path, cell)
    check_recorded_task(state, path, task)
    with damage_as_value_error(path):
        # Initial weights are drawn and then replaced; leave the global generator as it was.
        with torch.random.fork_rng(devices=[]):
            config = recorded_training(state["config"], factory)
            model = build_model(
                factory,
                config["hidden_size"],
                task=task if task is not None else config.get("task", "delay"),
                **config["architecture"],
            )
        model.load_state_dict(state["model"])
    return model.eval()
