"""Videos are read in the background, one after the other."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from io import BytesIO
from time import monotonic
from typing import BinaryIO, TypeVar

from mien.analyzer import Analyzer
from mien.errors import VideoError
from mien.results import FrameResult
from mien.server.metrics import Metrics
from mien.server.problems import ProblemError, busy
from mien.server.settings import ServerSettings
from mien.server.video_store import Video, VideoStore

_T = TypeVar("_T")

logger = logging.getLogger("mien.server")

# How often to check whether a video that waits for its turn is still wanted: another process may have deleted it.
_LOOK_S = 0.5


class _Unwanted(Exception):  # noqa: N818
    """The video is not wanted any more."""


class VideoJobs:
    """Reads videos for one process of a service. Used from the event loop alone.

    Args:
        settings: How long videos may take.
        analyzer: Reads the frames.
        metrics: Counts the frames.
        store: Where all processes of the service find videos and results. Its methods may wait for another process,
            so they are called on threads of their own.
    """

    def __init__(self, settings: ServerSettings, analyzer: Analyzer, metrics: Metrics, store: VideoStore) -> None:
        self._settings, self._analyzer, self._metrics, self._store = settings, analyzer, metrics, store
        self._owner = os.getpid()
        self._reader = ThreadPoolExecutor(1, "mien-video")
        # Each of its threads holds a connection.
        self._asker = ThreadPoolExecutor(2, "mien-store")
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Announce that this process reads videos."""
        await self._ask(self._store.join, self._owner)

    async def start(self, name: str, every: int, file: BinaryIO, held: ExitStack) -> Video:
        """Read a video as soon as it is its turn.

        Args:
            name: Its file name.
            every: Read every n-th frame.
            file: What it can be read from.
            held: What to let go of when it has been read; taken over where there is a place.

        Raises:
            ProblemError: If as many videos are waiting or being read as may be.
        """
        video = Video(name, every, self._owner)
        if not await self._ask(self._store.add, video):
            raise busy(10)
        task = asyncio.create_task(self._run(video, file, held.pop_all()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return video

    async def find(self, key: str) -> Video:
        """The video with an id.

        Raises:
            ProblemError: If there is none.
        """
        video = await self._ask(self._store.find, key)
        if video is None:
            raise self._missing()
        return video

    async def delete(self, key: str) -> None:
        """Stop reading a video, and forget it.

        Raises:
            ProblemError: If there is none.
        """
        if not await self._ask(self._store.delete, key):
            raise self._missing()

    async def count(self) -> tuple[int, list[int]]:
        """How many videos of the service wait or are read, and the ids of its processes."""
        return await self._ask(self._store.unfinished), await self._ask(self._store.owners)

    async def close(self) -> None:
        """Stop reading. Results stay where they are."""
        await self._ask(self._store.lose, self._owner)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._reader.shutdown()
        self._asker.shutdown()

    async def _ask(self, function: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._asker, function, *args)

    def _missing(self) -> ProblemError:
        detail = f"no such video; results are kept for {self._settings.keep_s:g} s, and not if there are too many"
        return ProblemError(404, "no_such_video", detail)

    async def _run(self, video: Video, file: BinaryIO, held: ExitStack) -> None:
        with held:
            reading = self._reader.submit(self._read, video, file)
            done = asyncio.wrap_future(reading)
            try:
                while not (await asyncio.wait((done,), timeout=_LOOK_S))[0]:
                    # Does nothing where it is being read: then it ends by itself.
                    if await self._ask(self._store.find, video.id) is None:
                        reading.cancel()
            finally:
                await self._ask(self._store.leave, video.id)

    def _read(self, video: Video, file: BinaryIO) -> None:
        """Runs on the thread for videos."""
        try:
            self._want(video, status="running")
            self._analyze(video, file)
        except _Unwanted:
            return
        except VideoError as error:
            self._fail(video, "unreadable", error.reason)
        except Exception:
            logger.exception("a video could not be read")
            self._fail(video, "internal", "something went wrong inside the service")

    def _want(self, video: Video, **values: object) -> None:
        """Tell the store about a video that is being read.

        Raises:
            _Unwanted: If it was given up.
        """
        if not self._store.update(video.id, **values):
            raise _Unwanted

    def _fail(self, video: Video, code: str, detail: str) -> None:
        self._store.update(video.id, status="failed", error={"code": code, "detail": detail})

    def _analyze(self, video: Video, file: BinaryIO) -> None:
        from mien.video.process import analyze_video
        from mien.video.reader import open_video

        packed, count, progress = BytesIO(), 0, 0.0
        reached_limit = self._limit()
        stopped: str | None = None
        with (
            open_video(file, every=video.every, max_pixels=self._settings.max_pixels) as reader,
            gzip.open(packed, "wt", compresslevel=1, encoding="utf-8") as frames,
        ):

            def add(result: FrameResult) -> None:
                nonlocal count, progress
                frames.write((",\n" if count else "") + json.dumps(replace(result, source=video.name).to_dict()))
                self._metrics.frames.labels("video", "read").inc()
                self._metrics.faces.inc(len(result))
                count += 1
                progress = min((result.time_s or 0.0) / reader.end_s, 1.0) if reader.end_s else 0.0

            def is_over() -> bool:
                nonlocal stopped
                self._want(video, progress=progress, frames_read=count)
                stopped = reached_limit(count)
                return stopped is not None

            summary = analyze_video(reader, analyzer=self._analyzer, on_result=add, cancelled=is_over)
        result = {
            "source": video.name,
            "width": reader.width,
            "height": reader.height,
            "damage": summary.damage,
            "stopped": stopped,
            "tracks": [person.to_dict() for person in summary.tracks.values()],
        }
        self._want(video, status="done", progress=1.0, frames_read=count, result=result, frames=packed.getvalue())

    def _limit(self) -> Callable[[int], str | None]:
        """Tells, given the number of frames read so far, which limit is reached."""
        settings, begun = self._settings, monotonic()

        def reached(frames: int) -> str | None:
            if frames >= settings.max_frames:
                return f"stopped after {frames} frames, the limit of this service; send it in parts or use 'every'"
            if monotonic() - begun > settings.video_timeout_s:
                return f"stopped after {settings.video_timeout_s:g} s of reading, the limit of this service"
            return None

        return reached
