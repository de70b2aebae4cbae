"""README, docs/ and configurations: links lead somewhere, and the program takes their commands."""

import ast
import re
import shlex
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from searches import ROOT

import analysis
import copytask
from analysis import compare
from copytask import MODELS
from search import generalize, nodes, run
from search.config.sections import SearchConfig

PAGES = [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]  # fmt: skip
WITH_COMMANDS = [
    *PAGES,
    *sorted((ROOT / "configs").rglob("*.yaml")),
    ROOT / "cluster.yaml",
    *sorted((ROOT / "examples").glob("*.py")),
]

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(
    r"(?:python -m (?P<module>search\.\w+|analysis\.\w+)|(?P<installed>copytask-[a-z]+))"
    r"(?P<arguments>(?: [^\n\"`]*)?)"
)
PARSERS = {
    "search.run": run.make_parser,
    "copytask-search": run.make_parser,
    "search.generalize": generalize.make_parser,
    "copytask-generalize": generalize.make_parser,
    "search.nodes": nodes.make_parser,
    "analysis.compare": compare.make_parser,
    "copytask-compare": compare.make_parser,
}
LOOKS_BACK = {
    "--resume", "--show", "--list", "--replay", "--print-completion", "--help", "--warm-from",
}  # fmt: skip
"""With these, a command needs a study, or stops by itself."""


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub and the site make them."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    titles += re.findall(r"^::: (\S+)$", text, re.MULTILINE)  # of the API, on the site
    return set(titles) | {
        "".join(
            "-" if character == " " else character
            for character in title.lower()
            if character in " -_" or unicodedata.category(character)[0] in "LN"
        )
        for title in titles
    }


OPTIONAL = {"mlflow"}
"""Packages of an extra that an example may import."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_and_headings_lead_somewhere(page: Path):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (heading and heading not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = {(ROOT / "docs" / link).resolve() for link in LINK.findall(index)}
    assert set(PAGES) - {ROOT / "docs" / "index.md"} <= listed


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The project's own commands of a page: which one, and its arguments."""
    text = re.sub(r"\\\n[#\s]*", " ", page.read_text(encoding="utf-8"))
    for match in COMMAND.finditer(text):
        name = match["module"] or match["installed"]
        if name in PARSERS:
            arguments = shlex.split(match["arguments"], comments=True)
            yield name, [argument for argument in arguments if argument not in ("...", "|")]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_program_takes_the_commands(page: Path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("search.study.loggers.find_spec", bool)  # all extras are installed
    refused = []
    for name, arguments in commands(page):
        if exit_code(name, arguments, str(tmp_path)):
            refused.append(f"{name} {shlex.join(arguments)}: {capsys.readouterr().err}")
    assert refused == []


def exit_code(name: str, arguments: list[str], storage: str) -> object:
    """Of parsing a command and, for a search, of resolving its configuration."""
    try:
        PARSERS[name]().parse_args(arguments)
        searches = PARSERS[name] is run.make_parser and "--model" in arguments
        if not searches or LOOKS_BACK & set(arguments):
            return 0
        model = arguments.index("--model") + 1
        if arguments[model] not in MODELS and not arguments[model].startswith("examples/"):
            arguments = [*arguments[:model], "gru", *arguments[model + 1 :]]  # a stand-in
        return run.main([*arguments, "--storage", storage, "--dry-run"])
    except SystemExit as ended:
        return ended.code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_are_python_and_import_what_exists(page: Path):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for block in blocks:
        imports = [
            node for node in ast.parse(block).body
            if isinstance(node, ast.ImportFrom)
            and (node.module not in OPTIONAL or find_spec(node.module))
        ]  # fmt: skip
        exec(compile(ast.Module(imports, []), page.name, "exec"), {})


@pytest.mark.parametrize("package", [copytask, analysis], ids=lambda package: package.__name__)
def test_the_page_of_the_api_has_every_public_name(package):
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(rf"^::: {package.__name__}\.(\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(package.__all__)


def test_contributing_names_files_and_code_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    quoted = re.findall(r"`([\w./]+)`", FENCED.sub("", text))
    packages = ("copytask", "studies", "search", "analysis")
    paths = [name for name in quoted if name.partition("/")[0] in (*packages, "tests", "docs")]
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []
    facts = text.partition("## Facts")[2]
    places = re.findall(r"`([\w.]+)`", " ".join(re.findall(r"\((`[^)]+`)\)", facts)))
    assert len(places) > 20
    sources = [
        path.read_text(encoding="utf-8")
        for package in packages
        for path in (ROOT / package).rglob("*.[pc]*")
        if path.suffix in (".py", ".c")
    ]
    code = set(re.findall(r"\w+", " ".join(sources)))
    assert [place for place in places if place.split(".")[-1] not in code] == []


def test_every_setting_of_a_search_is_explained():
    explained = (ROOT / "configs" / "default.yaml").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "searching.md").read_text(encoding="utf-8")
    rare = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    settings = set(SearchConfig.model_fields) - {"warm"}  # warm is made by the program
    assert {name for name in settings if f"  {name}:" not in explained} <= rare
