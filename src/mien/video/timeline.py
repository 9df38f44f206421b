"""A picture of each person's emotions over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.clock import clock
from mien.emotions import Emotion
from mien.errors import MissingExtraError, OptionError
from mien.files import AtomicFile
from mien.results import FrameResult
from mien.video.strips import Strips, stretches, tick_times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

TIMELINE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
"""Suffixes of the pictures that can be written."""

DRAWN = b"mien: timeline of a video"
"""The note in the pictures, by which mien knows them again."""

MAX_PEOPLE = 12
"""People drawn at most: those seen longest."""

_NOTES = {"png": "Comment", "pdf": "Creator", "svg": "Creator"}
_COLUMNS = 1200
# Cuts are marked up to this many; more would be a gray curtain.
_MAX_CUTS = 150
_MOST_TICKS = 12
_HEAD_INCHES, _STRIP_INCHES, _FOOT_INCHES = 0.75, 1.3, 0.6


class Timeline(AtomicFile):
    """Collects smoothed probabilities over time and draws them as stacked areas, one strip per person.

    Uncertain stretches are drawn pale, cuts as lines. The picture is drawn when the block ends; see `AtomicFile`.

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
        self._strips = Strips()
        self._cuts_s: list[float] = []
        self._shot: int | None = None

    def _finish(self, complete: bool, whole: bool) -> None:
        if complete:
            self._draw()

    def write(self, result: FrameResult) -> None:
        """Add what was read in a frame."""
        self._strips.add(result)
        if self._shot is not None and result.shot != self._shot and len(self._cuts_s) <= _MAX_CUTS:
            self._cuts_s.append(result.time_s or 0.0)
        self._shot = result.shot

    def _draw(self) -> None:
        from matplotlib.figure import Figure

        people = self._strips.people
        longest = people[:MAX_PEOPLE]
        count = max(1, len(longest))
        inches = _HEAD_INCHES + _STRIP_INCHES * count + _FOOT_INCHES
        figure = Figure(figsize=(12, inches), dpi=120)
        axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        figure.subplots_adjust(
            left=0.07, right=0.985, top=1 - _HEAD_INCHES / inches, bottom=_FOOT_INCHES / inches, hspace=0.18
        )
        for place, track in zip(axes, sorted(longest), strict=False):
            self._draw_person(place, track)
        if not longest:
            axes[0].text(0.5, 0.5, "no face", transform=axes[0].transAxes, ha="center", va="center", color="0.4")
            axes[0].set_yticks([])
        self._draw_time(list(axes))
        handles = [*(_swatch(emotion) for emotion in Emotion), _pale_swatch()]
        # The legend and the note have lines of their own above the strips, whatever their number.
        line = 0.3 / inches
        figure.legend(
            handles=handles,
            loc="center",
            bbox_to_anchor=(0.53, 1 - line),
            ncols=len(handles),
            frameon=False,
            fontsize=9,
        )
        if len(people) > len(longest):
            note = f"the {MAX_PEOPLE} people seen longest; {len(people) - len(longest)} more not drawn"
            figure.text(0.53, 1 - 1.9 * line, note, ha="center", va="center", fontsize=9, color="0.35")
        kind = self.path.suffix[1:].lower()
        # Where each format has room for a note.
        if kind in ("jpg", "jpeg"):
            figure.savefig(self._partial, format=kind, pil_kwargs={"comment": DRAWN})
        else:
            figure.savefig(self._partial, format=kind, metadata={_NOTES[kind]: DRAWN.decode()})

    def _draw_time(self, axes: list[Axes]) -> None:
        start_s, end_s = self._strips.start_s, self._strips.end_s
        if end_s > start_s:
            axes[0].set_xlim(start_s, end_s)
            ticks = tick_times(start_s, end_s, _MOST_TICKS)
            axes[-1].set_xticks(ticks, [clock(tick) for tick in ticks], fontsize=9)
        axes[-1].set_xlabel("time (h:min:s)" if end_s >= 3600 else "time (min:s)", fontsize=9)
        if len(self._cuts_s) <= _MAX_CUTS:
            for place in axes:
                for cut_s in self._cuts_s:
                    place.axvline(cut_s, color="0.3", linewidth=0.6, linestyle=(0, (4, 3)))

    def _draw_person(self, place: Axes, track: int) -> None:
        columns = self._strips.columns(track, _COLUMNS)
        edges = np.linspace(self._strips.start_s, max(self._strips.end_s, self._strips.start_s + 1e-3), _COLUMNS + 1)
        # Where the face was out of sight the strip stays empty.
        for first, end in stretches(columns):
            part = columns[first:end]
            x = edges[first : end + 1]
            y = np.vstack([part[:, : len(Emotion)], part[-1:, : len(Emotion)]]).T
            place.stackplot(x, y, colors=[_color(emotion) for emotion in Emotion], linewidth=0)
            pale = np.concatenate([part[:, -1] > 0.5, [part[-1, -1] > 0.5]])
            place.fill_between(x, 0, 1, where=pale.tolist(), color="white", alpha=0.6, linewidth=0)
        place.set_ylim(0, 1)
        place.set_yticks([0, 0.5, 1], ["0", "50%", "100%"], fontsize=8)
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


def _pale_swatch() -> Patch:
    from matplotlib.patches import Patch

    return Patch(facecolor="0.9", edgecolor="0.6", label="pale: uncertain")
