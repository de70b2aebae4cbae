"""The live view reads what the search changes, so the thread of the search alone renders it."""

import io
import logging
import threading
import time

import pytest
from rich.console import Console
from rich.text import Text

from search.console.screen import Screen


class Counted:
    """A view that counts how often it was rendered, and knows by which threads."""

    def __init__(self):
        self.times = 0
        self.threads = set()

    def __rich_console__(self, console, options):
        self.times += 1
        self.threads.add(threading.current_thread())
        yield Text(f"picture {self.times}")


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(output) -> Screen:
    return Screen(Console(file=output, width=80, force_terminal=True), lambda: 65.0)


def in_a_thread(call, *arguments) -> None:
    thread = threading.Thread(target=call, args=arguments)
    thread.start()
    thread.join()


def test_no_thread_renders_the_view_beside_that_of_the_search(screen):
    view, before = Counted(), threading.enumerate()
    with screen.live(view):
        assert set(threading.enumerate()) <= set(before)
        in_a_thread(logging.getLogger("search.test").warning, "the store does not answer")
    assert view.threads == {threading.current_thread()}


def test_a_line_of_another_thread_has_the_last_picture_below_it(screen, output):
    view = Counted()
    with screen.live(view):
        before = len(output.getvalue())
        in_a_thread(logging.getLogger("search.test").warning, "the store does not answer")
        assert "01:05 the store does not answer" in output.getvalue()[before:]
        assert f"picture {view.times}" in output.getvalue()[before:]


def test_a_line_of_the_search_has_a_new_picture_below_it(screen, output):
    view = Counted()
    with screen.live(view):
        before = len(output.getvalue())
        screen.say("T=100: 16 trials")
        assert f"T=100: 16 trials\npicture {view.times}" in output.getvalue()[before:]
        assert view.times == 2


def test_the_view_is_there_from_the_start_and_redrawn_at_most_twice_a_second(screen, monkeypatch):
    view, now = Counted(), [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with screen.live(view):
        assert view.times == 1
        for _ in range(41):
            screen.redraw_if_due()
            now[0] += 0.0625
        assert view.times == 1 + 6  # at 0, 0.5, ... 2.5 s
        screen.redraw()
        assert view.times == 1 + 7


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_without_a_live_view_nothing_is_drawn(output, terminal, quiet):
    console = Console(file=output, width=80, force_terminal=terminal)
    screen, view = Screen(console, lambda: 0.0, quiet), Counted()
    with screen.live(view):
        screen.redraw()
        screen.redraw_if_due()
    assert (view.times, output.getvalue()) == (0, "")
