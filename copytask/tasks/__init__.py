"""The tasks. A new one is one file, and one line in ``TASKS``, in registry.py."""

from copytask.tasks.copying import CopyTask
from copytask.tasks.registry import TASKS, find_task
from copytask.tasks.task import Batch, Task

__all__ = ["TASKS", "Batch", "CopyTask", "Task", "find_task"]
