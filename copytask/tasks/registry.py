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
            raise ValueError(f"the task {name!r} lacks the method {', '.join(lacking)}")
        try:
            found = found()
        except Exception as error:  # the user's code may raise anything
            raise ValueError(f"the task {name!r} cannot be made: {error_line(error)}") from error
    if not isinstance(found, Task):
        raise ValueError(f"the task {name!r} is no subclass of copytask.Task, nor an object of one")
    for size in ("symbols", "outputs"):
        if not isinstance(getattr(found, size, None), int):
            raise ValueError(f"the task {name!r} lacks the number of its {size}")
    return found
