"""Frames of a video file, each with its exact time."""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from mien.detection.base import Frame
from mien.errors import OptionError, VideoError
from mien.options import MAX_PIXELS
from mien.video.backend import av, open_input

if TYPE_CHECKING:
    from av.video.frame import VideoFrame as AvFrame

_T = TypeVar("_T")

# A file may end this much before the time its header gives.
_SLACK_S = 0.5


class VideoFrame(NamedTuple):
    """One frame of a video.

    Attributes:
        number: Its number in the file, from 0.
        time_s: When it is shown, in seconds from the start of the file.
        image: uint8 (H, W, 3) BGR, upright.
    """

    number: int
    time_s: float
    image: Frame


class VideoReader:
    """The frames of a video file, in order; see `open_video`. A context manager; iterate over it once.

    Attributes:
        path: The file.
        width: Width of the frames as seen, in pixels: turned upright, pixels made square.
        height: Their height. Frames of another size later in the stream are brought to this size.
        start_s: Where reading begins, in seconds.
        end_s: Where it ends; infinity if neither asked for nor known from the file.
        rate: Average number of frames in a second, or None if the file does not say.
        time_base: The unit of the file's frame times, in seconds.
        damage: What was wrong with the file, once that has been met with; None if nothing was.
    """

    def __init__(self, path: Path, start: float, end: float | None, every: int, max_pixels: int) -> None:
        self.path = path
        self.damage: str | None = None
        self.start_s = start
        self._until_s = math.inf if end is None else end
        self._every = every
        self._container = open_input(path)
        try:
            self._open(max_pixels)
        except BaseException:
            self._container.close()
            raise

    def _open(self, max_pixels: int) -> None:
        if not self._container.streams.video:
            raise VideoError(f"{self.path}: has no picture, only sound")
        self._stream = self._container.streams.video[0]
        codec = self._stream.codec_context
        if codec is None:
            raise VideoError(f"{self.path}: its pictures are in a format that is not known here; convert it to H.264")
        if codec.width * codec.height > max_pixels:
            raise VideoError(f"{self.path}: {codec.width}x{codec.height} pixels are too many (limit {max_pixels})")
        codec.thread_type = "AUTO"
        self.time_base = self._stream.time_base or Fraction(1, 90_000)
        self.rate = self._stream.average_rate
        # FFmpeg gives the container's times in microseconds. Its start, not the stream's, is a player's zero.
        self._zero_s = (self._container.start_time or 0) / 1e6
        self._length_s = self._container.duration / 1e6 if self._container.duration else math.inf
        if self.start_s >= self._length_s:
            raise VideoError(f"{self.path}: ends at {self._length_s:.2f} s, not after the start of {self.start_s:g} s")
        self.end_s = min(self._until_s, self._length_s)
        self._reached_s = 0.0
        self._first = self._seek()
        self._frames = self._decode()
        frame = next(self._frames, None)
        if frame is None:
            raise VideoError(f"{self.path}: has no frames to read{f': {self.damage}' if self.damage else ''}")
        aspect = self._stream.sample_aspect_ratio or 1
        self._stored = max(1, round(frame.width * aspect)), frame.height
        self._turns = round((frame.rotation or 0) / 90) % 4
        self.width, self.height = self._stored[::-1] if self._turns % 2 else self._stored
        self._frames = chain([frame], self._frames)

    def _seek(self) -> int:
        """Go to the key frame before the start, and tell the number of the first frame from there on."""
        if self.start_s <= 0:
            return 0
        # Only counting tells the number, but it needs no decoding.
        with open_input(self.path) as container:
            packets = container.demux(container.streams.video[0])
            times = (self._seconds(packet.pts) for packet in packets if packet.pts is not None and packet.size)
            number = sum(time < self.start_s for time in times)
        self._container.seek(int((self.start_s + self._zero_s) * 1e6))
        return number

    def _seconds(self, pts: int) -> float:
        return float(pts * self.time_base) - self._zero_s

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        last_s = -math.inf
        for number, frame in enumerate(self._frames, start=self._first):
            # A bare stream without a container carries no times.
            time_s = float(number / (self.rate or 25)) if frame.pts is None else self._seconds(frame.pts)
            if time_s >= self._until_s:
                return
            if time_s <= last_s:
                self.damage = f"has frames whose times run backwards near {last_s:.2f} s; they are left out"
            elif (number - self._first) % self._every == 0:
                yield VideoFrame(number, time_s, self._image(frame))
            last_s = max(last_s, time_s)
        # Not every file says how long its last frame is shown.
        slack_s = _SLACK_S + (1.5 / float(self.rate) if self.rate else 0.0)
        if math.isfinite(self._length_s) and self._reached_s < self._length_s - slack_s:
            self.damage = f"breaks off at {self._reached_s:.2f} s of {self._length_s:.2f} s"

    def _decode(self) -> Iterator[AvFrame]:
        """The frames from the start on; whatever can still be read of a damaged file."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.damage = f"cannot be read beyond {self._reached_s:.2f} s: {error.strerror}"
                return
            if packet.pts is not None and packet.time_base:
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base) - self._zero_s
                self._reached_s = max(self._reached_s, end_s)
            if packet.stream is not self._stream:
                continue
            try:
                frames = self._stream.decode(packet)
            except av.error.FFmpegError as error:
                self.damage = f"has damaged frames near {self._reached_s:.2f} s: {error.strerror}"
                continue
            for frame in frames:
                if frame.pts is None or self._seconds(frame.pts) >= self.start_s:
                    yield frame

    def _image(self, frame: AvFrame) -> Frame:
        width, height = self._stored
        image = frame.to_ndarray(format="bgr24", width=width, height=height)
        return np.ascontiguousarray(np.rot90(image, self._turns), np.uint8)


def open_video(
    path: str | os.PathLike[str],
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    max_pixels: int = MAX_PIXELS,
) -> VideoReader:
    """Open a video file.

    Args:
        path: The file.
        start: Read from this second on.
        end: Read up to this second, without it; None reads to the end.
        every: Read every so-manyth frame only.
        max_pixels: Videos with larger frames are refused.

    Returns:
        The frames; iterate over them inside a ``with`` block.

    Raises:
        VideoError: If the file cannot be read: missing, no video, without pictures or frames.
        OptionError: If the options leave nothing to read.
        MissingExtraError: If PyAV is not installed.
    """
    if every < 1:
        raise OptionError(f"every must be at least 1, found {every}")
    if not 0 <= start < math.inf:
        raise OptionError(f"start must be 0 seconds or more, found {start}")
    if end is not None and not end > start:
        raise OptionError(f"end must come after start ({start:g} s), found {end:g}")
    return VideoReader(Path(path), start, end, every, max_pixels)


def ahead(items: Iterable[_T], count: int = 4) -> Generator[_T, None, None]:
    """Iterate in a thread of its own, a few items ahead, so that decoding goes on while the last frame is read.

    Close it (`contextlib.closing`) before closing what it reads from, if it may be left before its end.
    """
    queue: Queue[_T | BaseException | None] = Queue(count)
    stop = Event()

    def put(item: _T | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                queue.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(None)
        except BaseException as error:
            put(error)

    worker = Thread(target=work, name="mien-decode", daemon=True)
    worker.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        # The caller closes the file next; nobody may be reading from it then.
        stop.set()
        worker.join()
