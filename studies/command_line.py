"""What all commands share: one-line errors, --version, completion and the argument RUNS."""

import argparse
import difflib
import math
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

import shtab

from studies.modes import NONE, Modes, Needs, ignored_flag

PACKAGE = "copytask-search"

GIT_SECONDS = 60.0
"""Seconds within which git must answer; it looks at every file, and disks can be slow."""


class Parser(argparse.ArgumentParser):
    """An argument parser with --version and --print-completion, and errors of one line.

    Args:
        command: name under which the package installs the command; completion is for that name.
        modes, needs: flags that go together, see :mod:`studies.modes`.
    """

    def __init__(self, command: str, modes: Modes = NONE, needs: Needs = NONE, **settings: Any):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **settings)
        self.command = command
        self._modes, self._needs = modes, needs
        self.add_argument("--version", action=PrintVersion, help="print the version and exit")
        self.add_argument(
            "--print-completion", action=PrintCompletion, choices=shtab.SUPPORTED_SHELLS,
            metavar="SHELL", help=f"print a script that completes {command} in SHELL: %(choices)s",
        )  # fmt: skip

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the command line; refuse a flag that would be ignored."""
        parsed = super().parse_args(args, namespace)
        if message := ignored_flag(self, parsed, self._modes, self._needs):
            self.error(message)
        return parsed

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with code 2; suggest the nearest option for an unknown one."""
        unknown = re.search(r"unrecognized arguments: .*?(--[\w-]+)", message)
        near = difflib.get_close_matches(unknown[1], self._option_string_actions) if unknown else []
        advice = f"did you mean {near[0]}?" if near else "--help lists the options"
        self.exit(2, f"error: {message}; {advice}\n")


class PrintVersion(argparse.Action):
    """Prints the version. It asks git only when called, because git takes a moment."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        revision = git_revision()
        print(f"{PACKAGE} {package_version()}{f' (git {revision})' if revision else ''}")
        parser.exit()


class PrintCompletion(argparse.Action):
    """Prints a completion script."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any):
        super().__init__(option_strings, argparse.SUPPRESS, **settings)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, *arguments: Any
    ) -> None:
        assert isinstance(parser, Parser)
        parser.prog = parser.command
        print(shtab.complete(parser, shell=values))
        parser.exit()


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add the argument RUNS, which :func:`studies.finding.find_studies` reads."""
    parser.add_argument(
        "runs",
        nargs="*",
        default=["runs"],
        metavar="RUNS",
        help="study or folder of studies, also s3://bucket/prefix (default: runs)",
    )


def at_least_one(text: str) -> int:
    """A whole number of at least 1 on the command line."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def above_zero(text: str) -> float:
    """A number above 0 on the command line; not infinite."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def home_path(text: str) -> Path:
    """A path on the command line, in which ~ is the home folder, also where no shell expands it."""
    return Path(os.path.expanduser(text))


def suggest(action: argparse.Action, words: Iterable[str]) -> None:
    """Suggest these words when the shell completes an option; other values stay allowed."""
    suggest_output(action, f"printf '%s\\n' {shlex.join(words)}")


def suggest_output(action: argparse.Action, command: str) -> None:
    """Suggest the lines that a shell command prints when the shell completes an option."""
    action.complete = shtab.cmd(command)  # type: ignore[attr-defined]


def package_version() -> str:
    """The version of the installed package."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # a checkout that is not installed
        return "(not installed)"


def git_revision() -> str | None:
    """The git revision of this checkout; None if it is not one."""
    here = Path(__file__)
    try:
        # An installed package may lie inside a checkout of another project.
        known = _git(here.parent, "ls-files", "--error-unmatch", here.name)
        return _git(here.parent, "describe", "--always", "--dirty") if known else None
    except (OSError, subprocess.TimeoutExpired):
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    """Run git; return what it prints, or None if it fails."""
    command = ["git", "-C", str(folder), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS)
    return result.stdout.strip() if result.returncode == 0 else None
