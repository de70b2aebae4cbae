"""The tables of columns, and the page of the documentation that they make."""

import subprocess
import sys
from pathlib import Path

import pytest

from studies.columns import REAL, TABLES, TEXT, WHOLE, Table
from studies.markdown import markdown_table

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def test_the_page_of_the_documentation_is_what_the_tables_say() -> None:
    command = [sys.executable, "-m", "studies.columns"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert PAGE.read_text(encoding="utf-8") == printed, (
        "write it again: python -m studies.columns > docs/files.md"
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.file)
def test_every_column_has_one_name_a_type_and_a_meaning(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.type in (TEXT, WHOLE, REAL)
        assert column.meaning
        assert not (column.type == TEXT and column.unit)


def test_cells_of_a_markdown_table_keep_their_bars() -> None:
    assert markdown_table(["a", "b"], [["1|2", "3"]]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |\n"
