import ast
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COMMANDS = sorted(
    path.stem for path in BENCHMARKS.glob("*.py") if 'if __name__ == "__main__"' in path.read_text()
)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_says_how_it_is_started(name):
    usage = ast.get_docstring(ast.parse((BENCHMARKS / f"{name}.py").read_text()))
    assert f"python -m benchmarks.{name}" in usage


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_the_benchmarks_has_each(name):
    assert f"| `{name}.py` |" in (BENCHMARKS / "README.md").read_text()
