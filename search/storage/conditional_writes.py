"""Replaces an object of a store only if nobody else has replaced it meanwhile.

S3 and most compatible servers can do that (``If-Match``, ``If-None-Match``): if two processes write
at the same time, the store refuses one of them. On other stores and in folders the write is
unconditional.
"""

import errno
from pathlib import Path
from typing import TypeGuard

from upath import UPath

from search.storage.store import with_retries, write_bytes
from studies.paths import StudyPath, read_bytes

Tag = str | None
"""The version of an object, as S3's ETag: it changes when the content does. ``ABSENT``: there is no
such object; None: the store has no tags."""

ABSENT = ""


class ChangedError(FileExistsError):
    """Another process has written the object."""

    def __init__(self, path: StudyPath):
        super().__init__(errno.EEXIST, "another process has written it", str(path))


def read_object(path: StudyPath) -> tuple[bytes, Tag]:
    """Read an object and its tag; empty content and ``ABSENT`` if there is none.

    Raises:
        ReadError: the store cannot be read.
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
    """Replace an object if its tag is still ``seen``; return its new tag.

    Raises:
        ChangedError: another process has written it meanwhile.
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
        return tag  # our write succeeded, but its answer was lost and the retry was refused


def has_conditions(path: StudyPath) -> TypeGuard[UPath]:
    """Whether the store may know conditional writes: true for every S3-compatible store."""
    return not isinstance(path, Path) and hasattr(path.fs, "call_s3")


def _put(path: UPath, content: bytes, seen: str) -> Tag:
    bucket, key, _ = path.fs.split_path(path.path)
    condition = {"IfNoneMatch": "*"} if seen == ABSENT else {"IfMatch": seen}
    put = {"Bucket": bucket, "Key": key, "Body": content}
    try:
        answer = path.fs.call_s3("put_object", **put, **condition)
    except FileNotFoundError:  # the store refuses the write because the object was removed
        if seen == ABSENT:
            raise
        raise ChangedError(path) from None
    except OSError as error:
        if error.errno == errno.ENOSYS:  # the server does not know conditions
            path.fs.call_s3("put_object", **put)
            return None
        if _code(error) == "PreconditionFailed":
            raise ChangedError(path) from None
        raise
    tag: str = answer["ETag"]
    return tag


def _code(error: OSError) -> str:
    """S3's code for an error, such as PreconditionFailed."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
