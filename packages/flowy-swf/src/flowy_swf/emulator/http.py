"""The service over HTTP on loopback: AWS JSON 1.0, connections kept alive, signatures unread."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

from flowy_swf.emulator import faults
from flowy_swf.emulator.calls import Calls
from flowy_swf.emulator.model import TARGET_PREFIX
from flowy_swf.emulator.service import CutError, Service
from flowy_swf.emulator.tasklists import Caller

_CONTENT_TYPE = "application/x-amz-json-1.0"
#: The largest body the service takes, in bytes.
_LARGEST = 16 * 1024 * 1024
#: How long a stop waits, in seconds, for an answer to be taken by its client.
_PATIENCE = 1.0


class _Connection(Caller):
    """A caller at the other end of a connection."""

    def __init__(self, connection: socket.socket, server: Server) -> None:
        super().__init__()
        self._connection = connection
        self._server = server

    def gone(self) -> bool:
        # Asked of held polls only, while nobody else reads from or writes to the connection.
        self._connection.setblocking(False)
        try:
            return self._connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            with suppress(OSError):
                self._connection.setblocking(True)

    def alone(self) -> bool:
        # Threads that share a client use whichever of its connections is free.
        return self._server.connection_count() == 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    server: Server

    def handle(self) -> None:
        # A client that goes away in the middle of a request is nothing to report.
        with suppress(ConnectionError):
            super().handle()

    def handle_expect_100(self) -> bool:
        answered = super().handle_expect_100()
        self.wfile.flush()  # the client waits for it before it sends the body
        return answered

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        # http.server would answer in HTML what is no request, or no POST.
        self.close_connection = True
        self._answer("", faults.Fault("UnknownOperationException"), 0)

    def do_POST(self) -> None:
        caller = _Connection(self.connection, self.server)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 8 or int(length) > _LARGEST:
            self.close_connection = True
            self._answer("", faults.serialization("the body has no length, or too much of it"), 0)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            # The client went away, or the server stops: there is no request to answer.
            self.close_connection = True
            return
        operation = self.headers.get("X-Amz-Target", "")
        prefix, _, name = operation.rpartition(".")
        try:
            if prefix != TARGET_PREFIX:
                raise faults.Fault("UnknownOperationException")
            answer = self.server.service.call(name, _parse(body), caller)
        except faults.Fault as fault:
            if fault.name == "UnknownOperationException":
                name = ""  # or every name that somebody makes up would be counted for ever
            self._answer(name, fault, len(body))
        except CutError:
            self.server.calls.add(name, len(body), 0)
            self.close_connection = True
        else:
            self._answer(name, answer, len(body))

    def _answer(self, operation: str, answer: Any, received: int) -> None:
        status = 200
        if isinstance(answer, faults.Fault):
            status, answer = answer.status, answer.body()
        body = json.dumps(answer, separators=(",", ":")).encode() if answer else b""
        self.server.calls.add(operation, received, len(body))
        self.send_response_only(status)
        self.send_header("Content-Type", _CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(body)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise faults.serialization("the body is no JSON") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"JSON has no {constant}")


class Server(TCPServer):
    """Serve a service on loopback, each connection in a thread, until stopped."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, service: Service, calls: Calls, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.service = service
        self.calls = calls
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._open = 0
        self._acceptor = threading.Thread(
            target=self.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="swf-emulator",
            # A stop waits for every thread. If it is cut short, by a second Ctrl-C, they must not
            # keep the interpreter from ending.
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Give the URL to point clients at."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def stop(self) -> None:
        """Stop accepting, end every connection and wait for their threads."""
        self.shutdown()
        self._acceptor.join()
        self.server_close()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for thread, connection in connections.items():
            thread.join(_PATIENCE)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # it waits for a client that does not read
            thread.join()

    def connection_count(self) -> int:
        """Count the connections that are open."""
        return self._open

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread of its own."""
        work: Callable[[], None] = lambda: self._serve(request, client_address)  # noqa: E731
        thread = threading.Thread(target=work, name="swf-emulator-connection", daemon=True)
        with self._lock:
            # Threads are kept until they have ended, so that a stop can wait for each.
            ended = [each for each in self._connections if not each.is_alive()]
            for each in ended:
                del self._connections[each]
            self._open += 1
            thread.start()
            self._connections[thread] = request

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client went away
        finally:
            with self._lock:
                self._open -= 1
            self.shutdown_request(request)
