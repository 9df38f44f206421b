"""What the routes of one app share: the open model, its threads, and the places."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.requests import ClientDisconnect

from mien.analyzer import Analyzer, load
from mien.detection import Frame
from mien.images import read_image
from mien.options import AnalyzerOptions
from mien.server.limits import Limiter, WorkerPool
from mien.server.metrics import Metrics
from mien.server.problems import stopping
from mien.server.settings import ServerSettings
from mien.server.video_jobs import VideoJobs

_T = TypeVar("_T")


def open_analyzer(options: AnalyzerOptions) -> Analyzer:
    """Open detector and model as a service needs them: each of its workers runs the networks on one thread.

    Args:
        options: What to open. Their ``threads`` does not matter here.

    Raises:
        OptionError: If an option is not possible.
        ModelError: If a model is missing or damaged.
    """
    return load(options, threads=1)


class Service:
    """One service, from start to stop. `open` it before use.

    Args:
        settings: Its limits.
        options: How pictures are read.
        analyzer: What to read them with; None opens what the options name.

    Attributes:
        requests: Limiter for requests with pictures.
        streams: Limiter for open streams.
        unknown: Limiter for streams that have not shown their token yet.
    """

    def __init__(self, settings: ServerSettings, options: AnalyzerOptions, analyzer: Analyzer | None) -> None:
        self.settings, self.options = settings, options
        self.metrics = Metrics()
        self.requests = Limiter(settings.threads + settings.queue)
        self.streams = Limiter(settings.max_streams)
        self.unknown = Limiter(settings.max_streams)
        self._given = analyzer
        self._parts: tuple[Analyzer, WorkerPool, VideoJobs] | None = None

    @property
    def analyzer(self) -> Analyzer:
        """Reads pictures."""
        return self._open[0]

    @property
    def pool(self) -> WorkerPool:
        """The threads to read on."""
        return self._open[1]

    @property
    def videos(self) -> VideoJobs:
        """The videos being read, and their results."""
        return self._open[2]

    @property
    def _open(self) -> tuple[Analyzer, WorkerPool, VideoJobs]:
        if self._parts is None:
            raise stopping()
        return self._parts

    async def open(self) -> None:
        """Load the model and start the threads.

        Raises:
            OptionError: If an option is not possible.
            ModelError: If a model is missing or damaged.
        """
        threads = self.settings.threads
        analyzer = self._given if self._given is not None else await run_sync(open_analyzer, self.options)
        pool = WorkerPool(threads)
        self.metrics.watch(pool)
        self._parts = analyzer, pool, VideoJobs(self.settings, analyzer, self.metrics)

    async def close(self) -> None:
        """Finish what is being read, drop what waits, forget all results."""
        if self._parts is not None:
            (_, pool, videos), self._parts = self._parts, None
            await videos.close()
            await run_sync(pool.close)

    def decode(self, content: bytes) -> Frame:
        """Decode a picture that came from outside: uint8 (H, W, 3) BGR.

        Raises:
            ImageError: If it cannot be read, or has too many pixels.
        """
        return read_image(content, min(self.settings.max_pixels, self.options.max_pixels))


async def unless_gone(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """Wait for some work, but give it up when the client hangs up. The body must have been read.

    Raises:
        ClientDisconnect: If it hung up.
    """
    task, gone = asyncio.create_task(work), asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
