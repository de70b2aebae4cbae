"""A comparison that follows the studies: rebuilt when they change, and shown in a browser."""

import threading
import time
import webbrowser
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from analysis.report.page import PAGE
from studies import format as files
from studies.errors import InputError
from studies.finding import open_run
from studies.paths import StudyPath, is_object_store

HOST = "127.0.0.1"

LOOK_INTERVAL = 2.0
"""Seconds between two looks at the studies."""

SHARE = 0.3
"""Largest share of the time that is spent on comparisons: the search needs the processor."""

READ_FILES = (
    files.STUDY_FILE, files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE, files.CONFIRM_FILE,
    files.REACH_FILE, files.GENERALIZATION_FILE,
)  # fmt: skip

VERSION_PATH = "/version"

FRAME = (Path(__file__).parent / "live.html").read_text(encoding="utf-8")
"""A page around the comparison, which reloads it when there is a newer one. The comparison cannot
do that itself: it allows no script but its own."""

NOTHING_YET = "<!DOCTYPE html><title>Comparison</title><p>No comparison yet."


class LiveComparison:
    """The comparison in a folder, which follows the studies.

    Attributes:
        version: grows with each comparison.
        problem: why there is no comparison, or no newer one; empty if there is.

    Args:
        compare: writes the comparison; raises InputError if it cannot.
    """

    def __init__(self, compare: Callable[[], None], runs: Sequence[str | StudyPath], output: Path):
        self.version = 0
        self.problem = ""
        self.output = output
        self._compare = compare
        self._runs = runs
        self._made_from: object = None

    def refresh(self) -> bool:
        """Rebuild the comparison if a study has changed; returns whether one had."""
        state = None
        try:
            state = state_of(self._runs)
            if state == self._made_from:
                return False
            self._compare()
            self.problem = ""
        except Exception as error:  # a study may be deleted, or a store away, while it is read
            in_store = any(is_object_store(open_run(run)) for run in self._runs)
            if not (isinstance(error, (InputError, OSError)) or in_store):
                raise
            self.problem = str(error)
        self._made_from = state
        self.version += state is not None
        return state is not None


def state_of(runs: Sequence[str | StudyPath]) -> tuple[tuple[str, float, int], ...]:
    """Path, time and size of each file of the studies: they differ once a study has changed."""
    state = []
    for run in map(open_run, runs):
        folders = [run, *run.iterdir()] if run.is_dir() else []
        for path in (folder / name for folder in folders for name in READ_FILES):
            try:
                status = path.stat()
            except OSError:
                continue
            state.append((str(path), status.st_mtime, status.st_size))
    return tuple(sorted(state))


class _Handler(SimpleHTTPRequestHandler):
    """Serves the page, its version and the files beside it."""

    def __init__(self, comparison: LiveComparison, *arguments: object):
        self._comparison = comparison
        super().__init__(*arguments, directory=str(comparison.output))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        comparison, path = self._comparison, self.path.partition("?")[0]
        if path == "/":
            self._send(FRAME.replace("VERSION", str(comparison.version)), "text/html")
        elif path == VERSION_PATH:
            self._send(f"{comparison.version}\n{comparison.problem}", "text/plain")
        elif path == "/index.html" and not (comparison.output / PAGE).exists():
            self._send(NOTHING_YET, "text/html")
        else:
            super().do_GET()

    def _send(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
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


def listen(comparison: LiveComparison, port: int) -> ThreadingHTTPServer:
    """Serve a comparison in a thread, to this machine only.

    Args:
        port: 0 takes a free one.

    Raises:
        InputError: the port cannot be used.
    """
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_Handler, comparison))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--port {port}: {reason}; choose another, or 0 for a free one") from None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def follow(
    compare: Callable[[], None],
    runs: Sequence[str | StudyPath],
    output: Path,
    port: int,
    browse: bool,
) -> None:
    """Serve the comparison, and rebuild it whenever studies have changed, until Ctrl-C.

    Args:
        browse: show it in the browser.

    Raises:
        InputError: the port cannot be used.
    """
    comparison = LiveComparison(compare, runs, output)
    server = listen(comparison, port)
    address = f"http://{HOST}:{server.server_address[1]}/"
    print(f"{address} shows the comparison and follows the studies; Ctrl-C ends it", flush=True)
    if browse:
        webbrowser.open(address)
    try:
        while True:
            began = time.monotonic()
            if comparison.refresh():
                what = comparison.problem or f"comparison {comparison.version} is ready"
                print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)
            took = time.monotonic() - began
            time.sleep(max(LOOK_INTERVAL, took * (1 - SHARE) / SHARE))
    except KeyboardInterrupt:
        print("ended")
    finally:
        server.shutdown()
        server.server_close()
