"""Which process holds a lock, and whether it still lives."""

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

Owner = dict[str, Any]

ENDED = ("Z", "X")
"""States in which a process only waits for its parent to ask how it ended."""


def this_process() -> Owner:
    """What tells this process from every other one, as plain values.

    A host's name and a pid do not: containers share the one, and the other is given out again. So
    there are also ``boot``, this start of the system's kernel, ``namespace``, the container that
    the pid is counted in, and ``started``, when the process began; empty or 0 on a system that
    has no ``/proc``.
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
    """Whether a process lives; None if that cannot be told from here: it is in another container
    or on another machine."""
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
    if not started:  # another user's, who keeps /proc from us
        return None
    return started == owner["started"] and state not in ENDED


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _namespace() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _state(pid: int) -> tuple[str, int]:
    """A process's state and when it began, in ticks since the system started; "" and 0 if it is
    not to be seen."""
    with suppress(OSError):
        # The name, in parentheses, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return "", 0
