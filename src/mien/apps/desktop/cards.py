"""What the side panel says about each person, without the widgets that say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.classification import quality
from mien.drawing import describe
from mien.emotions import Emotion
from mien.live.history import History, shown
from mien.results import Face


@dataclass(frozen=True, slots=True)
class Card:
    """One person.

    Attributes:
        number: Id of the person, or number of the face; what the picture shows.
        title: Who.
        answer: The emotion and confidence in words, or when the person left.
        emotion: The emotion that is shown; None once the person has left.
        bars: Probability of each emotion; empty where they are not wanted or the person has left.
        hint: What makes the face hard to read, in words; empty if nothing does.
        columns: The last half minute, float32 (N, 7), NaN where unseen; None for pictures.
    """

    number: int
    title: str
    answer: str
    emotion: Emotion | None
    bars: dict[Emotion, float]
    hint: str
    columns: NDArray[np.float32] | None


def cards_of_people(history: History, faces: Sequence[Face], columns: int, show_all: bool) -> list[Card]:
    """A card for everyone who was seen in the last half minute.

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
        title, strip = f"Person #{person.track}", history.columns(person.track, columns)
        cards.append(_card(person.track, title, face, show_all, away_s, strip))
    return cards


def cards_of_faces(faces: Sequence[Face], show_all: bool) -> list[Card]:
    """A card for every face of a picture; ``show_all`` as for `cards_of_people`."""
    return [_card(number, f"Face {number}", face, show_all) for number, face in enumerate(faces, start=1)]


def _card(
    number: int,
    title: str,
    face: Face,
    show_all: bool,
    away_s: float = 0.0,
    columns: NDArray[np.float32] | None = None,
) -> Card:
    if away_s > 0:
        return Card(number, title, f"left {away_s:.0f} s ago", None, {}, "", columns)
    bars = shown(face) if show_all else {}
    return Card(number, title, describe(face), face.emotion, bars, quality.words(face.quality), columns)
