"""A video being analyzed: everything that the page shows and offers, made in one pass on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.apps.web.cards import thumbnail
from mien.clock import clock
from mien.detection.base import Frame
from mien.drawing import blur_faces, draw
from mien.emotions import Emotion
from mien.errors import MienError
from mien.live.portraits import Portraits
from mien.live.strips import average_columns
from mien.results import FrameResult
from mien.video import VideoFrame, open_video
from mien.video.process import analyze_video
from mien.video.summary import Summary
from mien.video.writer import can_copy_sound

_LOG = logging.getLogger(__name__)

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
class VideoReport:
    """A video that was read.

    Attributes:
        video: The annotated video, MP4.
        tables: The table in each of `TABLES`.
        timeline: The timeline of all people, PNG.
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


def read_video(
    analyzer: Analyzer,
    content: bytes,
    report: Callable[[Progress], None],
    *,
    blur: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> VideoReport:
    """Read an uploaded video. Its files are in a folder that is gone when this returns or is interrupted.

    Args:
        analyzer: Reads the faces.
        content: The file.
        report: Called now and then. What it raises ends the reading.
        blur: Whether faces are made unrecognizable in everything that is shown and saved.
        cancelled: Asked after each frame; once it is true, the rest is left out, save for the first frame.

    Raises:
        VideoError: If it is not a video.
    """
    strips, portraits = _Strips(), Portraits()
    begun, told, is_begun = perf_counter(), 0.0, False
    with (
        TemporaryDirectory(prefix="mien-") as name,
        open_video(content, max_pixels=analyzer.options.max_pixels) as reader,
    ):

        def look(frame: VideoFrame, result: FrameResult) -> None:
            nonlocal told, is_begun
            is_begun = True
            strips.add(result)
            shown = blur_faces(frame.image, result) if blur else frame.image
            portraits.add(shown, result)
            elapsed = perf_counter() - begun
            if elapsed - told > _STEP_S:
                told = elapsed
                share = frame.time_s / reader.end_s if np.isfinite(reader.end_s) else None
                report(Progress(share, frame.time_s, frame.time_s / elapsed, draw(shown, result)))

        folder = Path(name)
        paths = [folder / f"table{suffix}" for suffix in TABLES]
        video, timeline = folder / "video.mp4", folder / "timeline.png"
        has_sound = can_copy_sound(content, video)
        summary = analyze_video(
            reader,
            table=paths,
            video=video,
            timeline=timeline,
            sound=has_sound,
            blur=blur,
            on_frame=look,
            # Without a single frame there would be no video to show.
            cancelled=lambda: is_begun and cancelled(),
            analyzer=analyzer,
        )
        remarks = [] if has_sound else ["The sound was left out: MP4 cannot hold its format."]
        if summary.is_cut_short:
            remarks.append(f"Stopped at {clock(strips.end_s)}; the rest of the video was not analyzed.")
        if summary.damage:
            remarks.append(f"The video {summary.damage}. What could be read was read.")
        return VideoReport(
            video.read_bytes(),
            {path.suffix: path.read_bytes() for path in paths},
            timeline.read_bytes(),
            summary,
            strips.columns(),
            {track: thumbnail(picture) for track, picture in portraits.pictures.items()},
            strips.end_s,
            tuple(remarks),
        )


class VideoJob:
    """Analyzes a video on a thread of its own, so that it goes on while the visitor looks at other pages.

    Args:
        name: The name of the upload.
        work: What makes the report, given where to tell of progress and whether to stop.

    Attributes:
        name: As given.
        progress: How far it is; None at the beginning.
        report: What was made; None until it is done, or where it failed.
        error: What went wrong; None where nothing did.
    """

    def __init__(
        self, name: str, work: Callable[[Callable[[Progress], None], Callable[[], bool]], VideoReport]
    ) -> None:
        self.name = name
        self.progress: Progress | None = None
        self.report: VideoReport | None = None
        self.error: Exception | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name="mien-video", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it is over, one way or the other."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End soon, with a report of what was analyzed so far."""
        self._stopped.set()

    def wait(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self, work: Callable[[Callable[[Progress], None], Callable[[], bool]], VideoReport]) -> None:
        try:
            self.report = work(self._tell, self._stopped.is_set)
        except MienError as error:
            self.error = error
        except Exception as error:
            # A thread that dies silently would leave a page that waits forever.
            _LOG.exception("analyzing a video failed")
            self.error = error

    def _tell(self, progress: Progress) -> None:
        self.progress = progress


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
        step_s = max(self.end_s, 1e-3) / COLUMNS
        # The last frame belongs to the last column.
        times = [min(time_s, self.end_s - step_s / 2) for time_s, _ in samples]
        return average_columns(times, [row for _, row in samples], 0.0, step_s, COLUMNS)
