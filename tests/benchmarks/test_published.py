from pathlib import Path

import pytest

from benchmarks.published import PUBLISHED

ROOT = Path(__file__).parents[2]
PAGES = [(page, number) for page, tables in PUBLISHED.items() for number in range(len(tables))]


@pytest.mark.parametrize(("page", "number"), PAGES)
def test_a_page_has_the_tables_that_follow_from_the_measurements(page, number):
    table = PUBLISHED[page][number]()
    assert len(table.splitlines()) > 2
    if table not in (ROOT / page).read_text():
        pytest.fail(f"{page} needs this table (python -m benchmarks.published {page}):\n{table}")
