"""What Prometheus may ask: how much is done, how long it takes, how much is turned away. Nothing about the pictures."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterable
from functools import partial
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import mien
from mien.server.logs import make_request_id, request_id

logger = logging.getLogger("mien.server.requests")

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Where prometheus_client keeps the figures of several processes together, if it does.
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Metrics:
    """The figures of one service; several in one process do not mix, unless they are shared between processes."""

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
        self.streams = self._sum("mien_streams", "Open streams.")
        self._videos = Gauge(
            "mien_videos", "Videos waiting or read.", multiprocess_mode="mostrecent", registry=registry
        )
        self._build = Gauge(
            "mien_build_info", "1, and what runs.", ("version", "model", "precision", "digest", "python"),
            multiprocess_mode="mostrecent", registry=registry,
        )  # fmt: skip
        self._waiting = self._sum("mien_queue_length", "Pictures and frames that wait for a thread.")
        self._running = self._sum("mien_busy_workers", "Threads that read.")

    def _sum(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, multiprocess_mode="livesum", registry=self.registry)

    def report_pool(self, waiting: int, running: int) -> None:
        """Report on a pool of threads."""
        self._waiting.set(waiting)
        self._running.set(running)

    def build(self, model: str, precision: str, digest: str) -> None:
        """Report what runs."""
        self._build.labels(mien.__version__, model, precision, digest, platform.python_version()).set(1)

    def render(self, videos: int, processes: Iterable[int]) -> bytes:
        """In Prometheus' text format.

        Args:
            videos: How many wait or are read.
            processes: Ids of the service's processes.
        """
        self._videos.set(videos)
        if _SHARED not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(_Processes(processes))
        return generate_latest(registry)


class _Processes(Collector):
    """What `ProcessCollector` tells of one process, for several, each with its id."""

    def __init__(self, processes: Iterable[int]) -> None:
        self._processes = processes

    def collect(self) -> Iterable[Metric]:
        metrics: dict[str, Metric] = {}
        for process in map(str, self._processes):
            for metric in ProcessCollector(pid=partial(str, process), registry=None).collect():
                family = metrics.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                for sample in metric.samples:
                    family.add_sample(sample.name, {"pid": process}, sample.value)
        return metrics.values()


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
