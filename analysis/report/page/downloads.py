"""Files that can be downloaded from the page, which holds them as data URIs."""

import base64
import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

PLAIN_AT_MOST = 20_000  # bytes; a larger file is held compressed
MEDIA_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".tex": "text/x-tex",
    ".yaml": "application/yaml",
}
"""Suffix -> media type of the files that can be downloaded from the page."""


class Download(NamedTuple):
    """A file that the page holds: its name and its content as a data URI."""

    name: str
    uri: str


def download(name: str, content: bytes) -> Download:
    """A file as a download, compressed if it is large."""
    if len(content) > PLAIN_AT_MOST:
        compressed = gzip.compress(content, mtime=0)  # the time would make equal data differ
        return Download(f"{name}.gz", data_uri(compressed, "application/gzip"))
    return Download(name, data_uri(content, MEDIA_TYPES[Path(name).suffix]))


def data_uri(content: bytes, media_type: str) -> str:
    """A file as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


class Candidate(NamedTuple):
    """A file that the page may hold."""

    name: str
    size: int
    read: Callable[[], bytes]


def held(candidates: Mapping[str, Candidate], limit: int) -> dict[str, Download]:
    """The candidates that fit into ``limit`` characters, small ones first, under their keys."""
    found: dict[str, Download] = {}
    total = 0
    for key in sorted(candidates, key=lambda key: (candidates[key].size, key)):
        name, _, read = candidates[key]
        file = download(name, read())
        total += len(file.uri)
        if total > limit:
            break
        found[key] = file
    return found
