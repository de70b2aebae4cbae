from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One start of Chromium for all tests; only those that need it import playwright."""
    from browser import browsers

    yield from browsers()
