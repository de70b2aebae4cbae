"""Compiles the training kernels, if there is a C compiler; everything else is in pyproject.toml.

The same file is compiled once for each instruction set; copytask/recurrence/kernels.py takes
the build that the processor can run. They are plain shared libraries, loaded by ctypes.
"""

import platform

from setuptools import Extension, setup

BUILDS = {"generic": []}
if platform.machine() in ("x86_64", "AMD64"):
    BUILDS = {
        "avx2": ["-march=x86-64-v3"],
        "avx512": ["-march=x86-64-v4"],
        "avx512_bf16": ["-march=x86-64-v4", "-mavx512bf16"],
        "amx_bf16": ["-march=x86-64-v4", "-mavx512bf16", "-mamx-tile", "-mamx-bf16"],
    }

setup(
    ext_modules=[
        Extension(
            f"copytask.recurrence._kernels_{build}",
            sources=["copytask/recurrence/kernels.c"],
            extra_compile_args=["-O3", "-g0", *flags],
            optional=True,  # without a compiler the installation goes on
        )
        for build, flags in BUILDS.items()
    ]
)
