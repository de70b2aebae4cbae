"""Labels of models and studies, broken into lines where a reader expects it."""

import re
import textwrap


class _Names(textwrap.TextWrapper):
    """Breaks after spaces and after what separates the parts of a name or path."""

    wordsep_re = re.compile(r"(\s+|[^\s_.:/-]*[_.:/-]+)")


def wrapped(label: str, width: int, most_lines: int | None = None) -> str:
    """A label in lines of at most ``width`` characters; what is beyond ``most_lines`` is left out.

    ``package.module:factory`` breaks after the dot and the colon, not within a word, unless the
    word is longer than a line.
    """
    return _Names(width, max_lines=most_lines, placeholder="...").fill(label)


def shortened(label: str) -> str:
    """A label of at most 16 characters a line, and three lines."""
    return wrapped(label, 16, 3)
