"""Faces as HTML: what was read on them, bar by bar and moment by moment."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from mien.apps.web.theme import hexadecimal
from mien.classification.quality import QUALITY_FLAGS
from mien.drawing import describe
from mien.emotions import Emotion
from mien.results import Face


def bars(probabilities: Mapping[Emotion, float]) -> str:
    """A bar for each emotion, always in the same order so that the eye finds it again."""
    rows = []
    for emotion in Emotion:
        share = probabilities[emotion]
        top = " mien-top" if share == max(probabilities.values()) else ""
        rows.append(
            f'<div class="mien-bar{top}" data-emotion="{emotion}" data-value="{share:.4f}"><span>{emotion}</span>'
            f'<i><b style="width:{100 * share:.1f}%;background:{hexadecimal(emotion)}"></b></i>'
            f"<em>{100 * share:.0f} %</em></div>"
        )
    return f'<div class="mien-bars">{"".join(rows)}</div>'


def strip(columns: NDArray[np.floating], label: str) -> str:
    """Emotions over time: every moment divided between the seven of them, neutral at the top.

    Args:
        columns: Probabilities, (N, 7), oldest first; NaN where nobody was seen.
        label: What it shows, for those who cannot see it.
    """
    tops = 100 * np.cumsum(columns, axis=1).clip(0, 1)
    layers = []
    # From the back: each layer covers everything up to the top of its emotion.
    for emotion in reversed(Emotion):
        points = ",".join(f"{x:.1f}% {100 - y:.0f}%" for x, y in _outline(tops[:, emotion.number]))
        layers.append(f'<i style="background:{hexadecimal(emotion)};clip-path:polygon({points})"></i>')
    return f'<div class="mien-strip" role="img" aria-label="{escape(label)}">{"".join(layers)}</div>'


def _outline(heights: NDArray[np.floating]) -> list[tuple[float, float]]:
    """Corners of the area below a line, x and y in 0..100: down to the ground wherever nobody was seen."""
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


def face_card(
    name: str,
    face: Face,
    *,
    thumbnail: str = "",
    history: str = "",
) -> str:
    """A face: who, which emotion, all seven probabilities, and what makes it hard to read.

    Args:
        name: Who it is, for example ``Face 2``.
        face: What was read.
        thumbnail: HTML of a small picture of the face.
        history: HTML of what it showed before.
    """
    marks = ["uncertain: too close to call"] if face.uncertain else []
    marks += [QUALITY_FLAGS[code] for code in face.quality]
    notes = "".join(f'<span class="mien-mark">{escape(mark)}</span>' for mark in marks)
    body = bars(face.smoothed or face.probabilities) + history
    return card(
        name,
        describe(face),
        face.emotion,
        thumbnail,
        f'{body}<div class="mien-marks">{notes}</div>' if notes else body,
    )


def card(name: str, answer: str, emotion: Emotion | None, thumbnail: str, body: str) -> str:
    """A card with a heading; None for the emotion leaves it colorless."""
    color = hexadecimal(emotion) if emotion else "var(--mien-line)"
    return (
        f'<section class="mien-card" style="--accent:{color}"><header>{thumbnail}'
        f"<div><small>{escape(name)}</small><strong>{escape(answer)}</strong></div></header>{body}</section>"
    )


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
    items = "".join(f'<span><i style="background:{hexadecimal(emotion)}"></i>{emotion}</span>' for emotion in Emotion)
    return f'<div class="mien-legend">{items}</div>'
