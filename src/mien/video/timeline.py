"""A picture of everybody's emotions over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.errors import MissingExtraError, OptionError
from mien.files import AtomicFile
from mien.results import FrameResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

TIMELINE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
"""Suffixes of the pictures that can be written."""

MAX_PEOPLE = 12
"""People drawn at most: those seen longest."""

# Width of a bin at the beginning, and how many there may be before each two are joined. So a picture is always finer
# than its pixels, and the memory for a person does not grow with the video.
_BIN_S, _MAX_BINS = 0.02, 4096


class Timeline(AtomicFile):
    """Collects smoothed probabilities over time and draws them as stacked areas, one strip per person.

    The picture is drawn when the block ends; see `AtomicFile`.

    Args:
        path: The picture to write, see `TIMELINE_SUFFIXES`.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If matplotlib is not installed.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in TIMELINE_SUFFIXES:
            raise OptionError(f"unknown picture format {path.suffix!r}; use {', '.join(TIMELINE_SUFFIXES)}", path)
        try:
            import matplotlib as mpl
        except ImportError as error:
            raise MissingExtraError("drawing a timeline", "video") from error
        del mpl
        super().__init__(path)
        self._bin_s = _BIN_S
        # Per person and bin: the sums of the seven probabilities, and the number of frames.
        self._people: dict[int, dict[int, NDArray[np.float64]]] = {}
        self._start_s, self._end_s = np.inf, -np.inf

    def _finish(self, complete: bool, whole: bool) -> None:
        if complete:
            self._draw()

    def write(self, result: FrameResult) -> None:
        """Add what was read in a frame."""
        time_s = result.time_s or 0.0
        # Frames come in order, so the first one is the start. Bins count from there.
        self._start_s, self._end_s = min(self._start_s, time_s), max(self._end_s, time_s)
        since_s = time_s - self._start_s
        while since_s / self._bin_s >= _MAX_BINS:
            self._coarsen()
        for face in result:
            if face.track is not None and face.smoothed is not None:
                bins = self._people.setdefault(face.track, {})
                cell = bins.setdefault(int(since_s / self._bin_s), np.zeros(len(Emotion) + 1))
                cell += [*(face.smoothed[emotion] for emotion in Emotion), 1.0]

    def _coarsen(self) -> None:
        self._bin_s *= 2
        for track, bins in self._people.items():
            joined: dict[int, NDArray[np.float64]] = {}
            for number, cell in bins.items():
                joined[number // 2] = joined.get(number // 2, 0.0) + cell
            self._people[track] = joined

    def _draw(self) -> None:
        from matplotlib.figure import Figure

        longest = sorted(self._people, key=lambda track: -len(self._people[track]))[:MAX_PEOPLE]
        strips = max(1, len(longest))
        figure = Figure(figsize=(12, 1.3 + 1.3 * strips), dpi=120, layout="constrained")
        axes = figure.subplots(strips, 1, sharex=True, squeeze=False)[:, 0]
        for place, track in zip(axes, sorted(longest), strict=False):
            self._draw_person(place, track)
        if not longest:
            axes[0].text(0.5, 0.5, "no face", transform=axes[0].transAxes, ha="center", va="center", color="0.4")
            axes[0].set_yticks([])
        if self._end_s > self._start_s:
            axes[0].set_xlim(self._start_s, self._end_s)
        axes[-1].xaxis.set_major_formatter(_clock)
        axes[-1].set_xlabel("time (min:s)")
        left_out = len(self._people) - len(longest)
        if left_out:
            figure.suptitle(f"the {MAX_PEOPLE} people seen longest; {left_out} more not drawn", fontsize=9)
        handles = [_swatch(emotion) for emotion in Emotion]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
        figure.savefig(self._partial, format=self.path.suffix[1:].lower())

    def _draw_person(self, place: Axes, track: int) -> None:
        bins = self._people[track]
        numbers = np.array(sorted(bins))
        cells = np.array([bins[number] for number in numbers])
        shares = (cells[:, :-1] / cells[:, -1:]).T
        times = self._start_s + (numbers + 0.5) * self._bin_s
        # Where the face was out of sight the strip stays empty. Frames may lie more than one bin apart.
        steps = np.diff(numbers)
        gaps = np.flatnonzero(steps > max(3, 3 * np.median(steps))) + 1 if len(steps) else np.zeros(0, int)
        for seen, part in zip(np.split(times, gaps), np.split(shares, gaps, axis=1), strict=True):
            # A lone frame gets the width of its bin.
            edges = [-0.5, 0.5] if len(seen) == 1 else [0.0]
            x = (seen[:, None] + np.array(edges) * self._bin_s).ravel()
            y = np.repeat(part, len(edges), axis=1)
            place.stackplot(x, y, colors=[_color(emotion) for emotion in Emotion], linewidth=0)
        place.set_ylim(0, 1)
        place.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=8)
        place.set_ylabel(f"#{track}", rotation=0, ha="right", va="center", fontsize=12, fontweight="bold")
        place.set_facecolor("0.97")
        for side in ("top", "right"):
            place.spines[side].set_visible(False)


def _color(emotion: Emotion) -> tuple[float, float, float]:
    red, green, blue = emotion.color
    return red / 255, green / 255, blue / 255


def _swatch(emotion: Emotion) -> Patch:
    from matplotlib.patches import Patch

    return Patch(color=_color(emotion), label=emotion.value)


def _clock(seconds: float, _: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}".removesuffix(".0")
