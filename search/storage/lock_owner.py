"""Identifies the process that holds a lock, and tells whether it is still alive."""

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

Owner = dict[str, Any]

EXITED = ("Z", "X")
"""States of a process that has exited but whose parent has not yet collected it."""


def this_process() -> Owner:
    """Plain values that identify this process uniquely.

    A host name and a pid are not enough: containers may share a host name, and the system reuses
    pids. So there are also ``boot``, the id of this start of the kernel; ``namespace``, the
    container that the pid counts in; and ``started``, the start time of the process. They are empty
    or 0 on a system without ``/proc``.
    """
    pid = os.getpid()
    return {
        "host": platform.node(),
        "pid": pid,
        "boot": _boot(),
        "namespace": _namespace(),
        "started": _state(pid)[1],
    }


def is_alive(owner: Owner) -> bool | None:
    """Whether a process is alive; None if it is in another container or on another machine, where
    we cannot see it."""
    boot, namespace = _boot(), _namespace()
    if not (boot and namespace) or (boot, namespace) != (owner.get("boot"), owner.get("namespace")):
        return None
    pid = owner["pid"]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, started = _state(pid)
    if not started:  # another user's process, which /proc hides from us
        return None
    return started == owner["started"] and state not in EXITED


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _namespace() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _state(pid: int) -> tuple[str, int]:
    """The state of a process and its start time in ticks since the system started; "" and 0 if we
    cannot see it."""
    with suppress(OSError):
        # The fields follow the process's name, which is in parentheses and may contain anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return "", 0
