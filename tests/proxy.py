"""A reverse proxy in front of a test's server: like any, it says in a header for whom it asks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

STRANGER = "203.0.113.7"
"""An address for documentation: nobody's."""


@contextlib.contextmanager
def forwarding(target: int) -> Iterator[int]:
    """The port of a proxy to the server at port ``target``, while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
        yield int(listener.getsockname()[1])


def _accept(listener: socket.socket, target: int) -> None:
    # Ends when the listener is closed.
    with contextlib.suppress(OSError):
        while True:
            browser, _ = listener.accept()
            threading.Thread(target=_serve, args=(browser, target), daemon=True).start()


def _serve(browser: socket.socket, target: int) -> None:
    with contextlib.suppress(OSError), browser, socket.create_connection(("127.0.0.1", target)) as server:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := browser.recv(65536)):
                return
            head += more
        request, _, rest = head.partition(b"\r\n")
        if b"upgrade: websocket" not in head.lower():
            # One request a connection, so that each of them gets the header.
            lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            rest = b"Connection: close\r\n" + b"\r\n".join(lines)
        server.sendall(request + b"\r\nX-Forwarded-For: " + STRANGER.encode() + b"\r\n" + rest)
        back = threading.Thread(target=_pump, args=(server, browser), daemon=True)
        back.start()
        _pump(browser, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while more := source.recv(65536):
            sink.sendall(more)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
