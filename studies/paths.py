"""Where studies are, for ``search`` and ``analysis``: folders, and prefixes in an object store.

A path is a :class:`upath.UPath`, which for a folder of this machine is a plain
:class:`pathlib.Path`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import fsspec
from upath import UPath

StudyPath = UPath | Path

# Other processes write to the same places, so listings must not be remembered.
fsspec.config.conf.setdefault("s3", {})["use_listings_cache"] = False


ENDPOINT = "AWS_ENDPOINT_URL"

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", ENDPOINT)
"""Environment variables that name another S3-compatible server; the first that is set counts."""

SERVER = re.compile(
    r"https?://([a-z\d]([a-z\d.-]*[a-z\d])?|\[[\da-f:.]+\])(:\d+)?(/\S*)?", re.IGNORECASE
)
"""The address of a server, for S3's driver: a name or an IP address, and maybe port and path."""


def open_path(text: str | StudyPath) -> StudyPath:
    """The path of a folder, or of an address such as ``s3://bucket/prefix``; ~ is the home folder.

    Raises:
        ValueError: there are no such addresses, a package for them is missing, or the environment
            names a server that has no address; the message says what is needed.
    """
    if str(text).startswith("s3:"):
        _check_environment()
    try:
        path = UPath(os.path.expanduser(text) if isinstance(text, str) else text)
        if is_object_store(path):
            path.fs  # noqa: B018  (made here, so that a missing package is met here)
    except (ImportError, ValueError) as error:
        s3 = str(text).startswith("s3:")
        needed = "pip install s3fs" if s3 else str(error)
        raise ValueError(f"cannot be read yet: {needed}") from None
    return path


def _check_environment() -> None:
    """Check the server of the environment: S3's driver would raise an error of its own later."""
    for name in ENDPOINTS:
        if address := os.environ.get(name):
            try:
                check_endpoint(name, address)
            except ValueError as error:
                raise ValueError(f"cannot be reached: {error}") from None
            return


def check_endpoint(name: str, address: str) -> None:
    """Check the address of an S3-compatible server.

    Args:
        name: where it comes from, for the message.

    Raises:
        ValueError: it lacks ``http://`` or ``https://``, or the host; the message says what to
            write.
    """
    if not SERVER.fullmatch(address):
        raise ValueError(
            f"{name} must be http://HOST:PORT or https://HOST:PORT, with letters, digits, '-' and "
            f"'.' in HOST, but got {address!r}"
        )


def is_object_store(path: StudyPath) -> bool:
    """Whether it has no append, rename and locks: what it holds appears as a whole."""
    return not isinstance(path, Path)


BLOCK = 1 << 20
"""Bytes of a long file of this machine that are read at a time."""


def read_blocks(path: StudyPath) -> Iterator[bytes]:
    """The content of a file to which lines are appended, in blocks.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    if not isinstance(path, Path):
        yield read_bytes(path)
        return
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def read_bytes(path: StudyPath) -> bytes:
    """The content of a file, in one piece also while somebody replaces it.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    if isinstance(path, Path):
        return path.read_bytes()
    content: bytes = path.fs.cat_file(path.path)
    return content
