"""Where the picture of a result is found again, so that a notebook can show it."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from mien.errors import ImageError
from mien.images import ImageSource, read_image

if TYPE_CHECKING:
    from mien.detection.base import Frame

# The longest side of what is shown, in pixels.
_SIDE = 640
_QUALITY = 85


class Picture:
    """Where the picture of a result is found again, without keeping it in memory.

    A path is read again, an array or PIL image is shown as long as its owner keeps it. Of bytes and files, which
    cannot be read again, a small JPEG is kept.

    Args:
        source: As it was given to `Analyzer.analyze`.
        frame: What was read from it; None keeps no JPEG.
    """

    __slots__ = ("_jpeg", "_path", "_weak")

    def __init__(self, source: ImageSource | None, frame: Frame | None = None) -> None:
        self._path = os.path.abspath(source) if isinstance(source, str | os.PathLike) else None  # noqa: PTH100
        self._jpeg: bytes | None = None
        self._weak: weakref.ref[Any] | None = None
        if source is None or self._path is not None:
            return
        if isinstance(source, np.ndarray | Image.Image):
            self._weak = weakref.ref(source)
        elif frame is not None:
            self._jpeg = to_jpeg(shrink(frame))

    def __reduce__(self) -> tuple[type[Picture], tuple[str | None]]:
        # Weak references cannot be pickled, and no picture goes to another process unasked.
        return Picture, (self._path,)

    def read(self, size: tuple[int, int]) -> Frame | None:
        """The picture, uint8 (H, W, 3) BGR, if it is still there.

        Args:
            size: Width and height of the picture in pixels; what has other proportions is not the same any more.
        """
        source = self._weak() if self._weak else self._path or self._jpeg
        if source is None:
            return None
        try:
            frame = read_image(source)
        except ImageError:
            return None
        return frame if self._jpeg or frame.shape[1::-1] == size else None


def shrink(frame: Frame) -> Frame:
    """A frame, uint8 (H, W, 3) BGR, no larger than what is shown."""
    scale = _SIDE / max(frame.shape[:2])
    if scale >= 1:
        return frame
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def to_jpeg(frame: Frame) -> bytes:
    """A frame, uint8 (H, W, 3) BGR, as JPEG."""
    _, encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()
