"""Colours of the figures, which are chosen for white paper, on a page that may be dark.

Every colour of a figure becomes a CSS variable with that colour as its name; the style sheet
gives each variable a value for the light and for the dark page.
"""

import re
from colorsys import hls_to_rgb, rgb_to_hls

INK = (0.902, 0.894, 0.875)
GROUND = (0.094, 0.102, 0.118)
"""What black and white become on the dark page."""
CONTRAST = 4.5  # of a line with the dark ground; WCAG 2.2 asks for 3 of graphics, 4.5 of text
GREY = 0.12  # saturation below which a colour is a grey

Rgb = tuple[float, float, float]

_HEX = re.compile(r"#([0-9a-f]{6})\b", re.IGNORECASE)
_VARIABLE = re.compile(r"var\(--c-([0-9a-f]{6})\)")


def with_variables(css: str) -> str:
    """``#0072B2`` becomes ``var(--c-0072b2)``."""
    return _HEX.sub(lambda match: variable(match[0]), css)


def variable(color: str) -> str:
    """The CSS variable of a colour ``#rrggbb``."""
    return f"var(--c-{color[1:].lower()})"


def declarations(page: str) -> str:
    """The value of each variable that :func:`with_variables` made on a page, as CSS."""
    colors = sorted(set(_VARIABLE.findall(page)))
    return "".join(f"--c-{color}:light-dark(#{color},{on_dark(color)});" for color in colors)


def on_dark(digits: str) -> str:
    """What a colour ``rrggbb`` becomes on the dark page.

    Greys keep their place between paper and ink. Other colours keep their hue, and are lightened
    until they can be told from the ground.
    """
    red, green, blue = (int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
    hue, lightness, saturation = rgb_to_hls(red, green, blue)
    if saturation < GREY:
        mixed = [ink + (ground - ink) * lightness for ink, ground in zip(INK, GROUND, strict=True)]
        return _hex((mixed[0], mixed[1], mixed[2]))
    color = (red, green, blue)
    while contrast(color, GROUND) < CONTRAST and lightness < 1:
        lightness = min(1.0, lightness + 0.01)
        color = hls_to_rgb(hue, lightness, saturation)
    return _hex(color)


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Rgb) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(color: Rgb) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)
