"""What a row of the comparison says, and what its study took."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analysis.report.cells import Row
from studies.seed_statistics import clopper_pearson


class Effort(NamedTuple):
    """What a study took.

    Attributes:
        machines: on which its times were measured, in words.
        wall_seconds: of its whole search, at all T; None if it is not known.
        tokens: of all trials of the search together.
        trials: of the search.
        finals: T at which the best trial is a final training, for longer than the search.
    """

    machines: Sequence[str]
    wall_seconds: float | None
    tokens: int
    trials: int
    finals: frozenset[int] = frozenset()


def is_tested(row: Row) -> bool:
    """Whether the best trial of a row has an accuracy on test data."""
    return all(row[name] is not None for name in ("accuracy", "accuracy_low", "accuracy_high"))


def is_solved(row: Row) -> bool:
    """Whether the best trial of a row solved its T."""
    return is_tested(row) and row["tokens_to_solve"] is not None


def is_confirmed(row: Row) -> bool:
    """Whether the best configuration of a row was trained again with fresh seeds."""
    return row["seeds"] is not None


def is_raced(row: Row) -> bool:
    """Whether only the race knows fresh seeds of the configuration of a row."""
    return not is_confirmed(row) and bool(row["race_seeds"])


def race_interval(row: Row) -> tuple[float, float]:
    """The exact 95 % interval of the solve rate that the race saw."""
    return clopper_pearson(row["race_solved"], row["race_seeds"])


def labels_of(rows: Sequence[Row]) -> list[str]:
    """The labels, each once."""
    return list(dict.fromkeys(row["label"] for row in rows))


def largest_solved(label: str, rows: Sequence[Row]) -> int:
    """The largest T that a label solved; 0 if there is none.

    A T that no fresh seed solves does not count, whatever its best trial did.
    """
    solved = [row for row in rows if row["label"] == label and is_solved(row)]
    return max((row["T"] for row in solved if row["solve_rate"] != 0), default=0)


def final_labels(rows: Sequence[Row], efforts: Mapping[str, Effort]) -> list[str]:
    """The labels whose row is of a final training."""
    return [row["label"] for row in rows if row["T"] in efforts[row["study"]].finals]
