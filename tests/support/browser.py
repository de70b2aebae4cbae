"""Pages of the report in headless Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
Browser, Page = sync_api.Browser, sync_api.Page
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
needs_chromium = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
"""The marks of a test that uses a browser."""

PATIENCE = 600_000
"""Milliseconds that the browser may take for anything, in place of Playwright's 30 s."""

DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 740}

DRAWN = """async () => {
  const axis = document.querySelector("#explorer g[role=slider]");
  for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame);
  return axis?.isConnected;
}"""
"""Whether no frame draws the explorer any more: each draws its axes anew."""


def browsers() -> Iterator[Browser]:
    """One browser, which ends after its use."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox"],  # root has none to start in
            timeout=PATIENCE,
        )
        yield browser
        browser.close()


def opened(browser: Browser, report: Path, link: str = "", **settings) -> Iterator[Page]:
    """The page in a window of its own, on a desktop; nothing may go wrong in it, nor be loaded.

    It does not glide when it scrolls: what the mouse is to meet would still move.
    """
    still = {"viewport": DESKTOP, "reduced_motion": "reduce"}
    context = browser.new_context(**{**still, **settings})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:", "blob:")) or wrong.append(request.url)
        ),
    )
    page.goto(report.as_uri() + link)
    yield page
    context.close()
    assert wrong == []


def drawn(page: Page) -> None:
    """Wait until the explorer shows what was asked of it, and stays as it is."""
    page.wait_for_function(DRAWN)
