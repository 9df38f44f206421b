"""What each person showed over time, in as much detail as a picture can show: the one rule for every strip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.results import FrameResult

GAP_S = 0.5
"""A face out of sight for no longer than this is drawn as seen throughout, and so are steps between distant frames."""

# Width of a bin at the beginning, and how many there may be before each two are joined. So a picture is always finer
# than its pixels, and the memory for a person does not grow with the video.
_BIN_S, _MAX_BINS = 0.02, 4096
# Sums per bin: the seven probabilities, frames, and how many of these were uncertain.
_COUNT, _UNCERTAIN = len(Emotion), len(Emotion) + 1


# Distances between ticks in seconds.
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def tick_times(start_s: float, end_s: float, most: int) -> list[float]:
    """Round times from one to another, at most so many and one more, in seconds."""
    step_s = next((step for step in _TICKS_S if (end_s - start_s) / step <= most), _TICKS_S[-1])
    return [float(tick) for tick in np.arange(np.ceil(start_s / step_s) * step_s, end_s + 1e-9, step_s)]


class Strips:
    """Adds up smoothed probabilities by person and time."""

    def __init__(self) -> None:
        self._bin_s = _BIN_S
        self._people: dict[int, dict[int, NDArray[np.float64]]] = {}
        self._steps: list[float] = []
        self._last_s: float | None = None
        self.start_s, self.end_s = 0.0, 0.0

    @property
    def people(self) -> list[int]:
        """Numbers of the people, those seen longest first."""
        return sorted(self._people, key=lambda track: -len(self._people[track]))

    def add(self, result: FrameResult) -> None:
        """Take in the next frame; faces that are not confirmed are left out."""
        time_s = result.time_s or 0.0
        if self._last_s is None:
            self.start_s = time_s
        elif len(self._steps) < 100:
            self._steps.append(time_s - self._last_s)
        self._last_s = self.end_s = time_s
        while (time_s - self.start_s) / self._bin_s >= _MAX_BINS:
            self._coarsen()
        for face in result:
            if face.track is not None and face.smoothed is not None and face.confirmed:
                bins = self._people.setdefault(face.track, {})
                cell = bins.setdefault(int((time_s - self.start_s) / self._bin_s), np.zeros(_UNCERTAIN + 1))
                cell += [*(face.smoothed[emotion] for emotion in Emotion), 1.0, face.uncertain]

    def columns(self, track: int, count: int) -> NDArray[np.float32]:
        """A person's probabilities and share of uncertain frames over the whole time.

        Args:
            track: The person.
            count: Number of equal stretches of time to average over.

        Returns:
            float32 (count, 8); NaN where the person was not seen.
        """
        sums = np.zeros((count, _UNCERTAIN + 1))
        step_s = max(self.end_s - self.start_s, 1e-6) / count
        for number, cell in self._people.get(track, {}).items():
            sums[min(int((number + 0.5) * self._bin_s / step_s), count - 1)] += cell
        with np.errstate(invalid="ignore"):
            shares = sums / sums[:, [_COUNT]]
        columns = np.delete(shares, _COUNT, axis=1).astype(np.float32)
        return bridge(columns, step_s, float(np.median(self._steps)) if self._steps else 0.0)

    def _coarsen(self) -> None:
        self._bin_s *= 2
        for track, bins in self._people.items():
            joined: dict[int, NDArray[np.float64]] = {}
            for number, cell in bins.items():
                joined[number // 2] = joined.get(number // 2, 0.0) + cell
            self._people[track] = joined


def bridge(columns: NDArray[np.float32], step_s: float, frame_step_s: float = 0.0) -> NDArray[np.float32]:
    """Fill gaps that are none: shorter than `GAP_S`, or than two steps between the frames that were read.

    Args:
        columns: Values per stretch of time, (N, K), NaN where the person was not seen; changed in place.
        step_s: Length of a stretch in seconds.
        frame_step_s: Usual seconds between two frames.

    Returns:
        The same columns.
    """
    longest = max(GAP_S, 2 * frame_step_s) / step_s
    seen = np.flatnonzero(~np.isnan(columns[:, 0]))
    for before, after in pairwise(seen):
        if 1 < after - before <= longest + 1:
            columns[before + 1 : after] = columns[before]
    return columns


def stretches(columns: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Where a person is seen, as pairs of the first column and the one after the last."""
    seen = np.concatenate([[False], ~np.isnan(columns[:, 0]), [False]])
    edges: Sequence[int] = np.flatnonzero(np.diff(seen.astype(int))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))
