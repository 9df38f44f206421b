"""Taking frames on a thread of their own: the newest one is handed out, older ones are dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mien.detection.base import Frame
from mien.errors import MienError
from mien.live.meter import RateMeter
from mien.live.sources import Source

_LOG = logging.getLogger(__name__)


class State(Enum):
    """How a source of frames is doing."""

    OPENING = "opening"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Grabbed:
    """A frame, uint8 (H, W, 3) BGR, its time in seconds and its number, from 0."""

    frame: Frame
    time_s: float
    number: int


class Capture:
    """Opens a source and reads it on a thread of its own.

    Files are read at the speed they were taken at, cameras as fast as they send.

    Args:
        open_source: Opens the source; called on the thread, since opening a camera takes seconds.

    Attributes:
        state: How it is doing.
        error: Why it failed; None unless it did.
        duration_s: Length of the source in seconds, None while or where it is unknown.
    """

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self.state = State.OPENING
        self.error: MienError | None = None
        self.duration_s: float | None = None
        self._open_source = open_source
        self._meter = RateMeter()
        self._newest: Grabbed | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._thread = threading.Thread(target=self._run, name="mien-capture", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self, paused: bool) -> None:
        """Stop handing out frames, or go on. A file goes on where it was, a camera with what it sees then."""
        (self._running.clear if paused else self._running.set)()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Close the source. A source that hangs is left to itself after the given time."""
        self._stopped.set()
        self._running.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def take(self, timeout_s: float) -> Grabbed | None:
        """The newest frame that was not taken yet, waiting for it; None if none came, or no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self.finished, timeout_s)
            grabbed, self._newest = self._newest, None
        return grabbed

    @property
    def finished(self) -> bool:
        """Whether no more frames will come."""
        return self._stopped.is_set() or self.state in (State.ENDED, State.FAILED)

    @property
    def fps(self) -> float:
        """Frames that the source gave per second, lately."""
        return self._meter.rate(time.monotonic())

    def _run(self) -> None:
        state, source = State.ENDED, None
        try:
            source = self._open_source()
            self.duration_s = source.duration_s
            self.state = State.RUNNING
            self._read(source)
        except MienError as error:
            state, self.error = State.FAILED, error
        except Exception as error:
            # A thread that dies silently would leave a window that waits forever.
            _LOG.exception("reading frames failed")
            state, self.error = State.FAILED, MienError(f"reading frames failed: {error}")
        finally:
            if source is not None:
                source.close()
            with self._changed:
                self.state = state
                self._changed.notify_all()

    def _read(self, source: Source) -> None:
        offset: float | None = None
        number = 0
        while not self._stopped.is_set():
            if source.waits and not self._running.is_set():
                self._running.wait()
                offset = None
            read = source.read()
            if read is None:
                return
            frame, time_s = read
            if source.waits:
                now = time.monotonic()
                offset = now - time_s if offset is None else offset
                self._stopped.wait(max(0.0, time_s + offset - now))
            elif not self._running.is_set():
                continue
            self._meter.tick(time.monotonic())
            with self._changed:
                self._newest = Grabbed(frame, time_s, number)
                self._changed.notify_all()
            number += 1
