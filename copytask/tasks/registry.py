"""The tasks by name."""

import difflib
import inspect

from copytask.error_lines import error_line
from copytask.tasks.delay import Delay
from copytask.tasks.recall import Recall
from copytask.tasks.recite import Recite
from copytask.tasks.reverse import Reverse
from copytask.tasks.selective import Selective
from copytask.tasks.sequence import Sequence
from copytask.tasks.task import Task
from copytask.user_code import import_object

TASKS: dict[str, Task] = {
    "delay": Delay(),
    "recall": Recall(),
    "recite": Recite(),
    "reverse": Reverse(),
    "selective": Selective(),
    "sequence": Sequence(),
}
"""Name of each task -> the task."""


def find_task(name: str) -> Task:
    """Find a task.

    Args:
        name: a key of ``TASKS``, or a user's own, a subclass of :class:`copytask.Task` or an object
            of one, as ``path/file.py:name`` or ``package.module:name``, which is then imported.

    Raises:
        ValueError: the name is unknown, or the user's task cannot be imported or lacks something.
    """
    if name in TASKS:
        return TASKS[name]
    if ":" not in name:
        near = difflib.get_close_matches(name, TASKS, n=1)
        raise ValueError(
            f"unknown task {name!r}"
            + (f"; did you mean {near[0]!r}? " if near else ". ")
            + f"Choose from {', '.join(TASKS)}, or name your own as path/file.py:MyTask or "
            "package.module:MyTask"
        )
    found = import_object(name, "task")
    if inspect.isclass(found) and issubclass(found, Task):
        if lacking := sorted(found.__abstractmethods__):
            methods = f"method{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
            raise ValueError(f"the task {name!r} lacks the {methods}")
        try:
            found = found()
        except Exception as error:  # the user's code may raise anything
            raise ValueError(f"the task {name!r} cannot be made: {error_line(error)}") from error
    if not isinstance(found, Task):
        raise ValueError(f"the task {name!r} is no subclass of copytask.Task, nor an object of one")
    for size in ("symbols", "outputs"):
        count = getattr(found, size, None)
        if not isinstance(count, int):
            raise ValueError(f"the task {name!r} lacks the number of its {size}")
        if count < 1:
            raise ValueError(f"the task {name!r} must have {size} >= 1, but has {count}")
    check_chance(found, name)
    return found


def check_chance(task: Task, name: str) -> None:
    """Check that the accuracy of guessing in a user's task is one.

    Raises:
        ValueError: it is not, or cannot be computed.
    """
    try:
        chance = float(task.chance_accuracy)
    except Exception as error:  # the user's code may raise anything
        raise ValueError(
            f"the task {name!r} fails in chance_accuracy: {error_line(error)}"
        ) from error
    if not 0 < chance <= 1:
        raise ValueError(
            f"the task {name!r} must have a chance_accuracy above 0 and at most 1, but has "
            f"{chance:g}"
        )
