"""Objects of a store that are replaced only if nobody else has replaced them since.

S3 and most servers that speak like it can do that (``If-Match``, ``If-None-Match``): of two
processes that write at the same time, one is refused. Another store, or a folder, replaces without
a question.
"""

import errno
from pathlib import Path
from typing import TypeGuard

from upath import UPath

from search.storage.store import with_retries, write_bytes
from studies.paths import StudyPath, read_bytes

Tag = str | None
"""The state of an object, which every write changes if the content does. ``ABSENT``: there is no
such object; None: the store has no tags."""

ABSENT = ""


class ChangedError(FileExistsError):
    """Another process has written the object."""

    def __init__(self, path: StudyPath):
        super().__init__(errno.EEXIST, "another process has written it", str(path))


def read_object(path: StudyPath) -> tuple[bytes, Tag]:
    """The content of an object and its tag; nothing and ``ABSENT`` if there is none.

    Raises:
        ReadError: it cannot be read.
    """

    def read() -> tuple[bytes, Tag]:
        try:
            # The tag first: if the object is replaced in between, the next write is refused.
            tag = path.fs.info(path.path)["ETag"] if has_conditions(path) else None
            return read_bytes(path), tag
        except FileNotFoundError:
            return b"", ABSENT

    return with_retries(read, path, reading=True)


def replace_object(path: StudyPath, content: bytes, seen: Tag) -> Tag:
    """Write an object whose state is the one that was seen; returns its new tag.

    Raises:
        ChangedError: another process has written it since.
        OSError: it cannot be written.
    """
    if seen is None or not has_conditions(path):
        write_bytes(path, content)
        return None
    try:
        return with_retries(lambda: _put(path, content, seen), path)
    except ChangedError:
        now, tag = read_object(path)
        if now != content:
            raise
        return tag  # written by us, but the answer was lost and the write repeated


def has_conditions(path: StudyPath) -> TypeGuard[UPath]:
    """Whether the store is asked to write on conditions: any that speaks S3."""
    return not isinstance(path, Path) and hasattr(path.fs, "call_s3")


def _put(path: UPath, content: bytes, seen: str) -> Tag:
    bucket, key, _ = path.fs.split_path(path.path)
    condition = {"IfNoneMatch": "*"} if seen == ABSENT else {"IfMatch": seen}
    put = {"Bucket": bucket, "Key": key, "Body": content}
    try:
        answer = path.fs.call_s3("put_object", **put, **condition)
    except FileNotFoundError:  # that is how a write is refused after the object was removed
        if seen == ABSENT:
            raise
        raise ChangedError(path) from None
    except OSError as error:
        if error.errno == errno.ENOSYS:  # the server knows no conditions
            path.fs.call_s3("put_object", **put)
            return None
        if _code(error) == "PreconditionFailed":
            raise ChangedError(path) from None
        raise
    tag: str = answer["ETag"]
    return tag


def _code(error: OSError) -> str:
    """S3's name of an error."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
