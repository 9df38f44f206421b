"""Video files and URLs as sources of live frames."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mien.detection.base import Frame
from mien.errors import CameraError, VideoError
from mien.video import open_video
from mien.video.backend import av
from mien.video.reader import shown

if TYPE_CHECKING:
    from av.video.frame import VideoFrame as AvFrame

# Seconds after which a server that does not answer is given up.
_TIMEOUT_S = 10.0
# Pictures over TCP where the camera can, since UDP loses parts of them; and a second of looking at the stream before
# the first picture instead of five.
_OPTIONS = {"rtsp_flags": "prefer_tcp", "analyzeduration": "1000000"}


class Clip:
    """A video file.

    Raises:
        VideoError: If it cannot be read.
    """

    waits: bool = True

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._reader = open_video(path)
        self._frames = iter(self._reader)
        self.duration_s: float | None = self._reader.end_s if math.isfinite(self._reader.end_s) else None

    def read(self) -> tuple[Frame, float] | None:
        """The next frame; see `Source.read`.

        Raises:
            VideoError: At the end of a damaged file, after everything that could be read.
        """
        frame = next(self._frames, None)
        if frame is not None:
            return frame.image, frame.time_s
        if self._reader.damage is not None:
            raise VideoError(self._reader.damage, self._reader.name)
        return None

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class NetworkStream:
    """A network camera or a video on a server.

    Args:
        url: Where it is.
        name: What to call it.

    Raises:
        CameraError: If it cannot be reached or sends no pictures.
    """

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        try:
            self._container = av.open(url, timeout=_TIMEOUT_S, options=_OPTIONS)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            reason = f"cannot be reached ({_reason(error)}); check the address, then try again"
            raise CameraError(reason, self.name) from None
        if not self._container.streams.video:
            self._container.close()
            raise CameraError("sends no pictures", self.name)
        self._stream = self._container.streams.video[0]
        self._frames = self._decode()
        # What has an end is a file, and waits on the server; what has none is a camera.
        self.duration_s: float | None = self._container.duration / 1e6 if self._container.duration else None
        self.waits: bool = self.duration_s is not None
        self._start = time.monotonic()

    def read(self) -> tuple[Frame, float] | None:
        """The next frame; see `Source.read`."""
        try:
            frame = next(self._frames, None)
        except (av.error.FFmpegError, OSError) as error:
            raise CameraError(f"the connection broke ({_reason(error)}); try again", self.name) from None
        if frame is None:
            if self.waits:
                return None
            raise CameraError("sends no more pictures; try again", self.name)
        time_s = frame.time if self.waits and frame.time is not None else time.monotonic() - self._start
        return shown(frame, self._stream.sample_aspect_ratio), time_s

    def _decode(self) -> Iterator[AvFrame]:
        """The pictures, without those that arrive damaged, unless none has come whole for `_TIMEOUT_S`."""
        whole_s = time.monotonic()
        for packet in self._container.demux(self._stream):
            try:
                frames = self._stream.decode(packet)
            except av.error.InvalidDataError:
                if time.monotonic() - whole_s > _TIMEOUT_S:
                    raise
                continue
            if frames:
                whole_s = time.monotonic()
                yield from frames

    def close(self) -> None:
        """Close the connection."""
        self._container.close()


def _reason(error: Exception) -> str:
    if isinstance(error, av.error.ExitError):
        return f"no answer for {_TIMEOUT_S:.0f} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
