"""What a benchmark says about the machine that it ran on."""

import os
import platform
from pathlib import Path

from copytask import compiled_kernels


def machine() -> str:
    """The processor's name, its number of cores, and the build of the kernels that it can run."""
    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = names[0].partition(":")[2].strip() if names else name
    return f"{name}, {os.cpu_count()} cores, kernels {compiled_kernels()}"
