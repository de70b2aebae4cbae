"""The builds of the kernels: which are compiled, which is taken, and what is said without one."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from recurrences import make_operands, make_tokens

import copytask
from copytask.engine import builds, fused, kernels, reference

ROOT = Path(copytask.__file__).parents[1]

x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="of x86-64 processors")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@pytest.fixture
def compiler(tmp_path):
    """Makes a C compiler that knows no option that begins with one of the given texts."""

    def make(*unknown: str) -> str:
        file = tmp_path / "cc"
        refused = "|".join(f"{option}*" for option in unknown) or "-no-such-option"
        file.write_text(
            "#!/bin/sh\n"
            'for option; do case "$option" in\n'
            f"  {refused}) echo \"cc: error: unknown option '$option'\" >&2; exit 1;;\n"
            "esac; done\n"
            'exec cc "$@" -O0\n'  # faster to compile
        )
        file.chmod(0o755)
        return str(file)

    return make


@pytest.fixture
def installed_in(monkeypatch):
    """Looks for compiled kernels in another folder."""
    builds.load.cache_clear()
    kernels.library.cache_clear()
    yield lambda folder: monkeypatch.setattr(builds, "__file__", str(folder / "builds.py"))
    monkeypatch.undo()
    builds.load.cache_clear()
    kernels.library.cache_clear()


def compile_kernels(folder: Path, compiler: str) -> Path:
    """Compile as an installation does; returns the folder of what came of it."""
    run = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--build-lib", folder, "--build-temp", folder],
        cwd=ROOT, env={**os.environ, "CC": compiler}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return folder / "copytask" / "engine"


def builds_in(folder: Path) -> set[str]:
    return {file.stem.removeprefix("_kernels_") for file in folder.glob("_kernels_*.so")}


@needs_compiler
@x86
@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        ((), {"generic", "avx2", "avx512", "avx512_bf16", "amx_bf16"}),
        # GCC 10, GCC 9, and one that knows nothing
        pytest.param(
            ("-march=x86-64-v", "-mamx"),
            {"generic", "avx2", "avx512", "avx512_bf16"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("-march=x86-64-v", "-mamx", "-mavx512bf16"),
            {"generic", "avx2", "avx512"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("-march=", "-mamx", "-mavx", "-mfma", "-mbmi"), {"generic"}, marks=pytest.mark.slow
        ),
    ],
)
def test_a_compiler_builds_all_that_it_can(unknown, expected, compiler, tmp_path, installed_in):
    folder = compile_kernels(tmp_path / "built", compiler(*unknown))
    found = builds_in(folder)
    if unknown:
        assert found == expected
    else:  # the compiler of this machine may be an old one itself
        assert {"generic", "avx2", "avx512"} <= found <= expected
    installed_in(folder)
    best = next(build for build in builds.runnable_builds() if build in found)
    assert best.startswith("amx") or builds.compiled_kernels() == best
    operands, index = make_operands("gru", True, 12, 3, 32), make_tokens(12, 7, 3)
    expected_outputs, _ = reference("gru", operands, index, None)
    torch.testing.assert_close(fused("gru", operands, index)[0], expected_outputs)


def test_without_a_compiler_the_installation_goes_on_and_training_says_why(tmp_path, installed_in):
    folder = compile_kernels(tmp_path, "/no/such/compiler")
    assert not builds_in(folder)
    installed_in(folder)
    assert builds.compiled_kernels() is None
    operands, index = make_operands("gru", True, 12, 3, 32), make_tokens(12, 7, 3)
    with pytest.warns(UserWarning, match="found no compiled kernels that run here"):
        fused("gru", operands, index)


@needs_compiler
def test_a_build_that_does_not_load_leaves_the_others(compiler, tmp_path, installed_in):
    folder = compile_kernels(tmp_path / "built", compiler("-mavx", "-mamx"))
    for build in set(builds.runnable_builds()) - {"generic"}:
        (folder / f"_kernels_{build}.so").write_bytes(b"\x7fELF cut off")
    installed_in(folder)
    assert builds.compiled_kernels() == "generic"


@x86
@pytest.mark.parametrize(
    ("capability", "build"),
    [
        pytest.param("default", "generic", marks=pytest.mark.slow),
        ("avx2", "avx2"),
        pytest.param("avx512", "avx512", marks=pytest.mark.slow),
    ],
)
def test_a_build_can_be_chosen(capability, build):
    if build not in builds.runnable_builds():
        pytest.skip(f"this processor cannot run {build}")
    code = "from copytask.engine import builds; print(*builds.runnable_builds())"
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "ATEN_CPU_CAPABILITY": capability},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    runnable = run.stdout.split()
    assert runnable[-1] == "generic"
    assert next(each for each in runnable if not each.endswith("bf16")) == build


TILE_LOAD = """
#include "kernels.c"
void probe(vec before, vec after, float *memory) {
    store(memory, before);
    LOAD_TILE(0, memory, (int64_t)64);
    store(memory, after);
}
"""


@x86
@pytest.mark.parametrize("name", ["cc", "gcc-12", "gcc-14", "clang-14"])
def test_a_tile_load_reads_what_was_written_before_it(name, tmp_path):
    """In the compiler's words, since hardly a machine has tiles: store, load, store."""
    source = tmp_path / "probe.c"
    source.write_text(TILE_LOAD)
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}")
    options = ["-O3", "-mavx512f", "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-DSOURCES=0"]
    folder = Path(builds.__file__).parent
    run = subprocess.run(
        [name, *options, "-S", "-o", "-", f"-I{folder}", source], capture_output=True, text=True
    )
    if "unrecognized" in run.stderr or "unknown argument" in run.stderr:
        pytest.skip(f"{name} knows no tiles")
    assert run.returncode == 0, run.stderr
    probe = run.stdout.partition("\nprobe:")[2].partition("ret")[0]
    order = [
        "store" if "vmov" in line else "load"
        for line in probe.splitlines()
        if "tileload" in line or ("vmov" in line and line.rstrip().endswith(")"))
    ]
    assert order == ["store", "load", "store"]


@needs_compiler
def test_kernels_of_other_sources_are_not_used(compiler, tmp_path, installed_in):
    folder = compile_kernels(tmp_path / "built", compiler("-mavx", "-mamx"))
    for source in (ROOT / "copytask/engine").glob("*.[ch]"):
        shutil.copy(source, folder)
    installed_in(folder)
    assert builds.compiled_kernels() == "generic"
    with open(folder / "scan.c", "a") as file:
        file.write("/* another version */\n")
    builds.load.cache_clear()
    assert builds.compiled_kernels() is None
