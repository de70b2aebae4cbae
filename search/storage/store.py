"""Where studies are kept: a folder, or an object store such as ``s3://bucket/prefix``.

Paths are :class:`upath.UPath`, which for a folder of this machine is a plain
:class:`pathlib.Path`. An object store has no append, no rename and no locks; what it writes
appears as a whole or not at all.
"""

import errno
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs

import fsspec
import tenacity

from search.errors import ReadError, UserError
from studies import paths
from studies.paths import StudyPath, is_object_store, open_path

# Patience is had here: see with_retries.
fsspec.config.conf["s3"]["config_kwargs"] = {"retries": {"total_max_attempts": 1}}

ENDPOINT = "AWS_ENDPOINT_URL"

STORE_VARIABLES = (ENDPOINT, "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION")
"""Environment that the workers of a cluster need to find the same store. Keys are not among them:
what is handed to a cluster can be read in its dashboard and logs."""

PATIENCE = 120.0
"""Seconds for which an operation on a store that does not answer is tried again."""

TRANSIENT = {
    errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.ENETDOWN, errno.ENETUNREACH, errno.ECONNREFUSED, errno.ECONNRESET, errno.EBUSY,
}  # fmt: skip
"""Errors of a file system that may pass: those of a file server that is away for a while."""

FINAL_ERRORS = (FileNotFoundError, PermissionError, FileExistsError)
"""Answers of an object store that would come again."""

DRIVERS = {"botocore", "aiohttp", "fsspec", "gcsfs", "google", "azure"}
"""Packages whose errors say that an object store is away; many of them are no OSError."""

MISCONFIGURED = {"NoCredentialsError", "PartialCredentialsError", "ParamValidationError"}
"""Errors of these packages that would come again."""

log = logging.getLogger(__name__)
Result = TypeVar("Result")


def parse_storage(text: str) -> StudyPath:
    """The folder or prefix that ``--storage`` names.

    ``?endpoint_override=http://host:port`` after an ``s3://`` address names another S3-compatible
    server; it is put into the environment as ``AWS_ENDPOINT_URL``, where the workers find it too.

    Raises:
        UserError: it cannot be used.
    """
    address, _, query = text.partition("?")
    if "://" not in address:
        return Path(text)
    for name, values in parse_qs(query).items():
        if name != "endpoint_override":
            raise UserError(
                f"--storage {text}: unknown {name!r}; only endpoint_override can be set"
            )
        os.environ[ENDPOINT] = values[0]
    try:
        path = open_path(address)
    except ValueError as error:
        raise UserError(f"--storage {text}: {error}") from None
    if not path.parts[0].strip("/"):
        raise UserError(f"--storage {text}: names no bucket")
    return path


def with_retries(
    operation: Callable[[], Result], path: StudyPath, *, reading: bool = False
) -> Result:
    """Do an operation on the store; again for two minutes while the store does not answer.

    Errors that are not the store's pass through at once, as they are.

    Args:
        operation: may be done several times.
        reading: it only reads.

    Raises:
        OSError: it cannot be done, or the store did not come back; a FileNotFoundError or
            ReadError if it only reads.
    """
    began = time.monotonic()

    def report(state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome:
            log.warning(
                "%s does not answer (%s); trying for %.0f more seconds",
                path, error_message(state.outcome.exception()), PATIENCE,
            )  # fmt: skip

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: is_transient(error, path)),
        wait=tenacity.wait_exponential(multiplier=0.2, max=5),
        stop=tenacity.stop_after_delay(PATIENCE),
        before_sleep=report,
        reraise=True,
    )
    try:
        result = retrying(operation)
    except FileNotFoundError:
        raise
    except Exception as error:
        if reading and isinstance(error, OSError):
            raise ReadError(
                error.errno, error_message(error), str(error.filename or path)
            ) from error
        if isinstance(error, OSError) or not is_driver_error(error):
            raise
        kind = ReadError if reading else OSError
        raise kind(errno.EIO, error_message(error), str(path)) from error
    if retrying.statistics["attempt_number"] > 1:
        log.warning("%s answers again after %.0f s", path, time.monotonic() - began)
    return result


def is_transient(error: BaseException, path: StudyPath) -> bool:
    """Whether the store may do later what it does not do now."""
    if not is_object_store(path):
        return isinstance(error, OSError) and error.errno in TRANSIENT
    if is_driver_error(error):
        return type(error).__name__ not in MISCONFIGURED
    return isinstance(error, OSError) and not isinstance(error, FINAL_ERRORS)


def is_driver_error(error: BaseException) -> bool:
    """Whether a package that speaks to object stores defines this error."""
    return any(kind.__module__.partition(".")[0] in DRIVERS for kind in type(error).__mro__)


def error_message(error: BaseException | None) -> str:
    """What is wrong with the store, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).partition("\n")[0]


def write_bytes(path: StudyPath, content: bytes) -> None:
    """Replace a file in one step; a reader, or a process that is killed, never meets half of it.

    Raises:
        OSError: it cannot be written; the file is as it was before.
    """
    with_retries(lambda: _write_once(path, content), path)


def _write_once(path: StudyPath, content: bytes) -> None:
    if not isinstance(path, Path):
        path.write_bytes(content)
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_bytes(path: StudyPath) -> bytes:
    """The content of a file.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    return with_retries(lambda: paths.read_bytes(path), path, reading=True)


def children(folder: StudyPath) -> list[StudyPath]:
    """What is in a folder; nothing if there is no such folder.

    Raises:
        OSError: it cannot be read.
    """

    def listed() -> list[StudyPath]:
        try:
            if isinstance(folder, Path):
                return list(folder.iterdir())
            # Not iterdir: an empty object that stands for the folder is no child of it.
            here = folder.path.rstrip("/")
            names = (name.rstrip("/") for name in folder.fs.ls(here, detail=False))
            return [folder / name.rpartition("/")[2] for name in names if name != here]
        except (FileNotFoundError, NotADirectoryError):
            return []

    return with_retries(listed, folder, reading=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive the machine, as fsync does the content of a file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that does not need it, or cannot
            raise
    finally:
        os.close(handle)


def remove_tree(folder: StudyPath) -> None:
    """Remove a folder and what is in it, as far as that can be done: it is only in the way."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        folder.rmdir(recursive=True)
    except Exception as error:
        log.info("%s cannot be removed: %s", folder, error_message(error))


def check_writable(folder: StudyPath) -> None:
    """Write and remove a file, to see whether that can be done.

    Raises:
        OSError: it cannot.
    """
    path = folder / f".probe-{uuid.uuid4().hex}"
    try:
        path.write_bytes(b"")
        path.unlink()
    except Exception as error:
        if isinstance(error, OSError) or not is_driver_error(error):
            raise
        raise OSError(errno.EIO, error_message(error)) from None
