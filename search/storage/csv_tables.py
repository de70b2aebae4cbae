"""The CSV tables of a study directory. Each is replaced as a whole, in one step."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from search.storage.store import read_bytes, write_bytes
from studies.paths import StudyPath

Row = dict[str, Any]


def write_rows(path: StudyPath, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a CSV file; None becomes an empty cell, and a value without a column is left out.

    Raises:
        OSError: it cannot be written; the file is unchanged.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


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
