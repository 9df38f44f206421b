"""Videos are read in the background, one after the other; each is forgotten some time after it is done."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO

from mien.analyzer import Analyzer
from mien.errors import VideoError
from mien.results import FrameResult
from mien.server.limits import Limiter
from mien.server.metrics import Metrics
from mien.server.problems import ProblemError, busy
from mien.server.settings import ServerSettings

if TYPE_CHECKING:
    from mien.video.reader import VideoFrame

logger = logging.getLogger("mien.server")

_CHUNK = 1 << 18


class _Cancelled(Exception):  # noqa: N818
    """The video is not wanted any more."""


@dataclass(slots=True)
class VideoJob:
    """A video that waits, is read, or has been.

    Attributes:
        name: Its file name, as the client gave it.
        every: Read every n-th frame.
        id: Whoever knows it can fetch the result; not to be guessed.
        status: ``queued``, ``running``, ``done`` or ``failed``.
        progress: 0..1.
        frames_read: Number of frames read so far.
        error: Where it failed: ``code`` and ``detail``.
        result: Where it is done: everything but the frames.
        frames: Where it is done: their JSON objects, a comma and a line break in between, compressed.
        cancelled: Set when it is not wanted any more.
    """

    name: str
    every: int
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    status: str = "queued"
    progress: float = 0.0
    frames_read: int = 0
    error: dict[str, str] | None = None
    result: dict[str, Any] | None = None
    frames: bytes = b""
    cancelled: Event = field(default_factory=Event)

    def to_dict(self) -> dict[str, Any]:
        """How far it is; without the result."""
        values = {
            "id": self.id,
            "source": self.name,
            "status": self.status,
            "progress": round(self.progress, 4),
            "frames_read": self.frames_read,
        }
        return values if self.error is None else values | {"error": self.error}

    def json(self) -> Iterator[bytes]:
        """`to_dict` with the result, piece by piece."""
        head = json.dumps(self.to_dict() | {"result": self.result})
        yield head[:-2].encode() + b', "frames": ['
        with gzip.open(BytesIO(self.frames)) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
        yield b"]}}"

    def frame_values(self) -> Iterator[dict[str, Any]]:
        """The frames, as `FrameResult.to_dict` has them."""
        with gzip.open(BytesIO(self.frames), "rt", encoding="utf-8") as file:
            for line in file:
                yield json.loads(line.rstrip(",\n"))


class VideoJobs:
    """All videos of a service. Used from the event loop alone.

    Args:
        settings: How many there may be, how long they may take and stay.
        analyzer: Reads the frames.
        metrics: Counts the frames.

    Attributes:
        places: One for every video that waits or is read.
    """

    def __init__(self, settings: ServerSettings, analyzer: Analyzer, metrics: Metrics) -> None:
        self.places = Limiter(settings.max_videos, lambda: busy(10))
        self._settings, self._analyzer, self._metrics = settings, analyzer, metrics
        self._turn = asyncio.Lock()
        self._jobs: dict[str, VideoJob] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        metrics.videos.set_function(lambda: self.places.taken)

    def start(self, job: VideoJob, file: BinaryIO, held: ExitStack) -> None:
        """Read a video as soon as it is its turn.

        Args:
            job: The video.
            file: What it can be read from.
            held: What to let go of when it has been read: its place and its file.
        """
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(job, file, held))
        self._tasks[job.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.id))

    def find(self, key: str) -> VideoJob:
        """The video with an id.

        Raises:
            ProblemError: If there is none.
        """
        if key not in self._jobs:
            detail = f"no such video; results are kept for {self._settings.keep_s:g} s, and not if there are too many"
            raise ProblemError(404, "no_such_video", detail)
        return self._jobs[key]

    def delete(self, key: str) -> None:
        """Stop reading a video, and forget it.

        Raises:
            ProblemError: If there is none.
        """
        job = self.find(key)
        del self._jobs[key]
        job.cancelled.set()
        if job.status == "queued":
            self._tasks[key].cancel()

    async def close(self) -> None:
        """Stop reading, forget everything."""
        for key in list(self._jobs):
            self.delete(key)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, job: VideoJob, file: BinaryIO, held: ExitStack) -> None:
        with held:
            try:
                async with self._turn:
                    job.status = "running"
                    await asyncio.to_thread(self._read, job, file)
                job.status, job.progress = "done", 1.0
            except _Cancelled:
                return
            except VideoError as error:
                job.status = "failed"
                job.error = {"code": "unreadable", "detail": error.reason}
            except Exception:
                logger.exception("a video could not be read")
                job.status = "failed"
                job.error = {"code": "internal", "detail": "something went wrong inside the service"}
        asyncio.get_running_loop().call_later(self._settings.keep_s, self._jobs.pop, job.id, None)
        finished = [each.id for each in self._jobs.values() if each.status in ("done", "failed")]
        for key in finished[: -self._settings.keep_results]:
            del self._jobs[key]

    def _read(self, job: VideoJob, file: BinaryIO) -> None:
        """Runs on a thread of its own."""
        from mien.video.process import analyze_video
        from mien.video.reader import open_video

        packed = BytesIO()
        reached_limit = self._limit()
        stopped: str | None = None
        with (
            open_video(file, every=job.every, max_pixels=self._settings.max_pixels) as reader,
            gzip.open(packed, "wt", compresslevel=1, encoding="utf-8") as frames,
        ):

            def add(frame: VideoFrame, result: FrameResult) -> None:
                frames.write(
                    (",\n" if job.frames_read else "") + json.dumps(replace(result, source=job.name).to_dict())
                )
                self._metrics.frames.labels("video", "read").inc()
                self._metrics.faces.inc(len(result))
                job.frames_read += 1
                job.progress = min(frame.time_s / reader.end_s, 1.0) if reader.end_s else 0.0

            def is_over() -> bool:
                nonlocal stopped
                if job.cancelled.is_set():
                    raise _Cancelled
                stopped = reached_limit(job.frames_read)
                return stopped is not None

            summary = analyze_video(reader, analyzer=self._analyzer, on_frame=add, cancelled=is_over)
        job.result = {
            "source": job.name,
            "width": reader.width,
            "height": reader.height,
            "damage": summary.damage,
            "stopped": stopped,
            "tracks": [person.to_dict() for person in summary.tracks.values()],
        }
        job.frames = packed.getvalue()

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
