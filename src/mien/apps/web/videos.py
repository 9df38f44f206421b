"""A video being read: everything that the page shows and offers, made in one pass."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
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
from mien.errors import VideoError
from mien.results import FrameResult
from mien.tracking.stream import StreamAnalyzer
from mien.video import VideoReader, VideoWriter, open_table, open_video, prefetch
from mien.video.summary import Summary
from mien.video.timeline import Timeline

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
        VideoError: If it is no video.
    """
    with TemporaryDirectory(prefix="mien-") as name:
        folder = Path(name)
        source = folder / "upload"
        source.write_bytes(content)
        try:
            return _read(analyzer, folder, source, report)
        except VideoError as error:
            # The visitor knows nothing of the folder.
            raise VideoError(str(error).replace(f"{source}: ", "The upload ", 1)) from error


def _read(analyzer: Analyzer, folder: Path, source: Path, report: Callable[[Progress], None]) -> Viewing:
    summary, strips, portraits = Summary(), _Strips(), _Portraits()
    remarks: list[str] = []
    stream = StreamAnalyzer(analyzer)
    # Files appear when the stack is left; Ctrl-C in the terminal must not pass for the end of the video.
    with ExitStack() as stack:
        reader = stack.enter_context(open_video(source, max_pixels=analyzer.options.max_pixels))
        writer = stack.enter_context(_open_writer(folder / "video.mp4", reader, remarks))
        tables = [stack.enter_context(open_table(folder / f"table{suffix}")) for suffix in TABLES]
        timeline = stack.enter_context(Timeline(folder / "timeline.png"))
        begun, told = perf_counter(), 0.0
        with closing(prefetch(reader)) as frames:
            for frame in frames:
                result = stream.analyze(frame.image, frame.time_s, frame.number)
                drawn = draw(frame.image, result)
                writer.write(drawn, frame.time_s)
                for table in tables:
                    table.write(result)
                timeline.write(result)
                summary.add(result)
                strips.add(result)
                portraits.add(frame.image, result)
                elapsed = perf_counter() - begun
                if elapsed - told > _STEP_S:
                    told = elapsed
                    share = frame.time_s / reader.end_s if np.isfinite(reader.end_s) else None
                    report(Progress(share, frame.time_s, frame.time_s / elapsed, drawn))
    summary.close()
    if reader.damage:
        remarks.append(f"The video {reader.damage}. What could be read was read.")
    return Viewing(
        (folder / "video.mp4").read_bytes(),
        {suffix: (folder / f"table{suffix}").read_bytes() for suffix in TABLES},
        (folder / "timeline.png").read_bytes(),
        summary,
        strips.columns(),
        portraits.pictures,
        strips.end_s,
        tuple(remarks),
    )


def _open_writer(path: Path, reader: VideoReader, remarks: list[str]) -> VideoWriter:
    try:
        return VideoWriter(path, reader.time_base, reader.path)
    except VideoError:
        remarks.append("The sound was left out: MP4 cannot hold its format.")
        return VideoWriter(path, reader.time_base)


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
