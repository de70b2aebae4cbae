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

import study_paths
from search.errors import UserError
from study_paths import StudyPath, is_object_store, open_path

# Patience is had here: see persistently.
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

FINAL_ERRORS = (FileNotFoundError, PermissionError, FileExistsError, ImportError, ValueError)
"""What would come again: answers of an object store, and content that is no good."""

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


def persistently(operation: Callable[[], Result], path: StudyPath) -> Result:
    """Do an operation on the store; again for two minutes while the store does not answer.

    Raises:
        OSError: it cannot be done, or the store did not come back.
    """
    began = time.monotonic()

    def report(state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome:
            log.warning(
                "%s does not answer (%s); trying for %.0f more seconds",
                path, reason(state.outcome.exception()), PATIENCE,
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
    except OSError:
        raise
    except Exception as error:
        if not is_object_store(path):
            raise
        raise OSError(errno.EIO, reason(error)) from error
    if retrying.statistics["attempt_number"] > 1:
        log.warning("%s answers again after %.0f s", path, time.monotonic() - began)
    return result


def is_transient(error: BaseException, path: StudyPath) -> bool:
    """Whether the store may do later what it does not do now."""
    if not isinstance(error, Exception) or isinstance(error, FINAL_ERRORS):
        return False
    if is_object_store(path):  # its drivers have errors of their own for a server that is away
        return type(error).__name__ not in ("NoCredentialsError", "PartialCredentialsError")
    return isinstance(error, OSError) and error.errno in TRANSIENT


def reason(error: BaseException | None) -> str:
    """What is wrong with the store, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).partition("\n")[0]


def write_bytes(path: StudyPath, content: bytes) -> None:
    """Replace a file in one step; a reader, or a process that is killed, never meets half of it.

    Raises:
        OSError: it cannot be written; the file is as it was before.
    """
    persistently(lambda: _write_once(path, content), path)


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
    return persistently(lambda: study_paths.read_bytes(path), path)


def children(folder: StudyPath) -> list[StudyPath]:
    """What is in a folder; nothing if there is no such folder.

    Raises:
        OSError: it cannot be read.
    """

    def listed() -> list[StudyPath]:
        try:
            return list(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    return persistently(listed, folder)


def remove_tree(folder: StudyPath) -> None:
    """Remove a folder and what is in it, as far as that can be done: it is only in the way."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        folder.rmdir(recursive=True)
    except Exception as error:
        log.info("%s cannot be removed: %s", folder, reason(error))


def probe(folder: StudyPath) -> None:
    """Write and remove a file, to see whether that can be done.

    Raises:
        OSError: it cannot.
    """
    path = folder / f".probe-{uuid.uuid4().hex}"
    try:
        path.write_bytes(b"")
        path.unlink()
    except OSError:
        raise
    except Exception as error:
        raise OSError(errno.EIO, reason(error)) from None
