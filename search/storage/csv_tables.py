"""The CSV tables of a study directory. Each is replaced as a whole, in one step."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from search.storage.store import read_bytes, write_blocks
from studies.paths import StudyPath

Row = dict[str, Any]

ROWS = 1000
"""Rows that are written at a time."""


def write_rows(
    path: StudyPath, columns: Sequence[str], rows: Callable[[], Iterable[Mapping[str, Any]]]
) -> None:
    """Replace a CSV file; None becomes an empty cell, and a value without a column is left out.

    Args:
        rows: makes the rows, which are not kept in memory.

    Raises:
        OSError: it cannot be written; the file is unchanged.
    """
    write_blocks(path, lambda: _blocks(columns, rows()))


def _blocks(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    left = iter(rows)
    lines: list[Iterable[Any]] = [columns]
    while lines:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        yield text.getvalue().encode()
        lines = [[row.get(name) for name in columns] for row in islice(left, ROWS)]


def read_rows(path: StudyPath) -> list[Row]:
    """Read what :func:`write_rows` wrote: numbers as numbers, empty cells as None.

    Raises:
        OSError: there is no such file.
    """
    lines = io.StringIO(read_bytes(path).decode(), newline="")
    return [{k: _parse_cell(v) for k, v in row.items()} for row in csv.DictReader(lines)]


def _parse_cell(text: str) -> int | float | str | None:
    if text == "":
        return None
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text
