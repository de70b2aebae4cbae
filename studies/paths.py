"""Where studies are, for ``search`` and ``analysis``: folders, and prefixes in an object store.

A path is a :class:`upath.UPath`, which for a folder of this machine is a plain
:class:`pathlib.Path`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
from upath import UPath

StudyPath = UPath | Path

# Other processes write to the same places, so listings must not be remembered.
fsspec.config.conf.setdefault("s3", {})["use_listings_cache"] = False


def open_path(text: str | StudyPath) -> StudyPath:
    """The path of a folder, or of an address such as ``s3://bucket/prefix``; ~ is the home folder.

    Raises:
        ValueError: there are no such addresses, or a package for them is missing; the message says
            what is needed.
    """
    try:
        path = UPath(os.path.expanduser(text) if isinstance(text, str) else text)
        if is_object_store(path):
            path.fs  # noqa: B018  (made here, so that a missing package is met here)
    except (ImportError, ValueError) as error:
        s3 = str(text).startswith("s3:")
        needed = "pip install s3fs" if s3 else str(error)
        raise ValueError(f"cannot be read yet: {needed}") from None
    return path


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
