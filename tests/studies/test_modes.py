"""Which flags a command would ignore."""

import argparse

import pytest

from studies.modes import ignored_flag, joined

MODES = {"--list": ("--where", "--json"), "--version-of": ()}
NEEDS = {"--json": ("--list",), "--again": ("--resume", "--retry")}


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    for flag in ("--list", "--json", "--again", "--resume", "--retry"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--where", default="here")
    parser.add_argument("--trials", "-n", type=int)
    parser.add_argument("--version-of")
    return parser


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", ""),
        ("--trials 3", ""),
        ("--list --where there --json", ""),
        ("--again --retry", ""),
        ("--list --trials 0", "--trials has no effect with --list, which takes only --where and "
         "--json"),
        ("--version-of x --list", "--version-of has no effect with --list, which takes only "
         "--where and --json"),
        ("--version-of x --where y", "--where has no effect with --version-of, which takes no "
         "other flag"),
        ("--json", "--json has no effect without --list"),
        ("--again", "--again has no effect without --resume or --retry"),
    ],
)  # fmt: skip
def test_a_flag_that_would_be_ignored_is_named(line, message, parser):
    assert ignored_flag(parser, parser.parse_args(line.split()), MODES, NEEDS) == message


def test_flags_in_words():
    assert joined(["--a", "--b", "--c"]) == "--a, --b and --c"
    assert joined(["--a"], "or") == "--a"
