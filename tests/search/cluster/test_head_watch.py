"""A head that goes away; here it is a socket of this process."""

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from ports import free_port

from search.cluster import head_watch
from search.cluster.head_watch import HeadWatch
from search.cluster.ray_compat import HEAD_TIMEOUT


class FakeExitMessage:
    """Does not end the process, so the watch may say it again."""

    def __init__(self) -> None:
        self.said: set[str] = set()
        self.ended = threading.Event()

    def exit(self, line: str) -> None:
        self.said.add(line)
        self.ended.set()


@pytest.fixture
def head(monkeypatch) -> Iterator[socket.socket]:
    """It answers until it is closed."""
    head = socket.create_server(("127.0.0.1", free_port()))
    context = SimpleNamespace(gcs_address=f"127.0.0.1:{head.getsockname()[1]}")
    monkeypatch.setattr(head_watch.ray, "get_runtime_context", lambda: context)
    monkeypatch.setattr(head_watch, "INTERVAL", 0.05)
    monkeypatch.setenv(HEAD_TIMEOUT, "0.2")
    yield head
    head.close()


def test_a_head_that_stays_away_ends_the_process_with_the_command_that_resumes(head):
    message = FakeExitMessage()
    with HeadWatch(message, "the command"):
        head.close()
        assert message.ended.wait(600)
    assert message.said == {
        "failed: the head of the Ray cluster does not answer; the results so far are saved. When "
        "the head is back, resume with: the command"
    }


def test_a_watch_that_is_over_does_not_mind_that_its_head_is_gone(head):
    message = FakeExitMessage()
    watch = HeadWatch(message, "the command")
    with watch:
        pass
    head.close()
    watch._thread.join()
    assert message.said == set()
