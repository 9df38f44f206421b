"""One camera, connected by WebRTC: analyzes its newest frame, and leaves a session when the connection ends."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from streamlit_webrtc import VideoProcessorBase

from mien.analyzer import Analyzer
from mien.classification.explanation import explain
from mien.classification.heatmap import draw_explanation
from mien.detection.base import Frame
from mien.drawing import blur_faces, draw
from mien.errors import MienError
from mien.live.history import History, Person
from mien.live.meter import RateMeter
from mien.live.mirror import mirror
from mien.live.recorder import Recorder
from mien.live.session_log import Marker, Session, SessionLog
from mien.results import FrameResult
from mien.tracking.stream import StreamAnalyzer

_LOG = logging.getLogger(__name__)

LONGEST_RECORDING_S = 600.0
"""Recordings end by themselves after this many seconds."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """What there is to show right now.

    Attributes:
        people: Everyone seen in the last half minute.
        histories: Their probabilities over that time, each float32 (columns, 7), NaN where unseen; same order.
        size: Width and height of the picture in pixels.
        rates: Frames per second: those that arrive, and those that are read.
        recording_s: Length of the recording so far in seconds; None while there is none.
        error: Why the last frame was not read, or the last recording was lost; else empty.
    """

    people: list[Person]
    histories: list[NDArray[np.float32]]
    size: tuple[int, int]
    rates: tuple[float, float]
    recording_s: float | None
    error: str


class Connection(VideoProcessorBase):
    """Reads the frames of one visitor's camera; streamlit-webrtc calls it on a thread of its own.

    Args:
        analyzer: Reads the faces.

    Attributes:
        mirrored: Whether the picture that goes back is mirrored, as people know themselves; files never are.
        blur: Whether faces are made unrecognizable, in the picture and in files.
        highlight: Id of the person whose box stands out; None for none.
        session: What the connection left; None until it has ended, or if no frame came.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self.mirrored = True
        self.blur = False
        self.highlight: int | None = None
        self.session: Session | None = None
        self._analyzer = analyzer
        self._stream = StreamAnalyzer(analyzer)
        self._history = History()
        self._log = SessionLog("camera")
        self._arriving, self._read = RateMeter(), RateMeter()
        self._lock = threading.Lock()
        self._begun_s = time.monotonic()
        self._number = 0
        self._newest: tuple[Frame, FrameResult] | None = None
        self._recorder: Recorder | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._recording: bytes | None = None
        self._ended = False
        # Why the last frame was not read, and why a recording was lost.
        self._error = self._loss = ""

    async def recv_queued(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Read the newest of the frames that have come since the last time; older ones are too late to be shown."""
        now_s = time.monotonic()
        for _ in frames:
            self._arriving.tick(now_s)
        return [self.recv(frames[-1])]

    def recv(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame with what was read on it."""
        image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        try:
            drawn = self._look(image)
        except Exception as error:
            # The visitor must learn of it; the picture goes on without boxes.
            _LOG.exception("reading a frame failed")
            self._error = str(error) if isinstance(error, MienError) else "Reading the picture failed; start again."
            return frame
        self._error = ""
        return av.VideoFrame.from_ndarray(drawn, format="bgr24")

    def _look(self, image: Frame) -> Frame:
        time_s = time.monotonic() - self._begun_s
        result = self._stream.analyze(image, time_s, self._number, "camera")
        self._number += 1
        self._history.add(result)
        self._log.add(image, result)
        self._read.tick(time.monotonic())
        with self._lock:
            self._newest = image, result
            recorder = self._recorder
        if recorder is not None:
            recorder.write(self._picture(image, result), time_s)
            if recorder.length_s >= LONGEST_RECORDING_S:
                self.stop_recording()
        frame = blur_faces(image, result) if self.blur else image
        if self.mirrored:
            frame, result = mirror(frame, result)
        # How likely the emotion is stands on the cards, which are brought up to date less often than the picture.
        return draw(frame, result, confidence=False, highlight=self.highlight)

    def _picture(self, image: Frame, result: FrameResult) -> Frame:
        """What is saved of a frame: not mirrored, with the numbers that nothing else beside it could show."""
        return draw(blur_faces(image, result) if self.blur else image, result)

    def state(self, columns: int) -> LiveState:
        """What there is to show right now.

        Args:
            columns: Into how many columns to divide the last half minute.
        """
        people = self._history.people()
        now_s = time.monotonic()
        with self._lock:
            height, width = self._newest[0].shape[:2] if self._newest is not None else (0, 0)
            recording_s = self._recorder.length_s if self._recorder is not None else None
        return LiveState(
            people,
            [self._history.columns(person.track, columns) for person in people],
            (width, height),
            (self._arriving.rate(now_s), self._read.rate(now_s)),
            recording_s,
            self._error or self._loss,
        )

    def screenshot(self) -> bytes:
        """What is shown right now, as PNG.

        Raises:
            MienError: If there is no picture yet.
        """
        image, result = self._frame()
        return cv2.imencode(".png", self._picture(image, result))[1].tobytes()

    def explain(self) -> bytes:
        """Which part of the largest face of the newest frame decided, as PNG.

        Raises:
            MienError: If there is no face.
        """
        image, _ = self._frame()
        return cv2.imencode(".png", draw_explanation(explain(image, analyzer=self._analyzer)))[1].tobytes()

    def _frame(self) -> tuple[Frame, FrameResult]:
        with self._lock:
            if self._newest is None:
                raise MienError("there is no picture yet; wait a moment")
            return self._newest

    def mark(self, note: str) -> Marker | None:
        """Mark the present moment of the session; None if there is no frame yet, or it has ended."""
        return self._log.mark(note)

    @property
    def markers(self) -> tuple[Marker, ...]:
        """The markers so far."""
        return self._log.markers

    @property
    def recording(self) -> bool:
        """Whether a recording is going on."""
        with self._lock:
            return self._recorder is not None

    def start_recording(self) -> None:
        """Record what is shown from now on; does nothing once the connection has ended."""
        with self._lock:
            if self._recorder is None and not self._ended:
                self._recording, self._loss = None, ""
                self._folder = TemporaryDirectory(prefix="mien-")
                self._recorder = Recorder(Path(self._folder.name, "recording.mp4"))

    def stop_recording(self) -> None:
        """End the recording; `take_recording` hands it out."""
        with self._lock:
            recorder, folder = self._recorder, self._folder
            self._recorder = self._folder = None
        if recorder is None or folder is None:
            return
        with folder:
            try:
                path = recorder.finish()
                self._recording = path.read_bytes() if path else None
            except (MienError, OSError) as error:
                self._loss = f"The recording was lost: {error}"

    def take_recording(self) -> bytes | None:
        """A recording that has ended, as MP4; None if there is none, or it was taken already."""
        recording, self._recording = self._recording, None
        return recording

    def on_ended(self) -> None:
        """Leave the session and let go of everything else; called when the connection ends, for whatever reason."""
        with self._lock:
            self._ended = True
            self._newest = None
        self.stop_recording()
        self.session = self._log.finish() or self.session
        self._history = History()
