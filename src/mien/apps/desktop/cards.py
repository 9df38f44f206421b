"""What the side panel says about each person, without the widgets that say it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.apps.desktop.history import shown
from mien.apps.desktop.session import Session
from mien.drawing import describe
from mien.emotions import Emotion
from mien.quality import words
from mien.results import Face

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Card:
    """One person.

    Attributes:
        title: Who, by the number that the picture shows.
        answer: The emotion and confidence in words, or when the person left.
        color: Colour of the emotion as (red, green, blue); None once the person has left.
        bars: Probability of each emotion; empty where they are not wanted or the person has left.
        hint: What makes the face hard to read, in words; empty if nothing does.
        columns: The last half minute, float32 (N, 7), NaN where unseen; None for pictures.
    """

    title: str
    answer: str
    color: Color | None
    bars: dict[Emotion, float]
    hint: str
    columns: NDArray[np.float32] | None


def cards(session: Session, columns: int) -> list[Card]:
    """A card for everybody there is something to say about.

    Args:
        session: What is shown.
        columns: Into how many columns to divide the last half minute.
    """
    if session.live is not None:
        history = session.live.history
        return [
            _card(
                f"Person {person.track}",
                person.face,
                session.show_all,
                person.away_s,
                history.columns(person.track, columns),
            )
            for person in history.people()
        ]
    faces = session.shot.result.faces if session.shot is not None else ()
    return [_card(f"Face {number}", face, session.show_all) for number, face in enumerate(faces, start=1)]


def strip(columns: NDArray[np.float32], height: int, ground: Color) -> NDArray[np.uint8]:
    """Emotions over time as a picture: every column divided between the emotions, neutral at the foot.

    Args:
        columns: float32 (N, 7), NaN where nobody was seen.
        height: In pixels.
        ground: Colour where nobody was seen, as (red, green, blue).

    Returns:
        uint8 (height, N, 3), red, green, blue.
    """
    tops = np.cumsum(columns, axis=1)
    level = (np.arange(height) + 0.5) / height
    # Which emotion's share each pixel lies in; NaN compares false, so unseen columns come out as 0.
    number = (level[:, None, None] > tops[None] / tops[None, :, -1:]).sum(axis=2)
    picture = np.array([emotion.color for emotion in Emotion], np.uint8)[number.clip(0, len(Emotion) - 1)]
    picture[:, np.isnan(columns[:, 0])] = ground
    return np.asarray(picture, np.uint8)


def _card(
    title: str, face: Face, show_all: bool, away_s: float = 0.0, columns: NDArray[np.float32] | None = None
) -> Card:
    if away_s > 0:
        return Card(title, f"left {away_s:.0f} s ago", None, {}, "", columns)
    bars = shown(face) if show_all else {}
    return Card(title, describe(face), face.emotion.color, bars, words(face.quality), columns)
