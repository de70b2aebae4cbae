"""Measurements of this machine's speed, made once and kept in the user's cache folder."""

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

PROCESSOR_LINES = ("model name", "CPU implementer", "CPU part")
"""Lines of /proc/cpuinfo that identify the model of a processor; ARM has the last two."""


def processor() -> str:
    """The model of this machine's processor."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = {" ".join(line.split()) for line in lines if line.startswith(PROCESSOR_LINES)}
        if named:
            return "; ".join(sorted(named))
    return platform.processor() or platform.machine()


def cached_measurement(
    name: str, key: Mapping[str, object], choices: Collection[str], measure: Callable[[], str]
) -> str:
    """Return the cached result of a measurement, or measure and cache it.

    The cache is ``copytask-search`` below ``$XDG_CACHE_HOME`` or ``~/.cache``. If that cannot be
    read or written, every call measures.

    Args:
        name: what is measured; part of the file's name.
        key: what the result depends on; plain values.
        choices: the possible results; anything else in the cache is ignored.
        measure: makes the measurement; returns one of ``choices``.
    """
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # the user has no home folder
        return measure()
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    file = folder / "copytask-search" / f"{name}-{digest[:16]}.json"
    if earlier := _read(file, name, choices):
        return earlier
    value = measure()
    if earlier := _read(file, name, choices):  # another process has measured it meanwhile
        return earlier
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, whole = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "w") as written:
            json.dump({name: value, **key}, written, indent=2)
        os.replace(whole, file)
    return value


def _read(file: Path, name: str, choices: Collection[str]) -> str | None:
    """The result in a file; None if there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        value = json.loads(file.read_text())[name]
        if value in choices:
            return str(value)
    return None
