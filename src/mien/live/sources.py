"""Where live frames come from: cameras through OpenCV, files and URLs through PyAV."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from mien.detection.base import Frame
from mien.errors import CameraError

# What stands before the host of a URL: a name and a password, which may hold an unescaped @.
_LOGIN = re.compile(r"(?<=://)[^/?#]*@")
# How many cameras to offer where they cannot be listed.
_OFFERED = 4


class Source(Protocol):
    """Something that gives one frame after the other.

    Attributes:
        name: What people call it, for messages.
        waits: Whether the frames wait until they are read, as those of a file do; a camera's do not.
        duration_s: Length in seconds, None where it is unknown or endless.
    """

    name: str
    waits: bool
    duration_s: float | None

    def read(self) -> tuple[Frame, float] | None:
        """The next frame, uint8 (H, W, 3) BGR, and its time in seconds; None after the last.

        Raises:
            MienError: If there are no more frames although there should be.
        """
        ...

    def close(self) -> None:
        """Let go of the camera or file. Not while another thread is in `read`."""
        ...


class Camera:
    """A camera of this machine.

    Args:
        number: 0 for the first.

    Raises:
        CameraError: If it cannot be opened or gives no picture.
    """

    waits: bool = False
    duration_s: float | None = None

    def __init__(self, number: int) -> None:
        self.name = f"camera {number}"
        # OpenCV would print several lines of its own for a camera that is not there.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._capture = cv2.VideoCapture(number)
        # A longer queue would show what happened some frames ago.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._start = time.monotonic()
        if not self._capture.isOpened():
            raise CameraError(_why_not_opened(number))

    def read(self) -> tuple[Frame, float] | None:
        """The next frame; see `Source.read`. Never None: a camera has no last frame."""
        done, frame = self._capture.read()
        if not done or frame is None:
            raise CameraError(
                f"{self.name} sends no more pictures; plug it in again, or close other programs that use it"
            )
        return np.asarray(frame, np.uint8), time.monotonic() - self._start

    def close(self) -> None:
        """Let go of the camera, so that other programs can use it."""
        self._capture.release()


def open_source(text: str) -> Source:
    """Open what ``--camera`` names.

    Args:
        text: The number of a camera, the path of a video file, or a URL.

    Raises:
        CameraError: If the camera cannot be opened.
        VideoError: If the file or URL cannot.
    """
    if text.isdecimal():
        return Camera(int(text))
    # PyAV is an extra, and a camera does without it.
    from mien.live.clips import Clip, NetworkStream

    return NetworkStream(text, describe_source(text)) if "://" in text else Clip(Path(text))


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera of this machine: its number, and what it is called."""

    number: int
    name: str


def list_cameras(devices: Path = Path("/dev"), names: Path = Path("/sys/class/video4linux")) -> list[CameraInfo]:
    """The cameras that can be chosen.

    Linux names those that are connected. Elsewhere nothing lists cameras without opening them, which switches them
    on, so the first four numbers are offered.

    Args:
        devices: Where Linux has its devices.
        names: Where it has their names.
    """
    if sys.platform != "linux":
        return [CameraInfo(number, f"Camera {number}") for number in range(_OFFERED)]
    cameras = []
    for number in sorted(int(path.name[5:]) for path in devices.glob("video*") if path.name[5:].isdecimal()):
        entry = names / f"video{number}"
        # Cameras have further devices for metadata, with an index above 0.
        if _first_line(entry / "index") in ("", "0"):
            cameras.append(CameraInfo(number, _first_line(entry / "name") or f"Camera {number}"))
    return cameras


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().split("\n")[0]
    except OSError:
        return ""


def describe_source(text: str) -> str:
    """What people call a source that is not open yet: ``camera 0``, ``walk.mp4`` or the URL.

    Without the name and password that a URL may hold: what is saved says where it is from.
    """
    if text.isdecimal():
        return f"camera {text}"
    return _LOGIN.sub("", text) if "://" in text else Path(text).name


def _why_not_opened(number: int) -> str:
    if sys.platform == "linux" and not Path(f"/dev/video{number}").exists():
        present = sorted(int(path.name[5:]) for path in Path("/dev").glob("video*") if path.name[5:].isdecimal())
        others = f"; cameras here: {', '.join(map(str, present))}" if present else "; no camera is connected"
        return f"camera {number} was not found{others}. Plug one in, then try again"
    return (
        f"camera {number} cannot be opened: it is missing, or another program uses it. "
        "Plug it in, close the other program or allow access to it in the system's settings, then try again"
    )
