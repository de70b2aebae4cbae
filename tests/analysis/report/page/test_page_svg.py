from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.figures.styles import FURTHER_STUDIES, KNOWN_MODELS, USER_COLORS, USER_MARKERS, Style
from analysis.report.page.colors import (
    CONTRAST,
    GROUND,
    contrast,
    declarations,
    on_dark,
    with_variables,
)
from analysis.report.page.svg import inline_figure, swatch

SVG = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
     width="504pt" height="302pt" viewBox="0 0 504 302" version="1.1">
 <metadata>http://example.org</metadata><style>* {{display: none}}</style><!-- <script> -->
 <script>alert(1)</script>
 <defs><path id="glyph" d="M 1.23456 7.891 L 2 -3.14159"/></defs>
 <g id="figure_1" clip-path="url(#glyph)" onclick="alert(1)">
  <use xlink:href="#glyph" x="10.98765" style="fill: #0072B2"/>
  <image xlink:href="data:image/png;base64,AAAA"/><image xlink:href="http://example.org/x.png"/>
  <a xlink:href="javascript:alert(1)"><path d="M 0 0"/></a>{}
 </g>
</svg>"""


def rgb(color: str) -> tuple[float, float, float]:
    return tuple(int(color[k : k + 2], 16) / 255 for k in (1, 3, 5))


def test_a_figure_keeps_what_is_drawn_and_nothing_that_runs_or_loads() -> None:
    text = str(inline_figure(SVG.format("").encode(), "curves", 'a "b" <c>'))
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == 'a "b" <c>'
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == (
        "0 0 504 302",
        None,
        None,
    )
    assert 'id="curves-glyph"' in text
    assert 'clip-path="url(#curves-glyph)"' in text
    assert '<use href="#curves-glyph" x="11.0" style="fill: var(--c-0072b2)"' in text
    assert 'd="M 1.2 7.9 L 2 -3.1"' in text
    assert text.count("href=") == 2
    for foreign in ("script", "style>", "metadata", "http", "onclick", "javascript", "<a", "xmlns"):
        assert foreign not in text


@given(st.from_regex(r"[0-9a-f]{6}", fullmatch=True))
def test_every_colour_can_be_told_from_the_dark_ground_or_is_a_shade_of_paper(digits: str) -> None:
    red, green, blue = rgb(f"#{digits}")
    dark = rgb(on_dark(digits))
    if max(red, green, blue) - min(red, green, blue) > 0.25:
        assert contrast(dark, GROUND) >= CONTRAST - 0.1


def test_greys_keep_their_order_between_ink_and_paper() -> None:
    shades = [rgb(on_dark(digits)) for digits in ("000000", "606060", "e4e4e4", "ffffff")]
    assert shades == sorted(shades, reverse=True)
    assert contrast(shades[0], GROUND) > 12
    assert contrast(shades[-1], GROUND) < 1.05


def test_each_variable_has_a_value_for_both_themes() -> None:
    css = with_variables("fill: #0072B2; stroke: #ffffff; fill: #0072b2")
    assert css == "fill: var(--c-0072b2); stroke: var(--c-ffffff); fill: var(--c-0072b2)"
    assert declarations(css).count("light-dark(#0072b2,") == 1
    assert declarations(css).startswith("--c-0072b2:light-dark(#0072b2,#")


@pytest.mark.parametrize(
    "style",
    [
        *KNOWN_MODELS.values(),
        *(Style(USER_COLORS[0], marker) for marker in USER_MARKERS),
        *(Style(USER_COLORS[0], marker, line) for marker, line in FURTHER_STUDIES),
    ],
    ids=lambda style: style.marker,
)
def test_every_architecture_has_a_mark_inside_its_box(style: Style) -> None:
    root = ElementTree.fromstring(str(swatch(style)))
    line, outline = root.findall("path")
    assert (line.get("stroke-dasharray") == "") == (style.line == "-")
    numbers = str(outline.get("d")).replace("M", " ").replace("L", " ").replace("Z", " ").split()
    points = [float(number) for number in numbers]
    assert len(points) >= 6
    assert min(points[::2]) >= 7
    assert max(points[::2]) <= 21
    assert min(points[1::2]) >= 0
    assert max(points[1::2]) <= 14
