"""A video being read: everything that the page shows and offers, made in one pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.apps.web.cards import thumbnail
from mien.detection.base import Frame
from mien.drawing import draw
from mien.emotions import Emotion
from mien.results import FrameResult
from mien.video import VideoFrame, open_video
from mien.video.process import analyze_video
from mien.video.summary import Summary
from mien.video.writer import can_copy_sound

TABLES = (".csv", ".parquet", ".json")
"""Formats of the table."""

COLUMNS = 160
"""Into how many columns the strip of a person divides the video."""

# Seconds between two signs of life.
_STEP_S = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is.

    Attributes:
        share: 0..1; None where the length of the video is unknown.
        time_s: How far in the video.
        speed: As a multiple of real time.
        shown: The last frame with boxes and labels, uint8 (H, W, 3) BGR.
    """

    share: float | None
    time_s: float
    speed: float
    shown: Frame


@dataclass(frozen=True, slots=True)
class Viewing:
    """A video that was read.

    Attributes:
        video: The annotated video, MP4.
        tables: The table in each of `TABLES`.
        timeline: The timeline of everybody, PNG.
        summary: Who showed what for how long.
        strips: Per person the probabilities over the video, float32 (`COLUMNS`, 7), NaN where unseen.
        portraits: Per person HTML of a small picture from the frame that shows the face best.
        length_s: Length of what was read, in seconds.
        remarks: What the visitor should know: damage, sound left out.
    """

    video: bytes
    tables: dict[str, bytes]
    timeline: bytes
    summary: Summary
    strips: dict[int, NDArray[np.float32]]
    portraits: dict[int, str]
    length_s: float
    remarks: tuple[str, ...]


def read_video(analyzer: Analyzer, content: bytes, report: Callable[[Progress], None]) -> Viewing:
    """Read an uploaded video. Its files are in a folder that is gone when this returns or is interrupted.

    Args:
        analyzer: Reads the faces.
        content: The file.
        report: Called now and then. What it raises ends the reading.

    Raises:
        VideoError: If it is not a video.
    """
    strips, portraits = _Strips(), _Portraits()
    begun, told = perf_counter(), 0.0
    with (
        TemporaryDirectory(prefix="mien-") as name,
        open_video(content, max_pixels=analyzer.options.max_pixels) as reader,
    ):

        def look(frame: VideoFrame, result: FrameResult) -> None:
            nonlocal told
            strips.add(result)
            portraits.add(frame.image, result)
            elapsed = perf_counter() - begun
            if elapsed - told > _STEP_S:
                told = elapsed
                share = frame.time_s / reader.end_s if np.isfinite(reader.end_s) else None
                report(Progress(share, frame.time_s, frame.time_s / elapsed, draw(frame.image, result)))

        folder = Path(name)
        paths = [folder / f"table{suffix}" for suffix in TABLES]
        video, timeline = folder / "video.mp4", folder / "timeline.png"
        has_sound = can_copy_sound(content, video)
        summary = analyze_video(
            reader, table=paths, video=video, timeline=timeline, sound=has_sound, on_frame=look, analyzer=analyzer
        )
        remarks = [] if has_sound else ["The sound was left out: MP4 cannot hold its format."]
        if summary.damage:
            remarks.append(f"The video {summary.damage}. What could be read was read.")
        return Viewing(
            video.read_bytes(),
            {path.suffix: path.read_bytes() for path in paths},
            timeline.read_bytes(),
            summary,
            strips.columns(),
            portraits.pictures,
            strips.end_s,
            tuple(remarks),
        )


class _Portraits:
    """Keeps the best look at each person."""

    # A new picture is taken only when it is this much better, to spare the work.
    _BETTER = 1.3

    def __init__(self) -> None:
        self.pictures: dict[int, str] = {}
        self._merits: dict[int, float] = {}

    def add(self, frame: Frame, result: FrameResult) -> None:
        for face in result:
            merit = face.area / (1 + len(face.quality))
            if face.track is not None and merit > self._BETTER * self._merits.get(face.track, 0.0):
                self._merits[face.track] = merit
                self.pictures[face.track] = thumbnail(frame, face)


class _Strips:
    """Collects smoothed probabilities by person; memory grows with the number of frames, 7 numbers per face."""

    def __init__(self) -> None:
        self._samples: dict[int, list[tuple[float, list[float]]]] = {}
        self.end_s = 0.0

    def add(self, result: FrameResult) -> None:
        self.end_s = max(self.end_s, result.time_s or 0.0)
        for face in result:
            if face.track is not None and face.smoothed is not None:
                row = [face.smoothed[emotion] for emotion in Emotion]
                self._samples.setdefault(face.track, []).append((result.time_s or 0.0, row))

    def columns(self) -> dict[int, NDArray[np.float32]]:
        return {track: self._columns(samples) for track, samples in self._samples.items()}

    def _columns(self, samples: list[tuple[float, list[float]]]) -> NDArray[np.float32]:
        sums, counts = np.zeros((COLUMNS, len(Emotion))), np.zeros(COLUMNS)
        step = max(self.end_s, 1e-6) / COLUMNS
        for time_s, row in samples:
            place = min(int(time_s / step), COLUMNS - 1)
            sums[place] += row
            counts[place] += 1
        with np.errstate(invalid="ignore"):
            columns = (sums / counts[:, None]).astype(np.float32)
        seen = np.flatnonzero(counts)
        # Frames may be farther apart than a column is wide; that is no gap.
        reach = 1 + int(np.median(np.diff(seen))) if len(seen) > 1 else 1
        for before, after in pairwise(seen):
            if 1 < after - before <= reach:
                columns[before + 1 : after] = columns[before]
        return columns
