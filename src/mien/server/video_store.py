"""The videos of a service and what was read in them, held in memory for a while; its processes share one store."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import RLock, Timer
from typing import Any

from mien.server.settings import ServerSettings

_CHUNK = 1 << 18
_LOST = {"code": "internal", "detail": "the process that read it has ended; send the video again"}


@dataclass(frozen=True, slots=True)
class Video:
    """A video that waits, is read, or has been.

    Attributes:
        name: Its file name, as the client gave it.
        every: Every n-th frame is read.
        owner: Id of the process that reads it.
        id: Whoever knows it can fetch the result; not to be guessed.
        status: ``queued``, ``running``, ``done`` or ``failed``.
        progress: 0..1.
        frames_read: Number of frames read so far.
        error: Where it failed: ``code`` and ``detail``.
        result: Where it is done: everything but the frames.
        frames: Where it is done: their JSON objects, a comma and a line break in between, compressed.
    """

    name: str
    every: int
    owner: int
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    status: str = "queued"
    progress: float = 0.0
    frames_read: int = 0
    error: dict[str, str] | None = None
    result: dict[str, Any] | None = None
    frames: bytes = b""

    @property
    def is_finished(self) -> bool:
        """Whether nothing about it will change any more."""
        return self.status in ("done", "failed")

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


class VideoStore:
    """All videos of a service. Thread-safe.

    Args:
        places: How many videos may wait or be read at a time.
        keep: How many finished ones are kept.
        keep_s: For how many seconds.
    """

    def __init__(self, places: int, keep: int, keep_s: float) -> None:
        self._places, self._keep, self._keep_s = places, keep, keep_s
        self._lock = RLock()
        self._owners: list[int] = []
        self._videos: dict[str, Video] = {}
        # Those that are read, by the process that reads them, also where they have been deleted meanwhile.
        self._taken: dict[str, int] = {}
        self._timers: dict[str, Timer] = {}

    def join(self, owner: int) -> None:
        """Take note of a process that is ready to read."""
        with self._lock:
            self._owners.append(owner)

    def owners(self) -> list[int]:
        """Ids of the processes that are ready."""
        with self._lock:
            return list(self._owners)

    def lose(self, owner: int) -> None:
        """Give up what a process was reading: it has ended or is about to."""
        with self._lock:
            if owner in self._owners:
                self._owners.remove(owner)
            for key in [key for key, process in self._taken.items() if process == owner]:
                self.update(key, status="failed", error=_LOST)
                self.leave(key)

    def add(self, video: Video) -> bool:
        """Take in a video that is to be read.

        Returns:
            Whether there is a place for it.
        """
        with self._lock:
            if len(self._taken) >= self._places:
                return False
            self._taken[video.id] = video.owner
            self._videos[video.id] = video
            return True

    def update(self, key: str, **values: Any) -> bool:
        """Change attributes of a video.

        Returns:
            Whether it is still wanted: it was not deleted, and has not finished before.
        """
        with self._lock:
            video = self._videos.get(key)
            if video is None or video.is_finished:
                return False
            self._videos[key] = video = replace(video, **values)
            if video.is_finished:
                # The last one: those that finished first are forgotten first.
                self._videos[key] = self._videos.pop(key)
                self._keep_for_a_while(key)
            return True

    def find(self, key: str) -> Video | None:
        """The video with an id, as it is now."""
        with self._lock:
            return self._videos.get(key)

    def delete(self, key: str) -> bool:
        """Forget a video. Whoever reads it learns from `update` that it is not wanted.

        Returns:
            Whether there was one.
        """
        with self._lock:
            video = self._videos.pop(key, None)
            if video is not None and video.status == "queued":
                self._taken.pop(key, None)
            if timer := self._timers.pop(key, None):
                timer.cancel()
            return video is not None

    def leave(self, key: str) -> None:
        """Give the place of a video back: its reading has ended, one way or the other."""
        with self._lock:
            self._taken.pop(key, None)

    def unfinished(self) -> int:
        """How many videos wait or are read."""
        return len(self._taken)

    def _keep_for_a_while(self, key: str) -> None:
        timer = self._timers[key] = Timer(self._keep_s, self.delete, [key])
        timer.daemon = True
        timer.start()
        finished = [each.id for each in self._videos.values() if each.is_finished]
        for old in finished[: -self._keep]:
            self.delete(old)


def make_store(settings: ServerSettings) -> VideoStore:
    """A store with the limits of a service."""
    return VideoStore(settings.max_videos, settings.keep_results, settings.keep_s)
