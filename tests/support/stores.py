"""An S3-compatible object store on loopback, for tests: moto's, behind a door that can be shut."""

import logging
import os
import selectors
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import fsspec
import s3fs
from moto.server import ThreadedMotoServer
from ports import free_port

BUCKET = "studies"


class Door:
    """Passes connections on to a server, unless it is shut; then it refuses them.

    Attributes:
        delay: seconds that every answer takes longer.
        behind: address of the server itself.
    """

    def __init__(self, target: int):
        self.delay = 0.0
        self.behind = f"http://127.0.0.1:{target}"
        self._target = target
        self._inner: set[socket.socket] = set()
        self.port = free_port()
        self.open()

    def open(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self._listener = listener
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def shut(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._inner):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                outer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=[outer], daemon=True).start()

    def _pass_on(self, outer: socket.socket) -> None:
        with (
            outer,
            suppress(ConnectionError),  # the server is about to stop
            socket.create_connection(("127.0.0.1", self._target)) as inner,
        ):
            pair = {outer: inner, inner: outer}
            self._inner |= set(pair)
            with selectors.DefaultSelector() as selector:
                for side in pair:
                    selector.register(side, selectors.EVENT_READ)
                try:
                    while True:
                        for key, _ in selector.select():
                            content = key.fileobj.recv(65536)
                            if not content:
                                return
                            if key.fileobj is inner and self.delay:
                                time.sleep(self.delay)
                            pair[key.fileobj].sendall(content)
                except OSError:
                    return
                finally:
                    self._inner -= set(pair)


@contextmanager
def object_store() -> Iterator[Door]:
    """While this is open, ``s3://studies`` is an empty bucket, also for processes started here."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    door = Door(server.get_host_and_port()[1])
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{door.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        # moto keeps what it has as long as the process lives.
        urllib.request.urlopen(f"{settings['AWS_ENDPOINT_URL']}/moto-api/reset", data=b"").close()
        fsspec.filesystem("s3").mkdir(BUCKET)
        yield door
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()
