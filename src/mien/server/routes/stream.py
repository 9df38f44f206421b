"""``WS /v1/stream``: frames in, results out, with people told apart and their emotions smoothed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from time import monotonic
from typing import Any, NamedTuple

from anyio import fail_after
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from mien.detection import Frame
from mien.errors import ImageError
from mien.server.problems import ProblemError
from mien.server.security import check_host, check_origin, has_token, is_token, unauthorized
from mien.server.service import Service, client_of
from mien.tracking.stream import StreamAnalyzer

# More frames a second are not taken in: what comes faster waits in the client's own machine.
_MAX_FRAMES_PER_S = 120
# How long the first message, with the token, may take.
_TOKEN_S = 5.0
# Close codes of RFC 6455 and its registry.
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013


class _Frame(NamedTuple):
    """A message of the client's: its number from 0, when it came in seconds from the start, and what it was."""

    number: int
    time_s: float
    content: bytes | str


class _Newest:
    """Holds the newest frame alone, and counts those that were overtaken."""

    def __init__(self) -> None:
        self._frame: _Frame | None = None
        self._changed = asyncio.Event()
        self._ended = False
        self._dropped = 0

    def put(self, frame: _Frame) -> None:
        self._dropped += self._frame is not None
        self._frame = frame
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def take(self) -> tuple[_Frame, int] | None:
        """Wait for a frame; with it comes how many were dropped since the last one. None at the end."""
        await self._changed.wait()
        self._changed.clear()
        if self._ended or self._frame is None:
            return None
        frame, dropped = self._frame, self._dropped
        self._frame, self._dropped = None, 0
        return frame, dropped


def stream_routes(service: Service) -> APIRouter:
    """The route for live streams."""
    router = APIRouter()

    @router.websocket("/v1/stream")
    async def stream(socket: WebSocket) -> None:
        # Whoever has left cannot be told anything.
        with suppress(WebSocketDisconnect), ExitStack() as place:
            try:
                await _let_in(socket, service, place)
                await _Connection(socket, service).run()
            except ProblemError as problem:
                service.metrics.rejected.labels(problem.code).inc()
                await _refuse(socket, problem)

    return router


async def _let_in(socket: WebSocket, service: Service, place: ExitStack) -> None:
    """Check who connects and take a place, then accept.

    Browsers cannot send headers. Hence a connection without the header may send its token as the first message.
    """
    settings = service.settings
    service.pool  # noqa: B018  Refuses where the service is not running.
    check_host(socket.headers, settings)
    check_origin(socket.headers, settings)
    if has_token(socket.headers, settings):
        place.enter_context(_counted(service))
        await socket.accept()
        return
    if "authorization" in socket.headers:
        raise unauthorized()
    with service.unknown.take():
        await socket.accept()
        try:
            with fail_after(_TOKEN_S):
                first = await socket.receive()
        except TimeoutError:
            raise unauthorized() from None
        if first["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        if not is_token(_token_of(first.get("text")), settings.token or ""):
            raise unauthorized()
    place.enter_context(_counted(service))


@contextmanager
def _counted(service: Service) -> Iterator[None]:
    with service.streams.take(), service.metrics.streams.track_inprogress():
        yield


def _token_of(message: str | None) -> str:
    try:
        values = json.loads(message or "")
    except (ValueError, RecursionError):
        return ""
    return str(values.get("token", "")) if isinstance(values, dict) else ""


async def _refuse(socket: WebSocket, problem: ProblemError) -> None:
    """Say why, as an HTTP answer before the connection is open, and as a message afterwards."""
    if socket.application_state.name == "CONNECTING":
        if "websocket.http.response" in socket.scope.get("extensions", {}):
            await socket.send_denial_response(problem.response())
        else:
            await socket.close(_POLICY_VIOLATION)
        return
    await socket.send_text(json.dumps({"error": problem.to_dict()}))
    await socket.close(_TRY_AGAIN_LATER if problem.status == 429 else _POLICY_VIOLATION, str(problem)[:120])


class _Connection:
    """One open stream."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket, self._service = socket, service
        self._newest = _Newest()
        self._stream = StreamAnalyzer(service.analyzer)

    async def run(self) -> None:
        """Answer frames until the client leaves or falls silent."""
        receiver = asyncio.create_task(self._receive())
        try:
            while (taken := await self._newest.take()) is not None:
                await self._answer(*taken)
            await receiver
        except TimeoutError:
            # No frame came, or no one read the answers.
            await self._socket.close(_POLICY_VIOLATION, f"idle for {self._service.settings.idle_s:g} s")
        finally:
            receiver.cancel()

    async def _receive(self) -> None:
        """Take in frames as fast as they come, however long reading takes."""
        begun = monotonic()
        try:
            for number in count():
                with fail_after(self._service.settings.idle_s):
                    message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                content = message.get("bytes")
                content = message.get("text", "") if content is None else content
                self._newest.put(_Frame(number, round(monotonic() - begun, 3), content))
                await asyncio.sleep(1 / _MAX_FRAMES_PER_S)
        finally:
            self._newest.end()

    async def _answer(self, frame: _Frame, dropped: int) -> None:
        counted = self._service.metrics.frames
        counted.labels("stream", "dropped").inc(dropped)
        try:
            answer = await self._read(frame)
            counted.labels("stream", "read").inc()
        except ImageError as error:
            counted.labels("stream", "refused").inc()
            problem = {"code": "unreadable", "detail": error.reason.removeprefix("picture: ")}
            answer = {"frame": frame.number, "time_s": frame.time_s, "error": problem}
        with fail_after(self._service.settings.idle_s):
            await self._socket.send_text(json.dumps(answer | {"dropped": dropped}))

    async def _read(self, frame: _Frame) -> dict[str, Any]:
        content, limit = frame.content, self._service.settings.max_frame
        if isinstance(content, str):
            raise ImageError("expected a picture as a binary message, found text")
        if len(content) > limit:
            raise ImageError(f"the frame has {len(content)} bytes, more than the {limit} allowed")

        def read(image: Frame) -> dict[str, Any]:
            result = self._stream.analyze(image, frame.time_s, frame.number)
            self._service.metrics.faces.inc(len(result))
            return result.to_dict()

        pixels = await self._service.count_pixels(content)
        while wait := self._service.pixels.spend(client_of(self._socket), pixels):
            await asyncio.sleep(wait)
        return await self._service.read(content, pixels, read)
