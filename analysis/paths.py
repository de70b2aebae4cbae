"""Where studies are: folders of this machine, or prefixes in an object store such as S3."""

from pathlib import Path

import fsspec
from upath import UPath

StudyPath = Path | UPath

# A search may write there meanwhile, so listings must not be remembered.
fsspec.config.conf.setdefault("s3", {})["use_listings_cache"] = False


class InputError(Exception):
    """What was asked for cannot be read or written; the message is for the user."""


def open_path(text: str | StudyPath) -> StudyPath:
    """The path of a folder, or of an address such as ``s3://bucket/prefix``.

    Raises:
        InputError: a package for such addresses is missing, or there are none such.
    """
    try:
        path = UPath(text)
        if is_remote(path):
            path.fs  # noqa: B018  (made here, so that a missing package is met here)
    except (ImportError, ValueError) as error:
        s3 = str(text).startswith("s3:")
        needed = "pip install s3fs" if s3 else str(error)
        raise InputError(f"{text} cannot be read yet: {needed}") from None
    return path


def read_bytes(path: StudyPath) -> bytes:
    """The content of a file, in one piece also while a search replaces it.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    if isinstance(path, Path):
        return path.read_bytes()
    content: bytes = path.fs.cat_file(path.path)
    return content


def is_remote(path: StudyPath) -> bool:
    """Whether it is in an object store."""
    return not isinstance(path, Path)
