"""What Prometheus may ask: how much is done, how long it takes, how much is turned away. Nothing about the pictures."""

from __future__ import annotations

import logging
import platform
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import mien
from mien.server.limits import WorkerPool
from mien.server.logs import make_request_id, request_id

logger = logging.getLogger("mien.server.requests")

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """The figures of one service; several in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter("mien_requests", "Requests answered.", ("method", "route", "status"), registry=registry)
        self.seconds = Histogram(
            "mien_request_seconds", "Time from request to answer.", ("route",), buckets=_SECONDS, registry=registry
        )
        self.rejected = Counter("mien_rejected", "Requests and streams refused.", ("reason",), registry=registry)
        self.pictures = Counter("mien_pictures", "Pictures, by outcome.", ("outcome",), registry=registry)
        self.frames = Counter(
            "mien_frames", "Frames of videos and streams, by outcome.", ("source", "outcome"), registry=registry
        )
        self.faces = Counter("mien_faces", "Faces read.", registry=registry)
        self.streams = Gauge("mien_streams", "Open streams.", registry=registry)
        self.videos = Gauge("mien_videos", "Videos waiting or read.", registry=registry)
        self._build = Gauge(
            "mien_build_info", "1, and what runs.", ("version", "model", "precision", "digest", "python"),
            registry=registry,
        )  # fmt: skip
        self._waiting = Gauge("mien_queue_length", "Pictures and frames that wait for a thread.", registry=registry)
        self._running = Gauge("mien_busy_workers", "Threads that read.", registry=registry)

    def watch(self, pool: WorkerPool) -> None:
        """Report on a pool."""
        self._waiting.set_function(lambda: pool.waiting)
        self._running.set_function(lambda: pool.running)

    def build(self, model: str, precision: str, digest: str) -> None:
        """Report what runs."""
        self._build.labels(mien.__version__, model, precision, digest, platform.python_version()).set(1)

    def render(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)


class RequestObserver:
    """Counts, times and logs requests by route, never by path: paths of videos are secrets. Gives each an id."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        key = make_request_id(Headers(scope=scope).get("x-request-id"))
        token = request_id.set(key)
        begun, status = perf_counter(), 500 if scope["type"] == "http" else 0

        async def watch(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = key
            elif kind == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._report(scope, status, perf_counter() - begun)
            request_id.reset(token)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope.get("method", "GET")
        method = method if method in _METHODS else "other"
        if scope["type"] == "http":
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(route).observe(seconds)
        level = logging.WARNING if status in (401, 403) or status >= 500 else logging.INFO
        fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        logger.log(level, "%s %s %s in %.0f ms", method, route, status, seconds * 1000, extra={"fields": fields})
