"""A camera or video being read: one thread takes frames, another analyzes the newest."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mien.analyzer import Analyzer
from mien.detection.base import Frame
from mien.errors import MienError
from mien.live.capture import Capture, Grabbed, State
from mien.live.history import History
from mien.live.meter import Average, RateMeter
from mien.live.session_log import SessionLog
from mien.live.sources import Source
from mien.results import FrameResult
from mien.tracking.stream import StreamAnalyzer

if TYPE_CHECKING:
    from mien.live.recorder import Recorder

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FrameWithResult:
    """A frame, uint8 (H, W, 3) BGR, what was found in it, and how many seconds each stage took lately."""

    frame: Frame
    result: FrameResult
    stage_s: Mapping[str, float] = field(default_factory=dict)


class Live:
    """Reads a camera, file or URL until it ends or is closed.

    Args:
        analyzer: Reads the faces.
        open_source: Opens the source; called on a thread.
        name: What people call the source.

    Attributes:
        history: The last half minute of everyone seen.
        log: The whole session.
    """

    def __init__(self, analyzer: Analyzer, open_source: Callable[[], Source], name: str) -> None:
        self.name = name
        self.history = History()
        self.log = SessionLog(name)
        self._stream = StreamAnalyzer(analyzer)
        self._capture = Capture(open_source)
        self._error: MienError | None = None
        self._meter = RateMeter()
        self._stages = Average()
        self._lock = threading.Lock()
        self._newest: FrameWithResult | None = None
        self._recording: tuple[Recorder, Callable[[FrameWithResult], Frame]] | None = None
        self._closed = threading.Event()
        self._paused = False
        self._thread = threading.Thread(target=self._run, name="mien-analysis", daemon=True)
        self._capture.start()
        self._thread.start()

    @property
    def state(self) -> State:
        """How the source is doing; ended only when its last frame has been analyzed."""
        if self._error is not None:
            return State.FAILED
        state = self._capture.state
        return State.RUNNING if state is State.ENDED and self._thread.is_alive() else state

    @property
    def error(self) -> MienError | None:
        """Why it failed; None unless it did."""
        return self._error or self._capture.error

    @property
    def duration_s(self) -> float | None:
        """Length of the source in seconds, None where it is unknown or endless."""
        return self._capture.duration_s

    @property
    def rates(self) -> tuple[float, float]:
        """Frames per second: those the source gives, and those analyzed."""
        return self._capture.fps, self._meter.rate(time.monotonic())

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Pause, or resume."""
        with self._lock:
            self._paused = paused
        self._capture.pause(paused)

    def take(self) -> FrameWithResult | None:
        """The newest analyzed frame that was not taken yet; None where there is none."""
        with self._lock:
            newest, self._newest = self._newest, None
        return newest

    def record(self, recorder: Recorder, picture: Callable[[FrameWithResult], Frame]) -> None:
        """Write every frame analyzed from now on to this recorder, as the given function draws it."""
        with self._lock:
            self._recording = recorder, picture

    def stop_recording(self) -> None:
        """Write no more."""
        with self._lock:
            self._recording = None

    def close(self) -> None:
        """Stop both threads and let go of the source."""
        self._closed.set()
        self._capture.stop()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                grabbed = self._capture.take(timeout_s=0.2)
                if grabbed is not None:
                    self._analyze(grabbed)
                elif self._capture.finished:
                    return
        except Exception as error:
            if self._closed.is_set():
                # The program may be ending, and networks with it.
                return
            # As in Capture: whatever it is, the window must learn of it.
            _LOG.exception("reading faces failed")
            self._error = error if isinstance(error, MienError) else MienError(f"reading faces failed: {error}")

    def _analyze(self, grabbed: Grabbed) -> None:
        result = self._stream.analyze(grabbed.frame, grabbed.time_s, grabbed.number, self.name)
        now = time.monotonic()
        stages = self._stages.update(dict(self._stream.stage_s), now)
        with self._lock:
            if self._paused:
                # Taken before the pause began: what stands still must not move once more.
                return
            self._meter.tick(now)
            self.history.add(result)
            newest = self._newest = FrameWithResult(grabbed.frame, result, stages)
            recording = self._recording
        self.log.add(grabbed.frame, result)
        if recording is not None:
            recorder, picture = recording
            recorder.write(picture(newest), grabbed.time_s)
