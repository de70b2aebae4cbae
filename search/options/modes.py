"""Which flags of ``python -m search.run`` go together; what would be ignored is refused."""

from studies.modes import Modes, Needs

MODES: Modes = {
    "--list": ("--storage", "--json"),
    "--show": ("--storage", "--json"),
    "--delete": ("--storage", "--yes"),
    "--enqueue": ("--name", "--storage", "--T"),
    "--stop-trial": ("--name", "--storage"),
    "--next-T": ("--name", "--storage"),
    "--replay": ("--storage", "--model", "--task"),
}
"""Flag with which no search runs -> the other flags that it takes."""

NEEDS: Needs = {
    "--json": ("--list", "--show"),
    "--yes": ("--delete",),
    "--retry-failed": ("--resume",),
}
"""Flag -> the flags without one of which it has no effect."""
