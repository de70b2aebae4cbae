"""The page in headless Chromium."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import DESKTOP, PHONE, Browser, Page, drawn, needs_chromium, opened
from study_files import NOT_SOLVED, trial, write_study

from analysis.compare import main
from studies import format as files

pytestmark = needs_chromium

LENGTHS = (100, 200, 500, 1000)
HOSTILE = "<img src=x onerror='document.title=1'><script>document.title=1</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of four models, one of them with a hostile name, at four T."""
    root = tmp_path_factory.mktemp("page")
    for model in ("lstm", "gru", "mgru", f"cells:{HOSTILE}"):
        trials = [trial(T, k, tokens=10_000 * T + k) for T in LENGTHS for k in range(2)]
        trials += [trial(T, 2, files.FAILED, error=HOSTILE) for T in LENGTHS]
        if model == "lstm":
            trials[-6] |= NOT_SOLVED
        best = LENGTHS[:3] if model == "mgru" else LENGTHS
        write_study(root / "runs", model[:5], model, T=LENGTHS, trials=trials, best=best)
    assert main([str(root / "runs"), "--output", str(root / "reports")]) == 0
    return root / "reports" / "index.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The page in a window of its own, on a desktop; nothing may go wrong in it."""
    yield from opened(browser, report)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_the_screen_and_every_figure_shows(
    browser: Browser, report: Path, viewport, scheme: str
) -> None:
    for page in opened(browser, report, viewport=viewport, color_scheme=scheme):
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]
        figures = page.locator("figure .plot")
        assert figures.count() == len(list(report.parent.glob("*.svg"))) > 4
        for figure in figures.all():
            box = figure.bounding_box()
            assert box["width"] > 250
            assert box["height"] > 80
            assert figure.get_attribute("aria-label")
        drawn(page)
        assert page.locator("canvas").count() == 2
        for canvas in page.locator("canvas").all():
            assert canvas.bounding_box()["height"] > 80
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) > 600) == (scheme == "light")


def test_the_first_screen_has_the_answers(page: Page) -> None:
    for text in ("over 1000 steps", "T = 1000", "solved once", "0.9890 to 0.9930", "in 60 s"):
        answer = page.locator(".verdict").get_by_text(text.replace("T = ", "T\xa0=\xa0")).first
        assert answer.bounding_box()["y"] < DESKTOP["height"] - 20
    for question in ("How sure", "How long"):
        term = page.get_by_text(question, exact=True)
        assert term.bounding_box()["y"] < DESKTOP["height"] - 20


@pytest.mark.parametrize("place", [".verdict .scroll", "figure .drawing"])
def test_on_a_phone_a_wide_table_or_figure_begins_at_its_left_and_says_that_it_scrolls(
    browser: Browser, report: Path, place: str
) -> None:
    for page in opened(browser, report, viewport=PHONE):
        box = page.locator(place).first
        assert box.evaluate("box => box.scrollLeft") == 0
        assert box.evaluate("box => box.scrollWidth > box.clientWidth")
        assert page.locator(f"{place} + .scrolls").first.is_visible()


def cells(page: Page, column: str) -> list[str]:
    """A column of the first table, from top to bottom."""
    return page.evaluate(
        """column => {
            const table = document.querySelector("table.data");
            const index = [...table.tHead.rows[0].cells].findIndex(
                cell => cell.textContent.trim() === column);
            return [...table.tBodies[0].rows].map(row => row.cells[index].textContent.trim());
        }""",
        column,
    )


def test_the_table_sorts_by_click_and_by_keyboard(page: Page) -> None:
    table = page.locator("table.data").first
    tokens = table.get_by_role("columnheader", name="M tokens")
    # 0.6 M tokens at T = 100 to 6 at T = 1000; of lstm and mgru at T = 1000 there are none.
    expected = sorted(cells(page, "M tokens"), key=lambda text: (text == "-", text))
    assert expected[0] == "0.60"
    assert expected[-2:] == ["-", "-"]
    tokens.get_by_role("button").click()
    assert tokens.get_attribute("aria-sort") == "ascending"
    assert cells(page, "M tokens") == expected
    tokens.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert tokens.get_attribute("aria-sort") == "descending"
    assert cells(page, "M tokens") == [*expected[-3::-1], "-", "-"]  # missing ones stay last
    model = table.get_by_role("columnheader", name="model")
    model.get_by_role("button").press("Space")
    assert tokens.get_attribute("aria-sort") == "none"
    assert cells(page, "model") == sorted(cells(page, "model"))


def test_the_theme_is_toggled_and_remembered(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    # The figures follow: text is light on dark.
    assert page.evaluate(
        "parseInt(getComputedStyle(document.querySelector('svg.plot')).fill.slice(4)) > 180"
    )
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(ground) == light


def test_the_first_tab_skips_to_the_verdict(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "verdict"


def test_files_are_downloaded_from_the_page_itself(page: Page, report: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="comparison.csv").click()
    assert download.value.suggested_filename == "comparison.csv"
    saved = Path(download.value.path()).read_bytes()
    assert saved == (report.parent / "comparison.csv").read_bytes()
    page.get_by_role("button", name="Dark theme").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").first.click()
    svg = Path(download.value.path()).read_text()
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in svg  # in the colours of white paper
    assert "fill: #000000" in svg or "fill:#000000" in svg


def test_what_a_study_says_does_not_run(page: Page) -> None:
    assert page.title().startswith("Comparison on the copy task")
    assert page.locator("main img").count() == 0
    assert page.get_by_text(HOSTILE).count() > 4


def test_without_scripts_all_is_there(browser: Browser, report: Path) -> None:
    for page in opened(browser, report, java_script_enabled=False):
        assert page.locator("table.data").first.locator("tbody tr").count() == 16
        assert page.locator("h2.headline").is_visible()
        assert page.get_by_role("button", name="theme").count() == 0
        assert page.locator("figure .plot").count() == page.locator("figure").count() > 4
        assert page.locator("#explorer .tool").is_hidden()
        assert page.get_by_text("the tables of the studies have the trials").is_visible()


def test_it_prints_on_paper(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#theme").is_hidden()
    assert page.get_by_role("columnheader", name="parameters").first.is_visible()
    assert page.get_by_role("button", name="parameters").first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
