"""Compiles the training kernels, if there is a C compiler; everything else is in pyproject.toml.

The C files are compiled once for each instruction set; copytask/engine/builds.py loads the fastest
build that the processor can run. The builds are plain shared libraries, loaded by ctypes, so one
wheel fits every version of Python on a platform. A wheel without kernels fits every platform.
"""

import platform
import runpy
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

# Instruction sets by name, because GCC knows levels (-march=x86-64-v3) only from version 11 on.
AVX2 = ["-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mlzcnt"]
AVX512 = [*AVX2, "-mavx512f", "-mavx512bw", "-mavx512cd", "-mavx512dq", "-mavx512vl"]
AVX512_BF16 = [*AVX512, "-mavx512bf16"]  # from GCC 10 on
AMX_BF16 = [*AVX512_BF16, "-mamx-tile", "-mamx-bf16"]  # from GCC 11 on

BUILDS: dict[str, list[str]] = {"generic": []}
if platform.machine() in ("x86_64", "AMD64"):
    BUILDS |= {
        "avx2": AVX2,
        "avx512": AVX512,
        "avx512_bf16": AVX512_BF16,
        "amx_bf16": AMX_BF16,
    }

SOURCES = ("kernels", "scan", "clock", "memory", "fast_weights")
HEADERS = ("products", "exponential", "clock", "chunks")
ENGINE = Path(__file__).with_name("copytask") / "engine"
DIGEST = runpy.run_path(str(ENGINE / "sources.py"))["digest"](ENGINE)


class BuildKernels(build_ext):
    """Leaves the version of Python out of the kernels' file names: they do not depend on it."""

    def get_ext_filename(self, fullname: str) -> str:
        return fullname.replace(".", "/") + ".so"


class Wheel(bdist_wheel):
    """Tags a wheel as py3-none-PLATFORM, or as py3-none-any if it has no kernels."""

    def get_tag(self) -> tuple[str, str, str]:
        has_kernels = any(Path(self.bdist_dir).rglob("_kernels_*.so"))
        return ("py3", "none", super().get_tag()[2] if has_kernels else "any")


setup(
    cmdclass={"build_ext": BuildKernels, "bdist_wheel": Wheel},
    ext_modules=[
        Extension(
            f"copytask.engine._kernels_{build}",
            sources=[f"copytask/engine/{name}.c" for name in SOURCES],
            # Recompile when these change, the options among them.
            depends=["setup.py", *(f"copytask/engine/{name}.h" for name in HEADERS)],
            define_macros=[("SOURCES", f"{DIGEST}LL")],
            extra_compile_args=["-O3", "-g0", "-fno-math-errno", *flags],
            optional=True,  # install even if the compiler is missing or does not know the options
        )
        for build, flags in BUILDS.items()
    ],
)
