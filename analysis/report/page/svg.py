"""SVG inside a page: figures of matplotlib, and the marks of the models."""

import re
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup
from matplotlib.markers import MarkerStyle

from analysis.figures.styles import Style
from analysis.report.page.colors import variable, with_variables

ALLOWED = {
    "svg", "g", "path", "use", "defs", "clipPath", "rect", "image", "text", "tspan", "circle",
    "line", "polyline", "polygon", "linearGradient", "stop", "pattern",
}  # fmt: skip
"""Elements that a figure may have: none of them runs, styles the page or loads anything."""

_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


def inline_figure(svg: bytes, name: str, description: str) -> Markup:
    """An SVG file as an element of a page.

    It scales with the page and takes on its theme; its ids begin with ``name``, so that they are
    unique on the page. ``description`` is what a screen reader says of it.

    Raises:
        xml.etree.ElementTree.ParseError: it is not XML.
    """
    root = ElementTree.fromstring(svg)
    _clean(root, name)
    root.attrib |= {"role": "img", "aria-label": description, "class": "plot"}
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    # Text and lines without a colour of their own are black.
    root.set("style", with_variables("fill: #000000"))
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _clean(element: ElementTree.Element, name: str) -> None:
    element.tag = _local(element.tag)
    element.tail = None if element.tag not in ("text", "tspan") else element.tail
    element.attrib = {
        key: value
        for key, value in (
            (_local(key), _cleaned(_local(key), value, name))
            for key, value in element.attrib.items()
        )
        if not key.startswith("on") and value is not None
    }
    for child in list(element):
        if isinstance(child.tag, str) and _local(child.tag) in ALLOWED:
            _clean(child, name)
        else:
            element.remove(child)
    if len(element):
        element.text = None


def _cleaned(key: str, value: str, name: str) -> str | None:
    """The value of an attribute on the page; None if the page leaves it out."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        if value.startswith("#"):
            return f"#{name}-{value[1:]}"
        return value if value.startswith("data:image/png;") else None
    if key in ("version", "space"):
        return None
    if key in ("d", "x", "y"):
        return _NUMBER.sub(lambda number: f"{float(number[0]):.1f}", value.replace("\n", ""))
    value = _REFERENCE.sub(rf"url(#{name}-\1)", value)
    return with_variables(value)


def _local(name: str) -> str:
    """The name without its namespace, which HTML does without."""
    return name.rsplit("}", 1)[-1]


def swatch(style: Style) -> Markup:
    """A piece of line with its marker, as in the legends of the figures."""
    marker = MarkerStyle(style.marker)
    shapes = marker.get_path().transformed(marker.get_transform()).to_polygons()
    # Markers are drawn from -0.5 to 0.5, y upwards.
    points = [8 * np.asarray(shape) * (1, -1) + (14, 7) for shape in shapes]
    outline = "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in shape)}Z" for shape in points)
    dashes = {"-": "", "--": "5 3", ":": "1.5 2.5", "-.": "6 2 1.5 2"}[style.line]
    return Markup(
        '<svg class="swatch" viewBox="0 0 28 14" aria-hidden="true" style="stroke:{color}">'
        '<path d="M1 7H27" stroke-dasharray="{dashes}"/><path d="{outline}" style="fill:{fill}"/>'
        "</svg>"
    ).format(
        color=variable(style.color),
        dashes=dashes,
        outline=outline,
        fill="var(--surface)" if style.hollow else variable(style.color),
    )
