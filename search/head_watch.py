"""Tells when the head of the Ray cluster is away."""

import logging
import os
import socket
import threading
import time

import ray

INTERVAL = 2.0
"""Seconds between two looks."""

RAYS_PATIENCE = "RAY_gcs_rpc_server_reconnect_timeout_s"
"""Environment variable: seconds, by default 60, for which the head may be away before Ray ends the
process without a word."""

SHARE = 0.75
"""Of that time, after which the process ends here, with a word."""

log = logging.getLogger(__name__)


class HeadWatch:
    """Watches the head from a thread of its own, and ends the process when it stays away.

    The main thread waits for Ray then and cannot be woken. Nothing is lost: each event was
    written before it counted. A context manager.

    Args:
        resume: the command that goes on with the search.
    """

    def __init__(self, resume: str):
        self._resume = resume
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._address = (host.strip("[]"), int(port))
        self._patience = SHARE * float(os.environ.get(RAYS_PATIENCE, 60))
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
            elif away > self._patience:
                log.error(
                    "the head of the Ray cluster is gone; what ran is kept. When there is one, "
                    "go on with:\n  %s", self._resume,
                )  # fmt: skip
                os._exit(1)
            elif away > 2 * INTERVAL and not told:
                log.warning("the head of the Ray cluster does not answer; waiting for it")
                told = True

    def _answers(self) -> bool:
        try:
            socket.create_connection(self._address, timeout=5).close()
        except OSError:
            return False
        return True
