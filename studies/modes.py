"""Refuses a flag that a command would ignore, such as ``--list --trials 5``.

Some flags make a command do something else, and then it reads only a few of the other flags. Which
ones, is a table of each command; this module reads such tables.
"""

import argparse
from collections.abc import Collection, Mapping
from types import MappingProxyType

Modes = Mapping[str, Collection[str]]
"""Flag that selects what a command does -> the other flags that it reads then."""

Needs = Mapping[str, Collection[str]]
"""Flag -> the flags without one of which it has no effect."""

NONE: Mapping[str, Collection[str]] = MappingProxyType({})
"""The table of a command whose flags all go together."""


def ignored_flag(
    parser: argparse.ArgumentParser, args: argparse.Namespace, modes: Modes, needs: Needs
) -> str:
    """Say in one line which flag would be ignored, and why; empty if none would.

    A flag counts as given if its value differs from its default.
    """
    flags = {
        action.option_strings[0]: action.dest for action in parser._actions if action.option_strings
    }
    given = [
        flag
        for flag, dest in flags.items()
        if hasattr(args, dest) and getattr(args, dest) != parser.get_default(dest)
    ]
    for mode, read in modes.items():
        ignored = [flag for flag in given if flag != mode and flag not in read]
        if mode in given and ignored:
            others = f" takes only {joined(read)}" if read else " takes no other flag"
            return f"{ignored[0]} has no effect with {mode}, which{others}"
    for flag, needed in needs.items():
        if flag in given and not set(needed) & set(given):
            return f"{flag} has no effect without {joined(needed, 'or')}"
    return ""


def joined(flags: Collection[str], last: str = "and") -> str:
    """The flags in words: ``--a, --b and --c``."""
    *most, end = flags
    return f"{', '.join(most)} {last} {end}" if most else end
