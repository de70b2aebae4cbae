"""CSV files that grow by a row for each measurement; a second start goes on with the rest."""

import csv
import gzip
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.errors import UserError
from search.storage.whole_lines import end_of_whole_lines

Key = tuple[str, ...]


class Rows:
    """The rows of a file, and those that are appended to it.

    Args:
        path: of the file; it is made with the first row.
        key: columns that say which measurement a row is.
        settings: columns that all rows have in common, with their values.
        values: the other columns.

    Raises:
        UserError: the file has other columns, or rows of other settings.
    """

    def __init__(
        self, path: Path, key: Sequence[str], settings: Mapping[str, Any], values: Sequence[str]
    ):
        self._path = path
        self._key = key
        self._settings = {name: str(value) for name, value in settings.items()}
        self._columns = [*key, *values, *settings]
        self._rows: dict[Key, dict[str, str]] = {}
        if path.exists():
            self._read()

    def _read(self) -> None:
        with self._path.open("r+b") as file:  # a process that was killed may leave half a line
            file.truncate(end_of_whole_lines(file))
        with self._path.open(newline="") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames is not None and list(reader.fieldnames) != self._columns:
                raise UserError(f"{self._path} has other columns; name another file with --output")
            for row in reader:
                check_settings(self._path, row, self._settings)
                self._rows[self._key_of(row)] = row

    def find(self, **key: Any) -> dict[str, str] | None:
        """The row of a measurement, if it was made."""
        return self._rows.get(self._key_of(key))

    def values_of(self, column: str, **key: Any) -> set[str]:
        """What a column holds in the rows whose key has these parts."""
        return {
            row[column]
            for row in self._rows.values()
            if all(row[name] == str(value) for name, value in key.items())
        }

    def append(self, row: Mapping[str, Any]) -> None:
        """Write the row of a measurement; the settings are added."""
        both = {**row, **self._settings}
        texts = {name: "" if value is None else str(value) for name, value in both.items()}
        is_new = not self._path.exists() or not self._path.stat().st_size
        with self._path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self._columns, lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(texts)
        self._rows[self._key_of(texts)] = texts

    def _key_of(self, row: Mapping[str, Any]) -> Key:
        return tuple(str(row[name]) for name in self._key)


def pack(path: Path) -> None:
    """Replace a file of rows to which nothing will be appended by FILE.gz."""
    packed = _packed(path)
    with path.open("rb") as rows, gzip.GzipFile(packed, "wb", mtime=0) as file:
        shutil.copyfileobj(rows, file)
    path.unlink()


def unpack(path: Path) -> None:
    """Bring back a file that was packed, to append to it."""
    if not path.exists() and _packed(path).exists():
        with gzip.open(_packed(path), "rb") as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)


def _packed(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


def check_settings(path: Path, row: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    """Check that a row of a file was measured with these settings.

    Raises:
        UserError: it was not.
    """
    for name, value in settings.items():
        if row.get(name) != str(value):
            raise UserError(
                f"{path} was measured with {name} {row.get(name)}, not {value}: use that again, or "
                "name another file with --output"
            )
