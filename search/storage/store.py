"""Reads and writes the files of studies, in a folder or an object store (``s3://bucket/prefix``).

Paths are :class:`upath.UPath`; for a folder on this machine that is a plain :class:`pathlib.Path`.
An object store cannot append, rename or lock; a file appears in it as a whole or not at all.
"""

import errno
import functools
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import parse_qs

import fsspec
import tenacity

from copytask.error_lines import reason_line
from search.errors import ReadError, UserError
from studies import paths
from studies.paths import (
    ENDPOINT,
    ENDPOINTS,
    StudyPath,
    check_endpoint,
    is_object_store,
    open_path,
)

# We retry ourselves, see with_retries; the driver must not.
fsspec.config.conf["s3"]["config_kwargs"] = {"retries": {"total_max_attempts": 1}}

STORE_VARIABLES = (*ENDPOINTS, "AWS_REGION", "AWS_DEFAULT_REGION")
"""Environment variables that the workers of a cluster need to find the same store. Secret keys are
not among them: a cluster's dashboard and logs show what it is given."""

FIRST_PAUSE = 0.2
"""Seconds before an operation is tried for the second time; then each pause is twice as long."""

RETRY_SECONDS = 120.0
"""Seconds for which we retry an operation on a store that does not answer."""

TRANSIENT = {
    errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.ENETDOWN, errno.ENETUNREACH, errno.ECONNREFUSED, errno.ECONNRESET, errno.EBUSY,
}  # fmt: skip
"""Errors of a file system that may pass, as when a file server is down for a while."""

FINAL_ERRORS = (FileNotFoundError, PermissionError, FileExistsError)
"""Errors of an object store that a retry would meet again."""

DRIVERS = {"botocore", "aiohttp", "fsspec", "gcsfs", "google", "azure"}
"""Packages whose errors mean that an object store does not answer; many are not OSErrors."""

MISCONFIGURED = {"NoCredentialsError", "PartialCredentialsError", "ParamValidationError"}
"""Errors of these packages that a retry would meet again."""

log = logging.getLogger(__name__)
Result = TypeVar("Result")


def parse_storage(text: str) -> StudyPath:
    """Parse ``--storage``: a folder, where ~ is the home folder, or a prefix in an object store.

    ``?endpoint_override=http://host:port`` after an ``s3://`` address names another S3-compatible
    server. It is set as the environment variable ``AWS_ENDPOINT_URL``, where the workers find it
    too.

    Raises:
        UserError: the address cannot be used.
    """
    address, _, query = text.partition("?")
    if "://" not in address:
        return Path(os.path.expanduser(text))
    try:
        for name, values in parse_qs(query, keep_blank_values=True).items():
            if name != "endpoint_override":
                raise ValueError(f"unknown {name!r}; the only parameter is endpoint_override")
            check_endpoint(name, values[0])
            os.environ[ENDPOINT] = values[0]
        path = open_path(address)
    except ValueError as error:
        raise UserError(f"--storage {text}: {error}") from None
    if not path.parts[0].strip("/"):
        raise UserError(f"--storage {text}: the bucket is missing; write s3://BUCKET/PREFIX")
    return path


def with_retries(
    operation: Callable[[], Result], path: StudyPath, *, reading: bool = False
) -> Result:
    """Run an operation on the store; retry for two minutes while the store does not answer.

    Errors that do not come from the store are raised at once and unchanged.

    Args:
        operation: what to do; it must be safe to repeat.
        path: the file or folder, for messages.
        reading: whether the operation only reads.

    Raises:
        OSError: the operation failed, or the store did not answer in time. If it only reads: a
            FileNotFoundError or ReadError.
    """
    began = time.monotonic()
    try:
        return operation()
    except Exception as error:
        if not is_transient(error, path):
            _raise_as_os_error(error, path, reading)
        log.warning(
            "%s does not answer (%s); trying for %.0f more seconds",
            path, reason_line(error), RETRY_SECONDS,
        )  # fmt: skip
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: is_transient(error, path)),
        wait=tenacity.wait_exponential(multiplier=2 * FIRST_PAUSE, max=5),
        stop=tenacity.stop_after_delay(RETRY_SECONDS),
        reraise=True,
    )
    retrying.sleep(FIRST_PAUSE)
    try:
        result = retrying(operation)
    except Exception as error:
        _raise_as_os_error(error, path, reading)
    log.warning("%s answers again after %.0f s", path, time.monotonic() - began)
    return result


def _raise_as_os_error(error: Exception, path: StudyPath, reading: bool) -> NoReturn:
    """Raise what :func:`with_retries` raises for an error of its operation."""
    if isinstance(error, OSError) and reading and not isinstance(error, FileNotFoundError):
        raise ReadError(error.errno, reason_line(error), str(error.filename or path)) from error
    if isinstance(error, OSError) or not is_driver_error(error):
        raise error
    kind = ReadError if reading else OSError
    raise kind(errno.EIO, reason_line(error), str(path)) from error


def is_transient(error: BaseException, path: StudyPath) -> bool:
    """Whether a retry may succeed."""
    if not is_object_store(path):
        return isinstance(error, OSError) and error.errno in TRANSIENT
    if is_driver_error(error):
        return type(error).__name__ not in MISCONFIGURED
    return isinstance(error, OSError) and not isinstance(error, FINAL_ERRORS)


def is_driver_error(error: BaseException) -> bool:
    """Whether the error comes from a driver of object stores."""
    return any(kind.__module__.partition(".")[0] in DRIVERS for kind in type(error).__mro__)


def write_bytes(path: StudyPath, content: bytes) -> None:
    """Replace a file in one step: nobody ever sees half of it, even if this process is killed.

    Raises:
        OSError: it cannot be written; the file is unchanged.
    """
    write_blocks(path, lambda: [content])


def write_blocks(path: StudyPath, blocks: Callable[[], Iterable[bytes]]) -> None:
    """Replace a file in one step, like :func:`write_bytes`.

    Args:
        blocks: makes the content piece by piece, which takes little memory in a folder.

    Raises:
        OSError: it cannot be written; the file is unchanged.
    """
    with_retries(lambda: _write_once(path, blocks()), path)


def _write_once(path: StudyPath, blocks: Iterable[bytes]) -> None:
    if not isinstance(path, Path):
        path.write_bytes(b"".join(blocks))
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(blocks)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_bytes(path: StudyPath) -> bytes:
    """Read a file.

    Raises:
        OSError: it does not exist, or cannot be read.
    """
    return with_retries(lambda: paths.read_bytes(path), path, reading=True)


def read_blocks(path: StudyPath) -> Iterator[bytes]:
    """Read a file to which lines are appended, in blocks: it may be long.

    Raises:
        OSError: it does not exist, or cannot be read.
    """
    if not isinstance(path, Path):
        yield read_bytes(path)
        return
    begin = 0
    while block := with_retries(functools.partial(_read_block, path, begin), path, reading=True):
        yield block
        begin += len(block)


def _read_block(path: Path, begin: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(paths.BLOCK)


def children(folder: StudyPath) -> list[StudyPath]:
    """List a folder; empty if there is no such folder.

    Raises:
        OSError: it cannot be read.
    """

    def listed() -> list[StudyPath]:
        try:
            if isinstance(folder, Path):
                return list(folder.iterdir())
            # iterdir would also list the empty object that stands for the folder itself.
            here = folder.path.rstrip("/")
            names = (name.rstrip("/") for name in folder.fs.ls(here, detail=False))
            return [folder / name.rpartition("/")[2] for name in names if name != here]
        except (FileNotFoundError, NotADirectoryError):
            return []

    return with_retries(listed, folder, reading=True)


def remove_tree(folder: StudyPath) -> None:
    """Remove a folder and its content as far as possible; errors are only logged."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        folder.rmdir(recursive=True)
    except Exception as error:
        log.info("%s cannot be removed: %s", folder, reason_line(error))


def check_writable(folder: StudyPath) -> None:
    """Check that a folder can be written, by writing and removing a file.

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
        raise OSError(errno.EIO, reason_line(error)) from None
