"""One self-contained HTML page of a comparison: the verdict first."""

from analysis.page.render import render_page

__all__ = ["render_page"]
