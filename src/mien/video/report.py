"""A page about one video: who showed what when, beside the video itself."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.clock import clock
from mien.detection.base import Frame
from mien.emotions import LABELS, Emotion
from mien.files import AtomicFile
from mien.live.colors import hexadecimal
from mien.live.portraits import Portraits
from mien.results import FrameResult
from mien.tables import printable
from mien.video.elan import relative_path
from mien.video.episodes import Episode, check_suffix
from mien.video.strips import Strips, stretches, tick_times
from mien.video.summary import Summary, TrackSummary

REPORT_SUFFIXES = (".html", ".htm")
"""Suffixes of the pages that can be written."""

_COLUMNS, _HEIGHT, _MOST_TICKS, _MAX_CUTS = 1600, 64, 6, 150
# Opacity of what is uncertain, 0..255, on the ground of the page.
_PALE = 90
# Less than this would be shown as 0.0 seconds.
_BRIEF_S = 0.05


class Report(AtomicFile):
    """Collects what a page about a video needs, and writes it when the block ends; see `AtomicFile`.

    The page is one file that asks for no other but the video, which it names by its place relative to the page.

    Args:
        path: The page, ``.html``.
        summary: Of the video; closed when the block ends.
        video: The file of the video; None if it is none.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
    """

    def __init__(self, path: Path, summary: Summary, video: Path | None) -> None:
        check_suffix(path, REPORT_SUFFIXES, "a report")
        super().__init__(path)
        self._summary, self._video = summary, video
        self._strips, self._portraits = Strips(), Portraits()
        self._cuts_s: list[float] = []
        self._shot: int | None = None

    def write(self, image: Frame, result: FrameResult) -> None:
        """Add a frame, uint8 (H, W, 3) BGR, as it may be shown, and what was read in it."""
        self._strips.add(result)
        self._portraits.add(image, result)
        if self._shot is not None and result.shot != self._shot:
            self._cuts_s.append(result.time_s or 0.0)
        self._shot = result.shot

    def _finish(self, complete: bool, whole: bool) -> None:
        if complete:
            self._partial.write_text(self._page(), encoding="utf-8")

    def _page(self) -> str:
        summary, strips = self._summary, self._strips
        people = sorted(summary.tracks.values(), key=lambda person: person.track)
        template = resources.files("mien.video").joinpath("report.html").read_text(encoding="utf-8")
        return Template(template).substitute(
            title=_text(Path(summary.source).name or "video"),
            version=escape(mien.__version__),
            start_s=f"{strips.start_s:.3f}",
            end_s=f"{strips.end_s:.3f}",
            facts="".join(f"<li>{fact}</li>" for fact in self._facts()),
            remark=self._remark(),
            stage=self._stage(),
            legend="".join(f"<li>{_dot(emotion)}{emotion}</li>" for emotion in Emotion),
            people="".join(self._person(person) for person in people) or "<p>No face was seen.</p>",
            episodes=_episodes(summary),
        )

    def _facts(self) -> Iterator[str]:
        summary = self._summary
        yield f"<b>{clock(summary.read_s)}</b> read"
        for count, one, many in (
            (len(summary.tracks), "person", "people"),
            (summary.shots, "shot", "shots"),
            (summary.frames, "frame", "frames"),
        ):
            yield f"<b>{count}</b> {one if count == 1 else many}"

    def _remark(self) -> str:
        remark = "reading was interrupted" if self._summary.is_cut_short else self._summary.damage
        return f'<p class="remark">The video {_text(remark)}; what could be read is shown.</p>' if remark else ""

    def _stage(self) -> str:
        if self._video is None:
            return ""
        place = relative_path(self._video, self.path.parent)
        address = quote(os.fsencode(place), safe="/.") if place else self._video.absolute().as_uri()
        return (
            f'<div id="stage"><video controls preload="metadata" src="{escape(address)}" aria-label="The video">'
            '</video><p id="unplayable" class="soft" hidden>The video is not where it was, or this browser does not '
            f"play its format: {_text(str(self._video))}</p></div>"
        )

    def _person(self, person: TrackSummary) -> str:
        name = person_name(self._summary, person.track)
        picture = self._portraits.pictures.get(person.track)
        image = f'<img alt="" src="data:image/jpeg;base64,{b64encode(picture).decode()}">' if picture else ""
        certain = f"in sight for {person.total_s:.1f} s, {person.uncertain_s:.1f} s of these uncertain"
        return (
            f'<section class="person"><div class="who">{image}<div><h3>{name}</h3>'
            f'<p class="soft">{certain} · valence {person.valence:+.2f}</p></div></div>'
            f"{self._strip(person.track, name)}{_bars(person)}</section>"
        )

    def _strip(self, track: int, name: str) -> str:
        start_s, end_s = self._strips.start_s, self._strips.end_s
        length_s = max(end_s - start_s, 1e-6)
        cuts = self._cuts_s if len(self._cuts_s) <= _MAX_CUTS else []
        picture = b64encode(_picture(self._strips.columns(track, _COLUMNS))).decode()
        lines = "".join(f'<i style="left:{100 * (cut_s - start_s) / length_s:.3f}%"></i>' for cut_s in cuts)
        ticks = [(tick_s, 100 * (tick_s - start_s) / length_s) for tick_s in tick_times(start_s, end_s, _MOST_TICKS)]
        axis = "".join(
            f'<span{" class=last" if place > 96 else ""} style="left:{place:.2f}%">{clock(tick_s)}</span>'
            for tick_s, place in ticks
        )
        return (
            f'<div class="strip" role="slider" tabindex="0" aria-label="{name} over time" '
            f'aria-valuemin="{start_s:.2f}" aria-valuemax="{end_s:.2f}" aria-valuenow="{start_s:.2f}">'
            f'<img alt="" draggable="false" src="data:image/png;base64,{picture}">'
            f'{lines}<i class="head"></i></div><div class="axis" aria-hidden="true">{axis}</div>'
        )


def person_name(summary: Summary, track: int) -> str:
    """What a page calls a person, fit for HTML."""
    participant = summary.participant(track).get("participant")
    return f"Person #{track}" + (f" · {_text(participant)}" if participant else "")


def _text(text: str) -> str:
    """A text from outside, fit for HTML; names of files need not be text."""
    return escape(printable(text))


def _dot(emotion: Emotion) -> str:
    return f'<span class="dot" style="background:{hexadecimal(emotion.color)}"></span>'


def _picture(columns: NDArray[np.float32]) -> bytes:
    """Stacked probabilities as PNG, (N, 8) as `Strips.columns` gives them; clear where the person was not seen."""
    picture = np.zeros((_HEIGHT, len(columns), 4), np.uint8)
    colors = np.array([emotion.color[::-1] for emotion in Emotion], np.uint8)
    levels = (_HEIGHT - np.arange(_HEIGHT) - 0.5) / _HEIGHT
    for first, end in stretches(columns):
        part = columns[first:end]
        tops = np.cumsum(part[:, : len(Emotion)], axis=1)
        which = (levels[:, None, None] > tops).sum(axis=2).clip(max=len(Emotion) - 1)
        picture[:, first:end, :3] = colors[which]
        picture[:, first:end, 3] = np.where(part[:, -1] > 0.5, _PALE, 255)
    return bytes(cv2.imencode(".png", picture)[1].tobytes())


def _bars(person: TrackSummary) -> str:
    total = max(1e-6, person.total_s)
    shown = sorted(person.seconds.items(), key=lambda item: -item[1])
    rows = []
    for emotion, seconds in shown:
        if seconds < _BRIEF_S:
            continue
        certain = person.certain[emotion]
        color = hexadecimal(emotion.color)
        parts = "".join(
            f'<b{kind} style="width:{100 * part / total:.2f}%;background:{color}"></b>'
            for kind, part in (("", certain), (" class=pale", seconds - certain))
            if part > 0
        )
        rows.append(
            f'<span>{emotion}</span><span class="bar">{parts}</span><span>{certain:.1f} s'
            + (f" + {seconds - certain:.1f} s uncertain" if seconds - certain >= _BRIEF_S else "")
            + "</span>"
        )
    return f'<div class="bars">{"".join(rows)}</div>' if rows else ""


def _episodes(summary: Summary) -> str:
    episodes = summary.episodes
    if not episodes:
        return "<p>None.</p>"
    people = "".join(f'<option value="{track}">{person_name(summary, track)}</option>' for track in summary.tracks)
    emotions = "".join(f'<option value="{label}">{label}</option>' for label in LABELS)
    rows = "".join(_episode(summary, episode) for episode in episodes)
    return (
        f'<p class="filters">{_choice("Person", "person", people)} {_choice("Emotion", "emotion", emotions)} '
        f'{_choice("Sure", "certain", _SURE)} <span class="soft" role="status" id="shown">{len(episodes)} of '
        f"{len(episodes)}</span></p>"
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="episodes"><table><thead><tr>'
        '<th scope="col">from</th><th class="n" scope="col">seconds</th><th scope="col">emotion</th>'
        f'<th class="n" scope="col">confidence</th><th scope="col">person</th></tr></thead><tbody>{rows}</tbody>'
        "</table></div>"
    )


_SURE = '<option value="yes">certain</option><option value="no">uncertain</option>'


def _choice(label: str, name: str, options: str) -> str:
    return f'<label>{label} <select name="{name}"><option value="">all</option>{options}</select></label>'


def _episode(summary: Summary, episode: Episode) -> str:
    pale = " class=pale" if episode.uncertain else ""
    return (
        f'<tr{pale} data-person="{episode.track}" data-emotion="{episode.emotion}" '
        f'data-certain="{"no" if episode.uncertain else "yes"}">'
        f'<td><button type="button" data-time="{episode.onset_s:.3f}">{_moment(episode.onset_s)}</button></td>'
        f'<td class="n">{episode.offset_s - episode.onset_s:.1f}</td>'
        f"<td>{_dot(episode.emotion)}{episode.emotion}{'?' if episode.uncertain else ''}</td>"
        f'<td class="n">{episode.confidence:.0%}</td><td class="name">{person_name(summary, episode.track)}</td></tr>'
    )


def _moment(seconds: float) -> str:
    """A time to the tenth of a second, rounded down: ``1:07.3``."""
    tenths = int(max(0.0, seconds) * 10 + 1e-6)
    return f"{clock(tenths / 10 + 1e-6)}.{tenths % 10}"
