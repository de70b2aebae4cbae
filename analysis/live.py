"""A comparison that follows the studies: made anew when they change, shown in a browser."""

import html
import re
import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd

import study_format as files
from analysis.study_data import InputError

HOST = "127.0.0.1"

LOOK_INTERVAL = 2.0
"""Seconds between two looks at the studies."""

SHARE = 0.2
"""Largest share of the time that goes into making comparisons: the search needs the processor."""

READ_FILES = (
    files.STUDY_FILE, files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE, files.CONFIRM_FILE,
)  # fmt: skip

VERSION = "/version"

RELOAD = """<script>
setInterval(async () => {{
  try {{
    const answer = await fetch("{path}", {{cache: "no-store"}});
    if (answer.ok && await answer.text() !== "{version}") location.reload();
  }} catch {{ /* the server has ended: the page stays as it is */ }}
}}, 2000);
</script>
"""
"""Put into each page that is served. What is in the folder stays as it was made."""

PLAIN_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Comparison</title>
<meta name="viewport" content="width=device-width">
<style>:root {{color-scheme: light dark}} body {{font-family: sans-serif; margin: 2em}}
table {{border-collapse: collapse}} td, th {{padding: 0.2em 0.7em; text-align: left}}
img {{max-width: 100%; background: white}}</style></head>
<body>{body}</body></html>
"""


class LiveComparison:
    """The comparison in a folder, which follows the studies.

    Attributes:
        version: grows with each comparison.
        problem: why there is none, or none newer.

    Args:
        compare: makes the comparison; raises InputError if it cannot.
    """

    def __init__(self, compare: Callable[[], None], runs: Sequence[Path], output: Path):
        self.version = 0
        self.problem = ""
        self.output = output
        self._compare = compare
        self._runs = runs
        self._made_from: object = None

    def refresh(self) -> bool:
        """Make the comparison anew if a study has changed; returns whether one had."""
        state = state_of(self._runs)
        if state == self._made_from:
            return False
        try:
            self._compare()
            self.problem = ""
        except (InputError, OSError) as error:  # a study may go while it is read
            self.problem = str(error)
        self._made_from = state
        self.version += 1
        return True

    def page(self) -> str:
        """index.html, or what can be shown without it; it reloads itself when that changes."""
        index = self.output / "index.html"
        text = index.read_text(encoding="utf-8") if index.is_file() else self._plain_page()
        if self.problem:
            note = f'<p role="alert">{html.escape(self.problem)}</p>'
            text = re.sub(r"<body[^>]*>", lambda body: body[0] + note, text, count=1)
        before, end, after = text.rpartition("</body>")
        return before + RELOAD.format(path=VERSION, version=self.version) + end + after

    def _plain_page(self) -> str:
        table = self.output / "comparison.csv"
        if not table.is_file():
            return PLAIN_PAGE.format(body="<p>No comparison yet.</p>")
        frame = pd.read_csv(table, dtype=str, keep_default_na=False)
        images = sorted(path.name for path in self.output.glob("*.svg"))
        figures = "".join(f'<p><img src="{name}" alt="{Path(name).stem}"></p>' for name in images)
        return PLAIN_PAGE.format(body=frame.to_html(index=False, border=0) + figures)


def state_of(runs: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """What tells that a study has changed: of each of its files the path, time and size."""
    state = []
    for run in runs:
        folders = [run, *(path for path in run.iterdir())] if run.is_dir() else []
        for path in (folder / name for folder in folders for name in READ_FILES):
            try:
                status = path.stat()
            except OSError:
                continue
            state.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(sorted(state))


class _Handler(SimpleHTTPRequestHandler):
    """Serves the page, its version, and the files beside it."""

    def __init__(self, comparison: LiveComparison, *arguments: object):
        self._comparison = comparison
        super().__init__(*arguments, directory=str(comparison.output))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == VERSION:
            self._send(str(self._comparison.version), "text/plain")
        elif path in ("/", "/index.html"):
            self._send(self._comparison.page(), "text/html; charset=utf-8")
        else:
            super().do_GET()

    def _send(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # figures change under their names
        super().end_headers()

    def list_directory(self, path: object) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *arguments: object) -> None:
        pass


def serve(
    compare: Callable[[], None],
    runs: Sequence[Path],
    output: Path,
    port: int,
    browse: bool,
) -> None:
    """Serve the comparison on this machine alone, until Ctrl-C.

    Args:
        port: 0 takes a free one.
        browse: show it in the browser.

    Raises:
        InputError: the port cannot be had.
    """
    comparison = LiveComparison(compare, runs, output)
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_Handler, comparison))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--port {port}: {reason}; choose another, or 0 for a free one") from None
    address = f"http://{HOST}:{server.server_address[1]}/"
    print(f"{address} shows the comparison while studies change; Ctrl-C ends it", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if browse:
        webbrowser.open(address)
    try:
        while True:
            began = time.monotonic()
            if comparison.refresh():
                what = comparison.problem or f"comparison {comparison.version} is there"
                print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
            took = time.monotonic() - began
            time.sleep(max(LOOK_INTERVAL, took * (1 - SHARE) / SHARE))
    except KeyboardInterrupt:
        print("ended")
    finally:
        server.shutdown()
        server.server_close()
