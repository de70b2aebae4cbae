"""Tells when the head of the Ray cluster is away."""

import logging
import socket
import threading
import time

import ray

from search.cluster.exit_message import ExitMessage
from search.cluster.ray_compat import head_patience

INTERVAL = 2.0
"""Seconds between two looks."""

SHARE = 0.75
"""Share of Ray's patience after which the process ends here, with a word."""

log = logging.getLogger(__name__)


class HeadWatch:
    """Watches the head from a thread of its own, and ends the process when it stays away.

    The main thread waits for Ray then and cannot be woken. Nothing is lost: each event was
    written before it counted. A context manager, for one connection to Ray: the head of a cluster
    that was started again is another.

    Args:
        exit_message: says why the process ends.
        resume: the command that resumes the search.
    """

    def __init__(self, exit_message: ExitMessage, resume: str):
        self._exit_message = exit_message
        self._resume = resume
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._address = (host.strip("[]"), int(port))
        self._patience = SHARE * head_patience()
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
            elif away > self._patience:
                self._exit_message.exit(
                    "failed: the head of the Ray cluster is gone; what ran is kept. When there is "
                    f"a head again, resume with: {self._resume}"
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
