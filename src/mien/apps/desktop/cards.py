"""What the side panel says about each person, without the widgets that say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.classification.quality import words
from mien.drawing import describe
from mien.emotions import Emotion
from mien.live.history import History, shown
from mien.results import Face

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Card:
    """One person.

    Attributes:
        title: Who, by the number that the picture shows.
        answer: The emotion and confidence in words, or when the person left.
        color: Color of the emotion as (red, green, blue); None once the person has left.
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


def cards_of_people(history: History, faces: Sequence[Face], columns: int, show_all: bool) -> list[Card]:
    """A card for everybody who was seen in the last half minute.

    Args:
        history: What was seen.
        faces: Those of the frame that is looked at, which may be older than the last one read: the cards say of them
            what the picture says.
        columns: Into how many columns to divide the last half minute.
        show_all: Whether to show all seven probabilities.
    """
    seen = {face.track: face for face in faces}
    cards = []
    for person in history.people():
        face, away_s = seen.get(person.track, person.face), 0.0 if person.track in seen else person.away_s
        cards.append(_card(f"Person {person.track}", face, show_all, away_s, history.columns(person.track, columns)))
    return cards


def cards_of_faces(faces: Sequence[Face], show_all: bool) -> list[Card]:
    """A card for every face of a picture; ``show_all`` as for `cards_of_people`."""
    return [_card(f"Face {number}", face, show_all) for number, face in enumerate(faces, start=1)]


def strip(columns: NDArray[np.float32], height: int, ground: Color) -> NDArray[np.uint8]:
    """Emotions over time as a picture: every column divided between the emotions, neutral at the foot.

    Args:
        columns: float32 (N, 7), NaN where nobody was seen.
        height: In pixels.
        ground: Color where nobody was seen, as (red, green, blue).

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
