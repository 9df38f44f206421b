"""What the routes of one app share: the open model, its threads, and the limits."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from io import BytesIO
from typing import Any, TypeVar

from anyio.to_thread import run_sync
from fastapi import Request
from PIL import Image
from starlette.requests import ClientDisconnect, HTTPConnection

from mien.analyzer import Analyzer, load
from mien.classification.classifier import choose_file
from mien.classification.model_config import find_model
from mien.detection import Frame
from mien.errors import ImageError, MienError
from mien.image_limits import check_size, pixel_limit
from mien.images import read_image
from mien.options import AnalyzerOptions
from mien.server.limits import Limiter, PixelBudget, WorkerPool
from mien.server.metrics import Metrics
from mien.server.problems import stopping
from mien.server.settings import FORMATS, MEGABYTE, ServerSettings
from mien.server.uploads import Receiver
from mien.server.video_jobs import VideoJobs
from mien.server.video_store import VideoStore, make_store

_T = TypeVar("_T")

# Pictures with more than this part of the pixels allowed are large: they are read one at a time.
_LARGE = 1 / 4


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
        videos: Where videos and their results are found; None holds them in this process.

    Attributes:
        requests: Places for requests with pictures that are read or wait for it.
        streams: Places for open streams.
        unknown: Places for streams that have not shown their token yet.
        pixels: How many pixels each client may have read over time.
        pictures: Takes in pictures.
        clips: Takes in videos.
        digest: SHA-256 of the model's network; empty if it comes from no folder.
    """

    def __init__(
        self,
        settings: ServerSettings,
        options: AnalyzerOptions,
        analyzer: Analyzer | None,
        videos: VideoStore | None = None,
    ) -> None:
        self.settings, self.options = settings, options
        self.metrics = Metrics()
        self.requests = Limiter(settings.threads + settings.queue)
        self.streams = Limiter(settings.max_streams)
        self.unknown = Limiter(settings.max_streams)
        self.pixels = PixelBudget(settings.client_rate, settings.max_request_pixels)
        self.pictures = Receiver(
            "image",
            Limiter(settings.max_uploads),
            settings.max_body,
            settings.max_images,
            settings.timeout_s,
            settings.min_rate,
            in_memory=settings.max_body,
            json=True,
        )
        self.clips = Receiver(
            "video",
            Limiter(settings.max_videos * settings.max_video),
            settings.max_video,
            1,
            settings.video_timeout_s,
            settings.min_rate,
            in_memory=MEGABYTE,
        )
        self.digest = ""
        self._large = asyncio.Lock()
        self._given, self._store = analyzer, videos
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
    def is_ready(self) -> bool:
        """Whether the model is loaded and requests are taken."""
        return self._parts is not None

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
        self.digest = await run_sync(_digest, self.options)
        pool = WorkerPool(threads, self.metrics.report_pool)
        self.metrics.build(analyzer.classifier.config.name, analyzer.classifier.precision, self.digest)
        videos = VideoJobs(self.settings, analyzer, self.metrics, self._store or make_store(self.settings))
        await videos.open()
        self._parts = analyzer, pool, videos

    def stop(self) -> None:
        """Cut short what is being uploaded: the service is about to close."""
        self.pictures.stop()
        self.clips.stop()

    async def close(self) -> None:
        """Finish what is being read, drop what waits."""
        if self._parts is not None:
            (_, pool, videos), self._parts = self._parts, None
            await videos.close()
            await run_sync(pool.close)

    async def count_pixels(self, content: bytes) -> int:
        """How many pixels a picture has by its head; 0 if that cannot be read, which `read` has words for.

        Raises:
            ImageError: If they are too many, or its format is not one that the service reads.
        """
        return await run_sync(_count_pixels, content, self.settings.formats, self.max_pixels)

    @property
    def max_pixels(self) -> int:
        """Limit for the pixels of one picture."""
        return min(self.settings.max_pixels, self.options.max_pixels)

    async def read(self, content: bytes, pixels: int, analyze: Callable[[Frame], _T]) -> _T:
        """Decode a picture that came from outside and read it, on a thread of the pool.

        Large pictures go one at a time, so that some of the threads stay free for others, and memory is bounded.

        Args:
            content: The picture.
            pixels: As `count_pixels` said.
            analyze: Reads the picture, uint8 (H, W, 3) BGR.

        Raises:
            ImageError: If it cannot be decoded.
        """

        def work() -> _T:
            return analyze(read_image(content, self.max_pixels))

        if pixels > self.max_pixels * _LARGE:
            async with self._large:
                return await self.pool.run(work)
        return await self.pool.run(work)


def _count_pixels(content: bytes, formats: tuple[str, ...], max_pixels: int) -> int:
    try:
        with Image.open(BytesIO(content), formats=list(FORMATS.values())) as image:
            kind = image.format or ""
    except Image.DecompressionBombError:
        raise ImageError(f"has more pixels than the limit of {max_pixels / 10**6:g} megapixels; shrink it") from None
    except Exception:  # Pillow's plugins raise whatever their parsers raise on damaged files.
        return 0
    # A phone's JPEG with a depth picture behind it.
    if kind.replace("MPO", "JPEG") not in (FORMATS[name] for name in formats):
        raise ImageError(f"is a {kind} picture, which this service does not read; send JPEG or PNG")
    check_size(image, None, max_pixels)
    # A pixel of a format that is dear to decode counts as several.
    return int(image.width * image.height * max_pixels / pixel_limit(image, max_pixels))


def _digest(options: AnalyzerOptions) -> str:
    try:
        file = choose_file(find_model(options.model), options.device, options.precision)
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except (MienError, OSError):
        return ""


def client_of(connection: HTTPConnection) -> str:
    """The client's address, as far as a proxy on this machine or the connection tells."""
    return connection.client.host if connection.client else ""


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
