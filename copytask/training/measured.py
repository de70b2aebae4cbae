"""What was measured once on this machine, kept in the user's cache folder."""

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

PROCESSOR_LINES = ("model name", "CPU implementer", "CPU part")
"""Lines of /proc/cpuinfo that tell one model of processor from another; ARM has the last two."""


def processor() -> str:
    """The model of this machine's processor."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = {" ".join(line.split()) for line in lines if line.startswith(PROCESSOR_LINES)}
        if named:
            return "; ".join(sorted(named))
    return platform.processor() or platform.machine()


def measured_once(
    name: str, key: Mapping[str, object], choices: Collection[str], measure: Callable[[], str]
) -> str:
    """One of ``choices``: what ``measure`` returned when it was first asked for this key.

    The answer is kept in ``copytask-search`` below ``$XDG_CACHE_HOME`` or ``~/.cache``. Where that
    cannot be read or written, it is measured each time.

    Args:
        name: what is measured; part of the file's name.
        key: what the answer depends on; plain values.
    """
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no home
        return measure()
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = folder / "copytask-search" / f"{name}-{digest[:16]}.json"
    if earlier := _read(file, name, choices):
        return earlier
    value = measure()
    if earlier := _read(file, name, choices):  # another process has measured meanwhile
        return earlier
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, whole = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "w") as written:
            json.dump({name: value, **key}, written, indent=2)
        os.replace(whole, file)
    return value


def _read(file: Path, name: str, choices: Collection[str]) -> str | None:
    """The answer in a file, if there is one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        value = json.loads(file.read_text())[name]
        if value in choices:
            return str(value)
    return None
