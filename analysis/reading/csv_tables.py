"""The CSV files of a study as typed data frames."""

import io
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Literal

import pandas as pd

from analysis.reading.problems import ProblemError, one_line
from studies import format as files
from studies.columns import TEXT, WHOLE, Column, Table
from studies.paths import StudyPath, read_bytes
from studies.reserved import RESERVED

EXACTLY: dict[str, Any] = (
    {"float_precision": "round_trip"} if pd.__version__.startswith("2.") else {}
)
"""Argument of read_csv: before pandas 3 the last digit is off without it."""


def read_table(study: StudyPath, table: Table, optional: bool = False) -> pd.DataFrame:
    """Read a table of a study, with the types of its columns.

    Further columns are kept: they are searched hyperparameters, and numbers if all cells are. One
    with the name of a column that ``analysis`` adds is left out.

    Args:
        optional: the table has no rows if there is no such file.

    Raises:
        ProblemError: the file is missing, or not as the contract has it.
    """
    path = study / table.file
    if optional and not path.exists():
        return empty_frame(table.columns)
    numbers = {column.name: "float64" for column in table.columns if column.type != TEXT}
    try:
        try:
            frame = _read_csv(path, defaultdict(lambda: "str", numbers))
        except ValueError:  # a bad cell: read as text, which is slower, to name it below
            frame = _read_csv(path, str)
    except FileNotFoundError:
        raise ProblemError(f"{path.name} is missing") from None
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise ProblemError(f"{path.name} cannot be read: {one_line(error)}") from None
    _add_later_columns(frame, table)
    lacking = [name for name in table.names if name not in frame]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise ProblemError(f"{path.name} lacks the column {lacking[0]}{more}")
    for column in table.columns:
        if column.type != TEXT:
            frame[column.name] = _numbers(path, frame[column.name], column)
    frame = frame.drop(columns=[of for of in frame if of in RESERVED and of not in table.names])
    for name in frame:
        if name not in table.names:
            frame[name] = _numbers_if_all_are(frame[name])
    for name in ("T", "trial_id", "status"):
        if name in table.names and frame[name].isna().any():
            raise ProblemError(f"{path.name}: a row has no {name}")
    return frame


def empty_frame(columns: Iterable[Column]) -> pd.DataFrame:
    """A frame without rows, with the types of these columns."""
    return pd.DataFrame({of.name: pd.Series(dtype=frame_type(of)) for of in columns})


def frame_type(column: Column) -> Literal["object", "Int64", "float64"]:
    """The type of a column in a data frame, in which any cell may be empty."""
    if column.type == TEXT:
        return "object"
    return "Int64" if column.type == WHOLE else "float64"


def _add_later_columns(frame: pd.DataFrame, table: Table) -> None:
    """Add the columns that early versions did not write."""
    if "stage" in table.names:
        frame["stage"] = frame["stage"].fillna(files.SEARCH) if "stage" in frame else files.SEARCH
    for name in set(files.LATER_COLUMNS) & set(table.names) - set(frame):
        frame[name] = pd.Series(index=frame.index, dtype="object")


def _read_csv(path: StudyPath, dtype: Any) -> pd.DataFrame:
    """Only an empty cell means "no value": a user's cell may well be called NA."""
    frame: pd.DataFrame = pd.read_csv(
        io.BytesIO(read_bytes(path)), dtype=dtype, keep_default_na=False, na_values=[""], **EXACTLY
    )
    return frame


def _numbers(path: StudyPath, cells: pd.Series, column: Column) -> pd.Series:
    try:
        # Not pd.to_numeric: before pandas 3 the last digit is off.
        return cells.astype("float64").astype(frame_type(column))
    except (ValueError, TypeError) as error:
        raise ProblemError(f"{path.name}: column {column.name}: {one_line(error)}") from None


def _numbers_if_all_are(cells: pd.Series) -> pd.Series:
    try:
        return cells.astype("float64")
    except (ValueError, TypeError):
        return cells
