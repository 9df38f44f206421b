"""Where one shot of a film ends and the next begins."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.detection.base import Frame

# Frames are compared at this size, the second moved by up to so many pixels either way to follow a pan.
_SIZE, _SHIFT_X, _SHIFT_Y = (64, 36), 10, 6
# What makes a cut, each 0..1: that much change of structure; structure and color together; and so many times the change
# of the frames before, because fast motion changes every frame. Measured with `python benchmarks/tracking.py` and on
# spliced clips: cuts reach 0.46 and 0.10, all else stays under 0.38 and 0.055.
_STRUCTURE, _BOTH, _TIMES_BEFORE = 0.4, 0.08, 2.5
_BEFORE = 4
# A frame of less contrast (standard deviation of gray levels) shows nothing to compare: black, or white with a flash.
_FLAT = 8.0
# A frame brighter by so many gray levels may be a flash, which is over after so many seconds.
_BRIGHTER, _FLASH_S = 60.0, 0.15


@dataclass(frozen=True, slots=True)
class _Look:
    """A frame, made small: its gray levels, and the shares of 216 colors."""

    gray: NDArray[np.float32]
    colors: NDArray[np.float32]

    @property
    def is_flat(self) -> bool:
        return float(self.gray.std()) < _FLAT


class ShotDetector:
    """Notices hard cuts while frames go by.

    At a cut the picture's structure changes (the best normalized correlation with the frame before, over small shifts,
    is low) and so do its colors (the overlap of the histograms is low), much more than in the frames before. A camera
    flash changes the colors alone, a moving camera the structure alone, and fast motion every frame.
    """

    def __init__(self) -> None:
        self._last: _Look | None = None
        self._changes: deque[float] = deque(maxlen=_BEFORE)
        self._bright_since_s: float | None = None

    def update(self, frame: Frame, time_s: float) -> bool:
        """Whether a new shot begins with the next frame; where it begins with a bright picture, a moment late.

        Args:
            frame: uint8 (H, W, 3) BGR.
            time_s: Its time in seconds.
        """
        look = _look(frame)
        if self._last is None:
            self._last = look
            return False
        if look.is_flat and not self._last.is_flat:
            return False
        structure, both = _change(self._last, look)
        usual = float(np.mean(self._changes)) if self._changes else 0.0
        is_cut = structure >= _STRUCTURE and both >= _BOTH and structure >= _TIMES_BEFORE * usual
        if is_cut and float(look.gray.mean() - self._last.gray.mean()) > _BRIGHTER:
            self._bright_since_s = time_s if self._bright_since_s is None else self._bright_since_s
            if time_s - self._bright_since_s < _FLASH_S:
                return False
        self._bright_since_s = None
        self._last = look
        if is_cut:
            self._changes.clear()
        else:
            self._changes.append(structure)
        return is_cut

    def reset(self) -> None:
        """Start over: the next frame is compared with nothing."""
        self._last, self._bright_since_s = None, None
        self._changes.clear()


def _look(frame: Frame) -> _Look:
    small = frame
    # Halving is quick, averaging over odd areas is not.
    while small.shape[1] >= 4 * _SIZE[0] and small.shape[0] >= 4 * _SIZE[1]:
        half = small.shape[1] // 2, small.shape[0] // 2
        even = small[: 2 * half[1], : 2 * half[0]]
        small = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.resize(small, _SIZE, interpolation=cv2.INTER_AREA), np.uint8)
    colors = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel() / (_SIZE[0] * _SIZE[1])
    return _Look(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32), np.asarray(colors, np.float32))


def _change(before: _Look, after: _Look) -> tuple[float, float]:
    """Change of structure, and of structure and colors together, each 0..1."""
    middle = after.gray[_SHIFT_Y:-_SHIFT_Y, _SHIFT_X:-_SHIFT_X]
    if float(middle.std()) < 1:
        return 0.0, 0.0
    structure = 1.0 - float(cv2.matchTemplate(before.gray, middle, cv2.TM_CCOEFF_NORMED).max())
    colors = 1.0 - float(np.minimum(before.colors, after.colors).sum())
    return structure, structure * colors
