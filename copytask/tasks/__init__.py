"""The protocols of the copy task. A new one is one file and one line in ``TASKS``."""

from copytask.tasks.delay import Delay
from copytask.tasks.sequence import Sequence
from copytask.tasks.task import (
    ALPHABET_SIZE,
    BLANK,
    CHANCE_ACCURACY,
    CHANCE_CROSS_ENTROPY,
    DELIMITER,
    PAYLOAD_SYMBOLS,
    Batch,
    Task,
)

TASKS: dict[str, Task] = {"delay": Delay(), "sequence": Sequence()}
"""Name of each protocol -> the task."""

__all__ = [
    "ALPHABET_SIZE",
    "BLANK",
    "CHANCE_ACCURACY",
    "CHANCE_CROSS_ENTROPY",
    "DELIMITER",
    "PAYLOAD_SYMBOLS",
    "TASKS",
    "Batch",
    "Delay",
    "Sequence",
    "Task",
]
