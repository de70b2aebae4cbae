"""Imports go downwards only: between the packages, and between the rooms of each."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from searches import ROOT

PACKAGES = ("studies", "copytask", "search", "analysis")

ALLOWED = {
    "studies": set(),
    "copytask": set(),
    "search": {"studies", "copytask"},
    "analysis": {"studies"},
}
"""Package -> the other packages that it may import."""

ROOMS = {
    "search": {
        "errors": set(),
        "storage": {"errors"},
        "config": {"errors", "storage"},
        "study": {"errors", "storage", "config"},
        "cluster": {"errors", "storage", "config"},
        "decide": {"errors", "storage", "config", "study"},
        "console": {"errors", "storage", "config", "study"},
        "options": {"config"},
        "execute": {
            "errors",
            "storage",
            "config",
            "study",
            "cluster",
            "decide",
            "console",
            "options",
        },
        "run": {"errors", "storage", "config", "study", "cluster", "console", "options", "execute"},
        "nodes": {"errors", "config", "cluster"},
        "generalize": {"errors", "storage", "config", "study"},
    },
    "copytask": {
        "error_lines": set(),
        "user_code": {"error_lines"},
        "tasks": {"error_lines", "user_code"},
        "engine": set(),
        "models": {"error_lines", "engine", "tasks", "user_code"},
        "training": {"error_lines", "engine", "tasks", "models", "user_code"},
    },
    "analysis": {
        "phrases": set(),
        "statistics": set(),
        "reading": set(),
        "tables": {"phrases", "reading", "statistics"},
        "figures": {"phrases", "reading", "statistics", "tables"},
        "report": {"phrases", "reading", "statistics", "tables", "figures"},
        "compare": {"reading", "tables", "figures", "report"},
    },
}
"""Package -> its rooms (folders and loose modules) -> the other rooms that each may import."""


def modules(package: str) -> list[Path]:
    """The files of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def name_of(file: Path) -> str:
    """The dotted name of a module; of a package that of its folder."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(file) for package in PACKAGES for file in modules(package)}


def imported(file: Path, types: bool = True) -> Iterator[str]:
    """The modules of ours that a file imports, at its top and in functions.

    Args:
        types: also what it imports for type annotations alone.
    """
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree if types else WithoutTypes().visit(tree)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} has a relative import"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in found:
            while name and name not in NAMES:  # a name in a module, or a module of others
                name = name.rpartition(".")[0]
            if name:
                yield name


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what stands under ``if TYPE_CHECKING``."""

    def visit_If(self, node: ast.If) -> ast.If | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node


def room_of(name: str) -> str:
    """The room of a module within its package; empty for the package itself."""
    return name.partition(".")[2].partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_lies_below_them(package):
    upward = [
        f"{name_of(file)} imports {name}"
        for file in modules(package)
        for name in imported(file)
        if name.split(".")[0] not in {package, *ALLOWED[package]}
    ]
    assert not upward


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_only_what_lies_below_them(package):
    rooms = ROOMS[package]
    upward = []
    for file in modules(package):
        room = room_of(name_of(file))
        if not room:  # what the package offers may come from any room
            continue
        assert room in rooms, f"{package}/{room} has no place in ROOMS"
        upward += [
            f"{name_of(file)} imports {name}"
            for name in imported(file)
            if name.split(".")[0] == package and room_of(name) not in {room, *rooms[room]}
        ]
    assert not upward


def test_no_modules_import_each_other_in_a_circle():
    graph = {
        name_of(file): set(imported(file, types=False)) - {name_of(file)}
        for package in PACKAGES
        for file in modules(package)
    }
    while free := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in free:
            del graph[name]
    assert not graph
