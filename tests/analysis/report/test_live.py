"""The comparison that follows a study: as a user starts it, on loopback."""

import csv
import http.client
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest
from searches import ROOT, start, wait_for
from study_files import trial, write_csv, write_study

from analysis.compare import main
from analysis.report.live import LiveComparison, listen, state_of
from studies import format as files
from studies.columns import TABLES
from studies.errors import InputError

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
OLD_STUDY = ROOT / "tests" / "old_studies" / "gru-sequence"


def fetch(port: int, path: str = "/") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A real one, which a search of the first version made."""
    return Path(shutil.copytree(OLD_STUDY, tmp_path / "runs" / "gru-sequence"))


@pytest.mark.slow
def test_the_page_follows_a_study_until_ctrl_c(study: Path, tmp_path: Path) -> None:
    output = tmp_path / "reports"
    process = start(
        "analysis.compare", study.parent, "--output", output, "--live", "--port", 0
    )  # fmt: skip
    assert process.stdout
    (found,) = re.findall(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
    port = int(found)
    wait_for(lambda: fetch(port, "/version") == (200, "1\n"), process)
    assert fetch(port)[0] == 200
    assert fetch(port, "/index.html")[1] == (output / "index.html").read_text(encoding="utf-8")
    assert fetch(port, "/accuracy_vs_T.svg")[1].startswith("<?xml")
    assert fetch(port, "/comparison.csv")[1] == (output / "comparison.csv").read_text()
    for path in ("/nothing", "/../runs/gru-sequence/study.yaml", "/%2e%2e/runs/"):
        assert fetch(port, path)[0] == 404
    with (study / files.BEST_FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1]["accuracy"] = "0.4321"
    write_csv(tmp_path / "best.csv", list(rows[0]), rows)
    (tmp_path / "best.csv").replace(study / files.BEST_FILE)  # in one step, as a search does
    wait_for(lambda: fetch(port, "/version") == (200, "2\n"), process)
    assert "0.4321" in fetch(port, "/comparison.csv")[1]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.endswith("ended\n")


@pytest.mark.parametrize("file", [*(table.file for table in TABLES), files.STUDY_FILE])
def test_every_file_that_a_comparison_reads_can_change_it(tmp_path: Path, file: str) -> None:
    study = write_study(tmp_path / "runs", "gru")
    before = state_of([study])
    (study / file).write_text("changed")
    assert state_of([study]) != before


def test_a_comparison_is_made_when_a_file_of_a_study_has_changed_and_only_then(
    tmp_path: Path,
) -> None:
    calls: list[str] = []
    study = write_study(tmp_path / "runs", "gru", trials=[trial(100)])
    live = LiveComparison(lambda: calls.append(""), [tmp_path / "runs"], tmp_path)
    assert [live.refresh() for _ in range(3)] == [True, False, False]
    (study / "search.log").write_text("what Ray says")
    assert not live.refresh()
    (study / files.PROGRESS_FILE).write_text("changed")
    assert live.refresh()
    write_study(tmp_path / "runs", "lstm")
    assert live.refresh()
    assert (len(calls), live.version) == (3, 3)


def test_without_a_study_that_is_said_until_there_is_one(tmp_path: Path) -> None:
    def compare() -> None:
        if not (tmp_path / "runs").exists():
            raise InputError("runs does not exist; make one")

    live = LiveComparison(compare, [tmp_path / "runs"], tmp_path)
    server = listen(live, 0)
    port = server.server_address[1]
    assert "No comparison yet" in fetch(port, "/index.html")[1]
    live.refresh()
    assert fetch(port, "/version") == (200, "1\nruns does not exist; make one")
    write_study(tmp_path / "runs", "gru")
    live.refresh()
    assert fetch(port, "/version") == (200, "2\n")
    server.shutdown()
    server.server_close()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_a_browser_shows_each_new_comparison_where_the_reader_is(browser, tmp_path: Path) -> None:
    """The page's own policy forbids other scripts, as that of index.html does."""
    from browser import PATIENCE

    policy = "default-src 'none'; style-src 'unsafe-inline'"

    def compare() -> None:
        (tmp_path / "index.html").write_text(
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
            f'<p id="n">comparison {live.version + 1}</p><div style="height: 5000px"></div>'
        )

    study = write_study(tmp_path / "runs", "gru")
    live = LiveComparison(compare, [study], tmp_path)
    server = listen(live, 0)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    shown = page.frame_locator("iframe")
    shown.get_by_text("No comparison yet").wait_for()
    live.refresh()
    shown.get_by_text("comparison 1").wait_for()
    page.frames[1].evaluate("window.scrollTo(0, 1234)")
    (study / files.BEST_FILE).write_text("changed")
    live.refresh()
    page.wait_for_function("frames[0].document.querySelector('#n')?.textContent === 'comparison 2'")
    page.wait_for_function("frames[0].scrollY === 1234")
    assert page.get_by_role("status").is_hidden()
    assert wrong == []
    server.shutdown()
    server.server_close()
    page.get_by_text("has ended; this is its last comparison").wait_for()
    assert page.frames[1].evaluate("document.querySelector('#n').textContent") == "comparison 2"
    page.close()


def test_a_state_is_that_of_one_study_or_of_a_folder_of_them(tmp_path: Path) -> None:
    study = write_study(tmp_path / "runs", "gru")
    assert state_of([study]) == state_of([tmp_path / "runs"]) != ()
    assert state_of([tmp_path / "nothing"]) == ()


def test_a_port_that_is_taken_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--output", str(tmp_path), "--live", "--port", str(port)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: --port {port}: Address already in use; choose another")


def test_an_address_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ftpx://x/y", "--output", str(tmp_path), "--live", "--port", "0"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ftpx://x/y cannot be read yet: ")


def test_a_store_that_is_away_for_a_moment_is_a_problem_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(runs: object) -> None:
        raise ConnectionError("the store does not answer")

    live = LiveComparison(lambda: None, [write_study(tmp_path / "runs", "gru")], tmp_path)
    assert live.refresh()
    with monkeypatch.context() as patch:
        patch.setattr("analysis.report.live.state_of", away)
        assert not live.refresh()
    assert (live.version, live.problem) == (1, "the store does not answer")
    assert live.refresh()
    assert (live.version, live.problem) == (2, "")
