"""What Prometheus may ask: how much is done, how long it takes, how much is turned away. Nothing about the pictures."""

from __future__ import annotations

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.server.limits import WorkerPool

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """The figures of one service; several in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
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
        self.videos = Gauge("mien_videos", "Videos uploaded, waiting or read.", registry=registry)
        self._waiting = Gauge("mien_queue_length", "Pictures and frames that wait for a thread.", registry=registry)
        self._running = Gauge("mien_busy_workers", "Threads that read.", registry=registry)

    def watch(self, pool: WorkerPool) -> None:
        """Report on a pool."""
        self._waiting.set_function(lambda: pool.waiting)
        self._running.set_function(lambda: pool.running)

    def render(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)


class MetricsMiddleware:
    """Counts and times requests by route, never by path: paths of videos are secrets."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(route).observe(perf_counter() - begun)
