"""Ports of loopback."""

import random
import socket

LOW, HIGH = 20_000, 32_000
"""Below those that the system gives to outgoing connections, and to servers that want any."""


def free_port() -> int:
    """A port for a server that starts later, or opens again: nobody gets it by chance meanwhile."""
    while True:
        port = random.SystemRandom().randrange(LOW, HIGH)  # no seed of a test decides
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
