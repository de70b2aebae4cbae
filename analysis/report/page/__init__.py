"""One self-contained HTML page of a comparison: the verdict first."""

from analysis.report.page.render import PAGE, render_page

__all__ = ["PAGE", "render_page"]
