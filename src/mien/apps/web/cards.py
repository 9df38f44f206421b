"""Faces as HTML: what they show, bar by bar and moment by moment."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from mien.classification.quality import QUALITY_FLAGS
from mien.clock import clock
from mien.drawing import describe, disagreement, percent
from mien.emotions import Emotion
from mien.live.colors import hexadecimal
from mien.live.session_report import seconds_of
from mien.results import Face
from mien.video.summary import TrackSummary


def bars(probabilities: Mapping[Emotion, float], shown: Emotion) -> str:
    """A bar for each emotion, always in the same order so that the eye finds it again.

    Args:
        probabilities: Of each emotion.
        shown: The emotion that the answer names, which is highlighted.
    """
    rows = []
    for emotion in Emotion:
        share = probabilities[emotion]
        top = " mien-top" if emotion is shown else ""
        colors = f"background:{hexadecimal(emotion.color)};border-color:var(--mien-{emotion}-edge)"
        rows.append(
            f'<div class="mien-bar{top}" data-emotion="{emotion}" data-value="{share:.4f}"><span>{emotion}</span>'
            f'<i><b style="width:{100 * share:.1f}%;{colors}"></b></i>'
            f"<em>{percent(share)}</em></div>"
        )
    return f'<div class="mien-bars">{"".join(rows)}</div>'


def strip(columns: NDArray[np.floating], label: str) -> str:
    """Emotions over time: every moment divided between the seven of them, neutral at the top.

    Args:
        columns: Probabilities, (N, 7), oldest first; NaN where the person was not seen.
        label: What it shows, for those who cannot see it.
    """
    tops = 100 * np.cumsum(columns, axis=1).clip(0, 1)
    layers = []
    # From the back: each layer covers everything up to the top of its emotion.
    for emotion in reversed(Emotion):
        points = ",".join(f"{x:.1f}% {100 - y:.0f}%" for x, y in _outline(tops[:, emotion.number]))
        layers.append(f'<i style="background:{hexadecimal(emotion.color)};clip-path:polygon({points})"></i>')
    return f'<div class="mien-strip" role="img" aria-label="{escape(label)}">{"".join(layers)}</div>'


def _outline(heights: NDArray[np.floating]) -> list[tuple[float, float]]:
    """Corners of the area below a line, x and y in 0..100: down to the ground where the person was not seen."""
    step = 100 / len(heights)
    corners = [(0.0, 0.0)]
    for number, height in enumerate(heights):
        if np.isnan(height):
            continue
        if number == 0 or np.isnan(heights[number - 1]):
            corners += [(number * step, 0.0), (number * step, height)]
        corners.append(((number + 0.5) * step, height))
        if number + 1 == len(heights) or np.isnan(heights[number + 1]):
            corners += [((number + 1) * step, height), ((number + 1) * step, 0.0)]
    return [*corners, (100.0, 0.0)]


def face_card(name: str, number: int, face: Face, *, thumbnail: str = "", history: str = "") -> str:
    """A face: who, which emotion, all seven probabilities, and what makes it hard to read.

    Args:
        name: Who it is, for example ``Face 2``.
        number: Its number, or the id of the person.
        face: What was read.
        thumbnail: HTML of a small picture of the face.
        history: HTML of what it showed before.
    """
    return card(name, describe(face), face.emotion, thumbnail, _details(face, history), number)


def face_row(name: str, number: int, face: Face, *, thumbnail: str = "", history: str = "") -> str:
    """The same in one line that opens to show the rest; for many people."""
    return row(name, describe(face), face.emotion, f"{thumbnail}{_small(history)}", _details(face, history), number)


def _small(history: str) -> str:
    return f'<span class="mien-mini" aria-hidden="true">{history}</span>' if history else ""


def _details(face: Face, history: str) -> str:
    marks = ["not sure enough to rely on"] if face.uncertain else []
    marks += [QUALITY_FLAGS[code] for code in face.quality]
    notes = "".join(f'<span class="mien-mark">{escape(mark)}</span>' for mark in marks)
    others = disagreement(face)
    body = bars(face.smoothed or face.probabilities, face.emotion) + history
    body += f'<p class="mien-others">{others}</p>' if others else ""
    return f'{body}<div class="mien-marks">{notes}</div>' if notes else body


def card(name: str, answer: str, emotion: Emotion | None, thumbnail: str, body: str, number: int | None = None) -> str:
    """A card with a heading; None for the emotion leaves it colorless."""
    return (
        f'<section class="mien-card" style="--accent:{_accent(emotion)}"{_data(number)}><header>{thumbnail}'
        f"<div><small>{escape(name)}</small><strong>{escape(answer)}</strong></div></header>{body}</section>"
    )


def row(name: str, answer: str, emotion: Emotion | None, start: str, body: str, number: int | None = None) -> str:
    """A card of one line that opens."""
    return (
        f'<details class="mien-row" style="--accent:{_accent(emotion)}"{_data(number)}><summary>{start}'
        f"<small>{escape(name)}</small><strong>{escape(answer)}</strong></summary>{body}</details>"
    )


def _accent(emotion: Emotion | None) -> str:
    return hexadecimal(emotion.color) if emotion else "var(--mien-line)"


def _data(number: int | None) -> str:
    return "" if number is None else f' data-number="{number}"'


def session_card(person: TrackSummary, columns: NDArray[np.floating], thumbnail: str, span: tuple[str, str]) -> str:
    """What a person showed over a whole video or session.

    Args:
        person: How long they showed what.
        columns: The probabilities over the time, as for `strip`.
        thumbnail: HTML of a small picture of the person.
        span: Where the time begins and ends, in words.
    """
    name = f"Person #{person.track}"
    seconds = "".join(
        f'<span><i style="background:{hexadecimal(emotion.color)}"></i>{emotion} {shown:.1f} s</span>'
        for emotion, shown in seconds_of(person)
    )
    if person.uncertain_s:
        seconds += f"<span>uncertain for {person.uncertain_s:.1f} s of these</span>"
    most = max(Emotion, key=lambda emotion: person.seconds[emotion])
    scale = f'<div class="mien-scale"><span>{span[0]}</span><span>{span[1]}</span></div>'
    body = f'{strip(columns, f"{name} over the whole time")}{scale}<div class="mien-legend">{seconds}</div>'
    seen = f"{name} · {clock(person.first_s)} to {clock(person.last_s)}"
    return card(seen, f"mostly {most}", most, thumbnail, body, person.track)


def facts(values: Mapping[str, str]) -> str:
    """Figures with what they mean below them."""
    tiles = "".join(f"<div><strong>{value}</strong><small>{name}</small></div>" for name, value in values.items())
    return f'<div class="mien-facts">{tiles}</div>'


def grid(cards: Sequence[str]) -> str:
    """Cards beside each other, as many as fit."""
    return f'<div class="mien-grid">{"".join(cards)}</div>'


def thumbnail(portrait: bytes) -> str:
    """A small picture of a face, given as JPEG."""
    return f'<img alt="" src="data:image/jpeg;base64,{b64encode(portrait).decode()}">'


def notice(heading: str, text: str) -> str:
    """Something to read in the place of cards."""
    return f'<div class="mien-notice"><strong>{escape(heading)}</strong><p>{escape(text)}</p></div>'


def legend() -> str:
    """Which color is which emotion."""
    items = "".join(
        f'<span><i style="background:{hexadecimal(emotion.color)}"></i>{emotion}</span>' for emotion in Emotion
    )
    return f'<div class="mien-legend">{items}</div>'
