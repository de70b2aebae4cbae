"""Finds the build of the C files here that fits this processor.

setup.py compiles them once for each instruction set that the C compiler knows.
"""

import ctypes
import functools
import platform
from pathlib import Path

import torch

from copytask.engine.sources import digest
from copytask.engine.unrolled import GATES


class Problem(ctypes.Structure):
    """The same layout as ``Problem`` in kernels.c, which explains the fields."""

    _fields_ = [
        *(
            (name, ctypes.c_int64)
            for name in ("steps", "batch", "units", "recalled", "keep", "bf16")
        ),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "index", "inputs", "mx", "weight_hh", "weight_mh", "weight_im", "bias",
                "h", "c", "gates", "mh", "x", "outputs",
                "grad_outputs", "grad_h", "grad_c", "grad_inputs", "grad_mx",
                "grad_weight_hh", "grad_weight_mh", "grad_weight_im", "grad_bias", "scratch",
            )
        ),
    ]  # fmt: skip


class Memory(ctypes.Structure):
    """The same layout as ``Memory`` in memory.c, which explains the fields."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("steps", "rows", "frequencies", "values", "reads")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "cosine", "sine", "f", "turn", "v", "z", "state", "y", "kept_z", "kept_states",
                "grad_y", "grad_z", "grad_state", "grad_f", "grad_v", "grad_turn", "scratch",
            )
        ),
    ]  # fmt: skip


class FastWeights(ctypes.Structure):
    """The same layout as ``FastWeights`` in fast_weights.c, which explains the fields."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("steps", "rows", "keys", "values", "reads")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "q", "k", "v", "log_decay", "beta", "state", "y", "kept_states", "kept_p",
                "grad_y", "grad_state", "grad_q", "grad_k", "grad_v", "grad_log_decay",
                "grad_beta", "scratch",
            )
        ),
    ]  # fmt: skip


def compiled_kernels() -> str | None:
    """Name the fastest build of the kernels that is installed and that this processor can run.

    Returns:
        One of ``amx_bf16``, ``avx512_bf16``, ``avx512``, ``avx2`` and ``generic``; None if there is
        no such build, and training is slow.
    """
    return next((build for build in runnable_builds() if load(build)), None)


def runnable_builds() -> list[str]:
    """The builds that this processor can run, the fastest first.

    Torch's environment variable ATEN_CPU_CAPABILITY (``avx2``, ``default``) restricts them, as it
    does torch's own kernels.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return ["generic"]
    level = torch.backends.cpu.get_cpu_capability()
    builds = ["generic"]
    if level in ("AVX2", "AVX512"):
        builds.insert(0, "avx2")
    if level == "AVX512":
        # Older versions of torch do not tell; with them we do without bf16.
        capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        bf16 = [build for build in ("amx_bf16", "avx512_bf16") if capabilities.get(build)]
        builds = [*bf16, "avx512", *builds]
    return builds


@functools.cache
def load(build: str) -> ctypes.CDLL | None:
    """Load the kernels of one build.

    Returns:
        The library; None if it was not compiled when copytask was installed, or from sources that
        have changed since, does not load here, or needs a permission that the system denies (AMX
        does).
    """
    file = Path(__file__).with_name(f"_kernels_{build}.so")
    if not file.is_file():
        return None
    try:
        kernels = ctypes.CDLL(str(file))
    except OSError:  # damaged, or built for another system
        return None
    if not _is_current(kernels) or not kernels.prepare():
        return None
    for name, sizes in (
        ("scratch_size", 3), ("clock_scratch", 1), ("memory_scratch", 2), ("memory_chunks", 1),
        ("memory_unread_chunks", 2), ("fast_weights_scratch", 2),
    ):  # fmt: skip
        function = getattr(kernels, name)
        function.restype = ctypes.c_int64
        function.argtypes = [ctypes.c_int64] * sizes
    for cell in GATES:
        for direction in ("forward", "backward"):
            function = getattr(kernels, f"{cell}_{direction}")
            function.restype = None
            function.argtypes = [ctypes.POINTER(Problem)]
    for name, structure in (("memory", Memory), ("fast_weights", FastWeights)):
        for direction in ("forward", "backward"):
            function = getattr(kernels, f"{name}_{direction}")
            function.restype = None
            function.argtypes = [ctypes.POINTER(structure)]
    for name, sizes, pointers in (
        ("scan_forward", 4, 4), ("scan_backward", 4, 7),
        ("complex_scan_forward", 3, 4), ("complex_scan_backward", 3, 8),
        ("clock_forward", 3, 8), ("clock_backward", 3, 9),
    ):  # fmt: skip
        function = getattr(kernels, name)
        function.restype = None
        function.argtypes = [ctypes.c_int64] * sizes + [ctypes.c_void_p] * pointers
    return kernels


def _is_current(kernels: ctypes.CDLL) -> bool:
    """Whether they were compiled from the sources beside this file. A wheel has none."""
    expected = digest(Path(__file__).parent)
    compiled_from = getattr(kernels, "sources", None)
    if compiled_from is None:
        return not expected
    compiled_from.restype = ctypes.c_int64
    return expected in (0, compiled_from())
