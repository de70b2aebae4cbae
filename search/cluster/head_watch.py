"""Notices when the head of the Ray cluster stops answering."""

import logging
import socket
import threading
import time

import ray

from search.cluster.exit_message import ExitMessage
from search.cluster.ray_compat import head_timeout

INTERVAL = 2.0
"""Seconds between two checks."""

TIMEOUT_SHARE = 0.75
"""Share of Ray's own timeout after which we end the process, with a message, before Ray does."""

log = logging.getLogger(__name__)


class HeadWatch:
    """Checks the head from a thread, and ends the process when it does not answer for too long.

    Ending it is the only way: the main thread is then waiting inside Ray and cannot be woken.
    Nothing is lost, because every event is written before it takes effect. This is a context
    manager for one connection to Ray: a restarted cluster has another head.

    Args:
        exit_message: prints why the process ends.
        resume: the command that resumes the search.
    """

    def __init__(self, exit_message: ExitMessage, resume: str):
        self._exit_message = exit_message
        self._resume = resume
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._address = (host.strip("[]"), int(port))
        self._timeout = TIMEOUT_SHARE * head_timeout()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "HeadWatch":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        seen, told = time.monotonic(), False
        while not self._over.wait(INTERVAL):
            away = time.monotonic() - seen
            if self._answers():
                if told:
                    log.warning("the head of the Ray cluster answers again")
                seen, told = time.monotonic(), False
            elif self._over.is_set():
                return
            elif away > self._timeout:
                self._exit_message.exit(
                    "failed: the head of the Ray cluster does not answer; the results so far are "
                    f"saved. When the head is back, resume with: {self._resume}"
                )
            elif away > 2 * INTERVAL and not told:
                log.warning("the head of the Ray cluster does not answer; waiting for it")
                told = True

    def _answers(self) -> bool:
        try:
            socket.create_connection(self._address, timeout=5).close()
        except OSError:
            return False
        return True
