"""What a benchmark says about the machine that it ran on."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """The processor's name and its number of cores."""
    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = names[0].partition(":")[2].strip() if names else name
    return f"{name}, {os.cpu_count()} cores"
