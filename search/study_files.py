"""Files of a study directory that are replaced as a whole and in one step."""

import csv
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

Row = dict[str, Any]


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a CSV file; None becomes an empty cell.

    Raises:
        OSError: it cannot be written; the file is as it was before.
    """

    def write(file: IO[str]) -> None:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

    replace(path, write)


def write_text(path: Path, text: str) -> None:
    """Replace a text file.

    Raises:
        OSError: it cannot be written; the file is as it was before.
    """

    def write(file: IO[str]) -> None:
        file.write(text)

    replace(path, write)


def replace(path: Path, write: Callable[[IO[str]], None]) -> None:
    """Let ``write`` fill a new file, and put it in the place of the one at ``path``.

    A reader, or a search that is killed, never meets half a file.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", newline="") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_rows(path: Path) -> list[Row]:
    """Read what :func:`write_rows` wrote: numbers as numbers, empty cells as None.

    Raises:
        OSError: there is no such file.
    """
    with path.open(newline="") as file:
        return [{k: _parse_cell(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _parse_cell(text: str) -> int | float | str | None:
    if text == "":
        return None
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text
