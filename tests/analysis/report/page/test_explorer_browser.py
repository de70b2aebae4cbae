"""The explorer in headless Chromium: filters, selection, link and command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, Page, drawn, needs_chromium, opened
from study_files import trial, write_study

from analysis.compare import main

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two models with six trials each; accuracy rises with the learning rate."""
    root = tmp_path_factory.mktemp("explorer")
    for model in ("gru", "lstm"):
        trials = [
            trial(
                T, k, learning_rate=0.001 * 2**k, hidden_size=(64, 96, 128)[k],
                validation_accuracy=0.5 + 0.2 * k, tokens=10_000 * T * (k + 1),
            )
            for T in (100, 200) for k in range(3)
        ]  # fmt: skip
        write_study(root / "runs", model, model, trials=trials)
    assert main([str(root / "runs"), "--output", str(root / "reports")]) == 0
    return root / "reports" / "index.html"


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    yield from opened(browser, report)


def names(page: Page) -> list[str]:
    """What the table shows: model and trial."""
    drawn(page)
    rows = page.locator("#explorer table.trials tbody tr").all()
    cells = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in rows]
    return [f"{model} {name}" for name, model, *_ in cells]


def axis(page: Page, name: str):
    return page.get_by_role("slider", name=f"Filter {name}", exact=True)


def drag(page: Page, name: str, low: float, high: float) -> None:
    """Brush an axis between two shares of its height."""
    drawn(page)
    page.locator("#explorer .parallel svg").scroll_into_view_if_needed()
    box = axis(page, name).locator("path").bounding_box()
    page.mouse.move(box["x"], box["y"] + (1 - low) * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"], box["y"] + (1 - high) * box["height"], steps=3)
    page.mouse.up()


def test_brushing_filters_and_a_click_takes_the_filter_away(page: Page) -> None:
    assert len(names(page)) == 12
    drag(page, "learning rate", 0.4, 1.0)
    assert len(names(page)) == 8
    drag(page, "model", 0.02, 0.4)  # lstm is below gru
    assert names(page) == [f"lstm T={T}-0{k}" for T in (100, 200) for k in (2, 1)]
    assert page.locator("#explorer .count").inner_text() == "4 of 12 trials"
    assert axis(page, "model").get_attribute("aria-valuetext") == "lstm"
    drag(page, "model", 0.5, 0.5)
    assert len(names(page)) == 8
    page.get_by_role("button", name="Clear filters").click()
    assert len(names(page)) == 12


def test_the_keys_filter_too(page: Page) -> None:
    drawn(page)
    axis(page, "T").focus()
    page.keyboard.press("ArrowUp")
    assert {name.split()[1][:5] for name in names(page)} == {"T=200"}
    page.keyboard.press("Escape")
    assert len(names(page)) == 12
    axis(page, "model").focus()
    page.keyboard.press("Shift+ArrowDown")
    assert {name.split()[0] for name in names(page)} == {"lstm"}
    assert page.evaluate("document.activeElement.dataset.key") == "model"


def test_a_row_selects_its_trial_with_the_command_that_repeats_it(page: Page, report: Path) -> None:
    runs = report.parents[1] / "runs"
    page.locator("#explorer").get_by_role("button", name="T=200-01").last.click()
    drawn(page)
    detail = page.locator("#explorer .detail")
    assert f"python -m search.run --replay {runs}/lstm T=200-01" in detail.inner_text()
    assert "learning rate\n0.002" in detail.inner_text()
    selected = page.locator("#explorer tr[aria-current=true]")
    assert selected.locator("td").first.inner_text() == "lstm"


def test_a_curve_and_a_line_select_too(page: Page) -> None:
    drawn(page)
    canvas = page.locator("#explorer .curves canvas")
    canvas.scroll_into_view_if_needed()
    canvas.focus()
    page.keyboard.press("ArrowDown")
    # The last of the four evaluations in study_files: accuracy 4 / 4.1 at 2500 T k tokens.
    assert page.locator("#tip").inner_text().startswith("0.976 at 1.00 M tokens")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#tip").inner_text().startswith("0.732 at 0.75 M tokens")
    page.keyboard.press("Escape")
    drawn(page)
    assert page.locator("#tip").is_hidden()
    assert page.locator("#explorer .detail h3").inner_text() == "T=100-00"
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + 14)  # the end at 2 M tokens
    drawn(page)
    assert page.locator("#explorer .detail h3").inner_text().startswith("T=200-")
    before = page.url
    lines = page.locator("#explorer .parallel svg")
    lines.scroll_into_view_if_needed()
    first, last = (axis(page, name).locator("path").bounding_box() for name in ("model", "T"))
    gru = first["y"] + first["height"] / 4  # of two words the upper one
    page.mouse.click((first["x"] + last["x"]) / 2, (gru + last["y"] + last["height"]) / 2)
    drawn(page)
    assert page.url != before
    assert "trial=gru%2FT%3D100-" in page.url


def test_a_link_keeps_filters_selection_and_order(
    browser: Browser, page: Page, report: Path
) -> None:
    drag(page, "hidden size", 0.3, 1.0)
    page.locator("#explorer").get_by_role("button", name="validation accuracy").click()
    page.locator("#explorer").get_by_role("button", name="T=100-01").first.click()
    shown = names(page)
    link = page.url.split("#")[1]
    for again in opened(browser, report, f"#{link}"):
        assert names(again) == shown
        assert len(shown) == 8
        assert again.locator("#explorer .detail h3").inner_text() == "T=100-01"
        header = again.locator("#explorer th[aria-sort=ascending]")
        assert header.inner_text().startswith("validation accuracy")


def test_a_link_that_is_wrong_shows_what_it_can(browser: Browser, report: Path) -> None:
    wrong = "task=x&trial=gru/none&filter=nothing:1..2&filter=T:b..a&sort=-y"
    link = f"#explorer?{wrong}&filter=T:200..200"
    for page in opened(browser, report, link):
        assert len(names(page)) == 6
        assert page.locator("#explorer .detail").inner_text().startswith("Select a trial")


def test_the_table_sorts_and_a_phone_shows_all_parts(browser: Browser, report: Path) -> None:
    for page in opened(browser, report, viewport={"width": 390, "height": 740}):
        explorer = page.locator("#explorer")
        explorer.get_by_role("button", name="validation accuracy").click()
        assert names(page)[0].endswith("-00")
        explorer.get_by_role("button", name="validation accuracy").click()
        assert names(page)[0].endswith("-02")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
