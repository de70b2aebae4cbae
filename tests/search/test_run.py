"""What --list and --show print, in 80 columns."""

import os
import re
import subprocess
import sys

import pytest
from made_studies import best, make_config, report, search, start
from searches import ROOT
from upath import UPath

from search.errors import UserError
from search.run import print_studies
from search.study.study import Study
from studies import format as files


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def make_study(folder, name: str, config=None) -> Study:
    """One T searched, at the other a trial was stopped and one failed."""
    study = Study.create(folder / name, config or make_config(trials=3, grace_iterations=1))
    search(study, 5, accuracy=0.9969)
    study.begin_length(9, [])
    for name, status in [("T9-0000", ""), ("T9-0001", files.STOPPED_EARLY)]:
        start(study, name, 9)
        report(study, name, 1, 0.4 if not status else 0.2, status)
    start(study, "T9-0002", 9)
    study.fail_trial("T9-0002", "training diverged at step 3")
    return study


def printed(capsys, folder, *names: str) -> str:
    print_studies(UPath(folder), list(names))
    out = capsys.readouterr().out
    # A path or command is one line, to be copied.
    assert all(len(line) <= 80 for line in out.splitlines() if str(folder) not in line)
    return out


def test_the_list_says_of_each_study_how_far_it_is_and_how_good(tmp_path, capsys):
    running = make_study(tmp_path, "gru-sequence")
    make_study(tmp_path, "a-study-with-quite-a-long-name-2").close()
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / files.EVENTS_FILE).touch()
    out = printed(capsys, tmp_path)
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert lines["gru-sequence"][1:7] == ["gru", "delay", "1/2", "running", ".997", "~.40"]
    assert re.fullmatch(r"\d\d:\d\d", lines["gru-sequence"][7])
    assert "interrupted" in out
    assert "lost is broken:" in out
    assert "study.yaml" in out
    running.close()


def test_a_list_of_more_lengths_than_there_is_room_for_says_so(tmp_path, capsys):
    Study.create(tmp_path / "s", make_config(T=range(1, 20))).close()
    out = printed(capsys, tmp_path)
    assert "No room for T = 1, 2" in out
    assert " 19 " in out


def test_an_empty_storage_says_how_a_study_is_made(tmp_path, capsys):
    assert "make one by: python -m search.run" in printed(capsys, tmp_path)


def test_a_study_is_shown_with_its_results_its_endings_and_what_to_do_next(tmp_path, capsys):
    study = make_study(tmp_path, "s")
    out = printed(capsys, tmp_path, "s")
    for expected in (
        "s: gru on delay, running", "learning_rate 0.0001 to 0.01 (log), hidden_size 8|16",
        "0.400-0.600", "1 failed: training diverged at step 3", "Stopped early: 1 at iteration 1",
        f"--name s --storage {tmp_path} --resume", f"--replay {tmp_path / 's'} T5-0000",
        f'load_model("{tmp_path / "s"}/checkpoints/T=5")', f"compare {tmp_path / 's'}",
    ):  # fmt: skip
        assert expected in out
    endings = [line.split() for line in out.splitlines() if line.startswith(("5 ", "9 "))][2:]
    assert endings == [
        ["5", "1", "1", "1", "trial", "has", "run"],
        ["9", "3", "1", "1", "1", "running"],
    ]
    study.close()


def test_what_would_continue_a_finished_study_is_shown_as_commands(tmp_path, capsys):
    study = Study.create(tmp_path / "s", make_config(T=[5], trials=3))
    search(study, 5, accuracy=0.9)
    study.close()
    out = printed(capsys, tmp_path, "s")
    assert "s: gru on delay, finished" in out
    assert "search more at T=5, where all trials have run:\n" in out
    assert f"--name s --storage {tmp_path} --resume --trials 6\n" in out
    assert "--retry-failed" not in out


def test_failed_trials_can_be_run_again_unless_the_search_still_runs(tmp_path, capsys):
    study = make_study(tmp_path, "s")
    assert "--retry-failed" not in printed(capsys, tmp_path, "s")
    study.close()
    out = printed(capsys, tmp_path, "s")
    assert "run failed trials again:\n" in out
    assert f"--name s --storage {tmp_path} --resume --retry-failed\n" in out


def test_two_studies_are_compared_by_what_differs_and_their_best(tmp_path, capsys):
    make_study(tmp_path, "before").close()
    make_study(tmp_path, "after", make_config(trials=3, seed=1, patience=4)).close()
    out = printed(capsys, tmp_path, "before", "after")
    rows = [line.split() for line in out.splitlines()]
    assert ["search.seed", "0", "1"] in rows
    assert ["search.patience", "None", "4"] in rows
    assert not any(row[:1] == ["search.trials"] for row in rows)
    assert ["5", "0.997", "0.400-0.600", "0.997", "0.400-0.600", "+0.000", "-", "-"] in rows
    assert ["9", "-", "-", "-", "-"] in rows


@pytest.mark.parametrize("options", [["--list"], ["--show", "s"], ["--list", "--json"]])
def test_a_reader_that_goes_away_ends_it_in_silence(tmp_path, options):
    make_study(tmp_path, "s").close()
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "search.run", "--storage", str(tmp_path), *options]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_more_than_two_are_refused(tmp_path):
    make_study(tmp_path, "s").close()
    with pytest.raises(UserError, match="one name, or two to compare, but got 3"):
        print_studies(UPath(tmp_path), ["s", "s", "s"])


@pytest.mark.parametrize(
    ("tokens_to_solve", "high", "marked"),
    [(99, 0.983, True), (99, 0.991, False), (None, 0.5, False)],
)
def test_solved_is_marked_where_the_test_lies_below(
    tokens_to_solve, high, marked, tmp_path, capsys
):
    study = Study.create(tmp_path / "s", make_config(T=[5], trials=1))
    start(study, "T5-0000")
    report(study, "T5-0000", 1, 0.5, files.COMPLETED, tokens_to_solve=tokens_to_solve)
    study.set_best(5, best(5, 0.5, high=high))
    study.close()
    out = printed(capsys, tmp_path, "s")
    assert ("solved on validation payloads, but the test accuracy is below 0.99" in out) == marked
    assert bool(re.search(rf"-{high:.3f} !\s", out)) == marked
