import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, threading
from search.cluster.exit_message import ExitMessage

with ExitMessage() as exit_message:
    exit_message.set("failed: early")
    exit_message.set("failed: late")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # stderr goes elsewhere, as in a search
    {end}
"""


def ended_by(end: str) -> tuple[int, str]:
    """Exit code and stderr of a process that ends so."""
    command = [sys.executable, "-c", SCRIPT.format(end=end)]
    done = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("os._exit(1)", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_a_process_that_ends_without_a_word_has_one_all_the_same(end, code):
    assert ended_by(end) == (code, "failed: late\n")


def test_who_ends_it_on_purpose_says_why_from_any_thread():
    end = (
        "threading.Thread(target=exit_message.exit, args=['failed: away']).start(); signal.pause()"
    )
    assert ended_by(end) == (1, "failed: away\n")


@pytest.mark.parametrize(("end", "code"), [("pass", 0), ("raise SystemExit(3)", 3)])
def test_nothing_is_added_when_the_process_can_speak_for_itself(end, code):
    assert ended_by(end) == (code, "")


def test_a_watcher_that_was_killed_is_no_matter():
    end = (
        "exit_message._watcher.kill(); exit_message._watcher.wait(); exit_message.set('failed: x')"
    )
    assert ended_by(end) == (0, "")


def test_ctrl_c_in_a_terminal_does_not_reach_the_watcher():
    end = "signal.signal(signal.SIGINT, lambda *_: os._exit(1)); os.killpg(0, signal.SIGINT)"
    assert ended_by(end) == (1, "failed: late\n")
