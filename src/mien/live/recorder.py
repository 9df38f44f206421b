"""Recording what is shown to a video file."""

from __future__ import annotations

import threading
from pathlib import Path

from mien.detection.base import Frame
from mien.errors import MienError
from mien.live.pauses import is_pause
from mien.video import VideoWriter

# How long the first frame stands before a pause.
_FIRST_STEP_S = 0.04


class Recorder:
    """Writes frames to an MP4 file, which appears when the recording is finished. Safe to use from several threads.

    Args:
        path: The file.

    Attributes:
        path: The file.
        error: Why writing failed; None unless it did.

    Raises:
        OptionError: If the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: MienError | None = None
        self._lock = threading.Lock()
        self._writer: VideoWriter | None = VideoWriter(path)
        self._last_s: float | None = None
        self._step_s = _FIRST_STEP_S
        self._length_s = 0.0

    @property
    def length_s(self) -> float:
        """Length of the recording so far in seconds."""
        return self._length_s

    def write(self, frame: Frame, time_s: float) -> None:
        """Add a frame, uint8 (H, W, 3) BGR, taken at this time; ignored once the recording has ended."""
        with self._lock:
            if self._writer is None or self.error is not None:
                return
            if self._last_s is not None:
                if not is_pause(time_s - self._last_s):
                    self._step_s = max(time_s - self._last_s, 0.001)
                self._length_s += self._step_s
            self._last_s = time_s
            try:
                self._writer.write(frame, self._length_s)
            except MienError as error:
                self.error = error

    def finish(self) -> Path | None:
        """End the recording; does nothing the second time.

        Returns:
            The file; None if there was not a single frame.

        Raises:
            MienError: If the file could not be written.
        """
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                try:
                    writer.close()
                except MienError as error:
                    self.error = self.error or error
            if self.error is not None:
                raise self.error
            return self.path if self._last_s is not None else None
