"""What a live session leaves behind: everything that was read, kept small until the session is over."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mien.detection.base import Frame
from mien.live.pauses import is_pause
from mien.live.portraits import Portraits
from mien.results import FrameResult
from mien.video.summary import Summary

MAX_FRAMES = 500_000
"""Frames that a log keeps: seven hours at 20 frames per second. Later ones are not part of the session."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment that the user marked: its time in seconds of the session, and the note, which may be empty."""

    time_s: float
    note: str


class SessionLog:
    """Takes in a live session, frame by frame. Safe to use from several threads.

    Its clock begins with the first frame and stands still during pauses, so that durations, the times in tables, strips
    and markers, and the seconds of each emotion all agree.

    Results are kept as compressed JSON lines, about 150 bytes per face, so that an hour takes some ten megabytes.

    Args:
        source: What was watched, for example ``camera 0``.
        begun: When; None for now.
    """

    def __init__(self, source: str, begun: datetime | None = None) -> None:
        self.source = source
        self.begun = begun or datetime.now().astimezone()
        self._lock = threading.Lock()
        self._summary = Summary(source)
        self._portraits = Portraits()
        self._markers: list[Marker] = []
        self._compressor = zlib.compressobj(1)
        self._chunks: list[bytes] = []
        # The source's time of the last frame, and by how much it is ahead of the session's.
        self._source_s: float | None = None
        self._ahead_s = 0.0
        self._step_s = 0.0
        self._now_s = 0.0
        self._ended = False

    def add(self, frame: Frame, result: FrameResult) -> None:
        """Take in a frame, uint8 (H, W, 3) BGR, and what was read in it; ignored once the log is full or ended."""
        with self._lock:
            if self._ended or self._summary.frames >= MAX_FRAMES:
                return
            self._advance(result.time_s or 0.0)
            result = replace(result, time_s=self._now_s)
            self._summary.add(result)
            self._portraits.add(frame, result)
            self._chunks.append(self._compressor.compress(json.dumps(result.to_dict()).encode() + b"\n"))

    def _advance(self, source_s: float) -> None:
        if self._source_s is None:
            self._ahead_s = source_s
        elif is_pause(source_s - self._source_s):
            # What was shown last counts for as long as the frame before it.
            self._ahead_s = source_s - self._now_s - self._step_s
        else:
            self._step_s = source_s - self._source_s
        self._source_s = source_s
        # To the microsecond: differences have no more digits than that.
        self._now_s = round(source_s - self._ahead_s, 6)

    def mark(self, note: str = "") -> Marker | None:
        """Mark the present moment; None if there is no frame yet, or the session is over."""
        with self._lock:
            if self._source_s is None or self._ended:
                return None
            marker = Marker(self._now_s, " ".join(note.split()))
            self._markers.append(marker)
            return marker

    def annotate(self, marker: Marker, note: str) -> None:
        """Give a marker that was set before another note."""
        with self._lock:
            place = self._markers.index(marker)
            self._markers[place] = Marker(marker.time_s, " ".join(note.split()))

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The markers so far."""
        with self._lock:
            return tuple(self._markers)

    def finish(self) -> Session | None:
        """End the session; None if there was not a single frame, or it has ended before."""
        with self._lock:
            if self._ended or self._source_s is None:
                self._ended = True
                return None
            self._ended = True
            self._summary.close()
            self._chunks.append(self._compressor.flush())
            return Session(
                self.source,
                self.begun,
                self._now_s,
                self._summary,
                dict(self._portraits.pictures),
                tuple(self._markers),
                tuple(chunk for chunk in self._chunks if chunk),
            )


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A live session that is over; `mien.live.session_report` makes files of it.

    Attributes:
        source: What was watched.
        begun: When it began.
        duration_s: Seconds from the first frame to the last, without pauses.
        summary: Who showed what for how long.
        portraits: A small picture of each person by id, as JPEG.
        markers: The marked moments, in order.
        compressed: The results as compressed JSON lines; see `results`.
    """

    source: str
    begun: datetime
    duration_s: float
    summary: Summary
    portraits: dict[int, bytes]
    markers: tuple[Marker, ...]
    compressed: tuple[bytes, ...]

    def results(self) -> Iterator[FrameResult]:
        """What was read, frame by frame."""
        for line in _lines(self.compressed):
            yield FrameResult.from_dict(json.loads(line))


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj()
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + decompressor.decompress(chunk)).split(b"\n")
        yield from lines
