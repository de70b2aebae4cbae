"""What a wheel holds, and the commands of one that is installed, away from the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from searches import ROOT

from search.config.reading import installed_configs

pytestmark = pytest.mark.slow

NOT_SOURCE = shutil.ignore_patterns(
    ".*", "*.so", "*.egg-info", "__pycache__", "build", "dist", "runs", "reports",
    "benchmarks", "docs", "tests",
)  # fmt: skip


def make_wheel(folder: Path, compiler: str) -> Path:
    """The wheel that pip makes of the project with this C compiler."""
    source = shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCE)
    run = subprocess.run(
        [sys.executable, "-c", "from setuptools import build_meta as b; b.build_wheel('..')"],
        cwd=source, env={**os.environ, "CC": compiler}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def without_kernels(tmp_path_factory) -> Path:
    """A wheel that was made without a compiler."""
    return make_wheel(tmp_path_factory.mktemp("wheel"), "/no/such/compiler")


def test_a_wheel_without_kernels_is_for_every_platform_and_holds_all_files(without_kernels):
    assert without_kernels.name.endswith("-py3-none-any.whl")
    packages = ("analysis", "copytask", "search")
    sources = [file for package in packages for file in (ROOT / package).rglob("*.*")]
    sources += [*(ROOT / "configs").glob("*.yaml"), *ROOT.glob("*.py")]
    expected = {
        str(file.relative_to(ROOT))
        for file in sources
        if file.suffix not in (".so", ".c") and file.parent.name != "__pycache__"
    }
    found = set(zipfile.ZipFile(without_kernels).namelist())
    assert expected - found == {"setup.py"}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in found)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_a_wheel_with_kernels_is_for_every_python_on_its_platform(tmp_path):
    compiler = tmp_path / "quick-cc"
    compiler.write_text('#!/bin/sh\nexec cc "$@" -O0\n')
    compiler.chmod(0o755)
    wheel = make_wheel(tmp_path, str(compiler))
    python, abi, platform = wheel.stem.rsplit("-", 3)[1:]
    assert (python, abi) == ("py3", "none")
    assert platform != "any"
    assert "copytask/engine/_kernels_generic.so" in zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="module")
def installed(without_kernels, tmp_path_factory) -> dict[str, str]:
    """The environment of processes that find the project in the wheel alone."""
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(without_kernels).extractall(folder)
    return {**os.environ, "PYTHONPATH": str(folder)}


def search(installed: dict[str, str], folder: Path, *arguments: str) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-m", "search.run", *arguments],
        cwd=folder, env=installed, capture_output=True, text=True,
    )  # fmt: skip
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize(
    ("arguments", "T"),
    [
        ([], [100, 200, 500, 1000]),
        (["--config", "quick.yaml"], [100]),
        (["--config", "configs/quick.yaml"], [100]),
    ],
)
def test_an_installed_search_has_its_configurations_in_an_empty_folder(
    arguments, T, installed, tmp_path
):
    code, out, err = search(installed, tmp_path, "--model", "gru", "--dry-run", *arguments)
    assert (code, err) == (0, "")
    assert yaml.safe_load(out)["T"] == T


def test_the_help_says_where_the_installed_configurations_are(installed, tmp_path):
    code, out, err = search(installed, tmp_path, "--help")
    assert (code, err) == (0, "")
    assert "quick.yaml" in out
    folder = Path(out.splitlines()[-1].partition(": ")[2])
    assert folder == Path(installed["PYTHONPATH"]) / "configs"
    assert (folder / "default.yaml").is_file()


def test_a_file_of_the_user_s_goes_before_an_installed_one(installed, tmp_path):
    (tmp_path / "quick.yaml").write_text("T: [7]")
    arguments = ["--model", "gru", "--config", "quick.yaml", "--dry-run"]
    code, out, _ = search(installed, tmp_path, *arguments)
    assert (code, yaml.safe_load(out)["T"]) == (0, [7])


@pytest.mark.parametrize("name", ["qick.yaml", "other/quick.yaml", "quick"])
def test_a_configuration_that_is_not_there_is_one_line(name, installed, tmp_path):
    code, out, err = search(installed, tmp_path, "--model", "gru", "--config", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: cannot read {name}: No such file")
    if "/" not in name:
        assert err.endswith(f"one of {', '.join(installed_configs())}\n")


def test_windows_is_told_in_one_line(tmp_path):
    script = (
        "import runpy, sys\n"
        "sys.platform, sys.modules['fcntl'], sys.argv = 'win32', None, ['run', '--help']\n"
        "runpy.run_module('search.run', run_name='__main__')\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "error: the search runs on Linux and macOS; on Windows, run it under WSL\n"
    )
