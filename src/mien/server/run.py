"""`mien serve`: uvicorn around the app, with limits for connections that uvicorn leaves to a proxy."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from threading import Timer
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mien.errors import MienError, OptionError
from mien.server.settings import ServerSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from mien.server.service import Service

logger = logging.getLogger("mien.server")

# Connections that may come in before any can be refused. With many, asyncio floods the log when it runs out of
# descriptors.
_BACKLOG = 64
# Descriptors that are kept for files, besides those for videos.
_RESERVED = 64
# What is still being decoded when the grace is over ends with the process.
LAST_S = 1.5
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

# malloc.h of glibc.
_M_MMAP_THRESHOLD, _LARGE_BLOCK = -3, 1 << 20


def listen(host: str, port: int) -> socket.socket:
    """Open the socket to serve at.

    Raises:
        OptionError: If there is no such address.
        MienError: If it is taken or not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        reason = f"{host!r} is not an address of this machine; 127.0.0.1 is this machine alone"
        raise OptionError(reason, field="host") from error
    try:
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MienError(f"cannot listen at {host}, port {port}: {reason}; choose another with --port") from error
    # Connections inherit it. asyncio does not set it on sockets that do not name their protocol, and answers would wait
    # 40 ms for the client's system to acknowledge their heads (Nagle's algorithm, delayed acknowledgment).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def run(
    app: FastAPI,
    settings: ServerSettings,
    listener: socket.socket,
    root_path: str,
    announce: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        app: From `create_app`.
        settings: Its settings.
        listener: From `listen`.
        root_path: The path below which a proxy offers the service, as ``/mien``; empty for none.
        announce: Called when the server answers.
    """
    config = uvicorn.Config(
        app,
        http=_guarded(settings),
        root_path=root_path,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        # A frame that is too large is answered; what is far too large is not even received.
        ws_max_size=2 * settings.max_frame,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=math.ceil(settings.grace_s),
    )
    # Uvicorn takes a refused stream (401, 403, 429) for a mistake and would log a line for each.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing handshake" not in record.getMessage()
    )
    server = _Server(config, app.state.service, announce)
    _return_memory()

    def stop(number: int, stack_frame: object) -> None:
        server.should_exit = True

    # Uvicorn hands the signals it was stopped by on to these when it is done: that was a normal end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Stops within the grace that the settings give, whatever clients do."""

    def __init__(self, config: uvicorn.Config, service: Service, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._announce = service, announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.stop()
        last = Timer(self._service.settings.grace_s + LAST_S, _leave)
        last.daemon = True
        last.start()
        await super().shutdown(sockets)


def _return_memory() -> None:
    """Have glibc give large blocks back as soon as they are free.

    By itself it keeps ever larger ones for the next use, on every thread: after some large pictures the process would
    stay twice as large. Where the C library is another, nothing happens.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


def _leave() -> None:
    logger.warning("stopped before everything had ended")
    logging.shutdown()
    os._exit(0)


def _max_connections(settings: ServerSettings) -> int:
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return settings.max_connections
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return settings.max_connections
    return max(1, min(settings.max_connections, soft - _RESERVED - _BACKLOG - 4 * settings.max_videos))


def _guarded(settings: ServerSettings) -> type[asyncio.Protocol]:
    """Uvicorn's protocol with a limit for connections, and for the time that the head of a request takes."""
    limit, base = _max_connections(settings), AutoHTTPProtocol

    class Guarded(base):  # type: ignore[misc, valid-type]
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > limit:
                logger.warning("too many connections, one was refused")
                transport.write(_FULL)
                transport.close()
            else:
                self._await_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.transport.get_protocol() is not self or (self.cycle and not self.cycle.response_complete):
                self._stop_waiting()
            else:
                self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _await_head(self) -> None:
            if self._timer is None:
                self._timer = self.loop.call_later(settings.header_s, self._give_up)

        def _stop_waiting(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _give_up(self) -> None:
            self.transport.write(_SLOW)
            self.transport.close()

    return Guarded
