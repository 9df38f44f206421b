"""What people look like, so that those who come back within a video get the number they had."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.detection.base import DetectedFace, Frame
from mien.preprocessing import crop_gray

Descriptor = NDArray[np.float32]
"""How a face looks, float32 (1924,); the product of two is their `similarity`."""

# Of the descriptors that were tried on pairs of web photos, this pair tells people apart best: histograms of
# gradients (Dalal and Triggs 2005) and blurred gray levels, both of the face with its hair, turned upright.
_SIDE, _SCALE, _SHIFT = 48, 1.25, -0.05
_HOG = cv2.HOGDescriptor((_SIDE, _SIDE), (16, 16), (8, 8), (8, 8), 9)
_GRAY_SIDE, _BLUR = 32, 1.2
# How much gray levels count beside gradients: each gets the same spread between different people.
_GRAY_SHARE = 0.05

SAME = 0.945
"""Similarity from which two faces are the same person's wherever they are seen."""
SAME_PLACE = 0.91
"""The same where the one was lost and the other is found at one place."""
DIFFERENT = 0.885
"""Similarity below which they are different people's, even at one place."""

# Standard deviation of gray levels under which a face shows nothing.
_FLAT = 4.0

# Descriptors kept of a person, and people kept: those seen last.
_LOOKS, _PEOPLE = 12, 200
# A look this similar to one that is kept adds nothing.
_KNOWN = 0.975


def describe(frame: Frame, face: DetectedFace) -> Descriptor | None:
    """How a face looks.

    Args:
        frame: uint8 (H, W, 3) BGR.
        face: The face, with landmarks if there are such.

    Returns:
        Its look; None where there is nothing to see, as in a picture of one color.
    """
    gray = crop_gray(frame, face, _SIDE, _SCALE, _SHIFT)
    if float(gray.std()) < _FLAT:
        return None
    gradients = np.asarray(_HOG.compute(gray), np.float32).ravel()
    gradients = np.sqrt(gradients / (gradients.sum() + 1e-6))
    levels = cv2.resize(gray, (_GRAY_SIDE, _GRAY_SIDE), interpolation=cv2.INTER_AREA)
    levels = cv2.GaussianBlur(levels.astype(np.float32), (0, 0), _BLUR).ravel()
    levels = levels - levels.mean()
    levels /= float(np.linalg.norm(levels)) + 1e-6
    both = [np.sqrt(1 - _GRAY_SHARE) * gradients, np.sqrt(_GRAY_SHARE) * levels]
    return np.concatenate(both).astype(np.float32)


def similarity(looks: Collection[Descriptor], look: Descriptor) -> float:
    """How similar a look is to the most similar of some; -1 where there are none."""
    return max((float(known @ look) for known in looks), default=-1.0)


@dataclass(slots=True)
class Person:
    """Somebody who was seen in the video.

    Attributes:
        number: Their id.
        looks: How they looked.
        seen_s: When they were seen last.
    """

    number: int
    looks: list[Descriptor] = field(default_factory=list)
    seen_s: float = 0.0

    def learn(self, look: Descriptor) -> None:
        """Remember a look unless it is known; beyond the limit the one most similar to it is forgotten."""
        likeness = [float(known @ look) for known in self.looks]
        if likeness and max(likeness) > _KNOWN:
            return
        if len(self.looks) >= _LOOKS:
            del self.looks[int(np.argmax(likeness))]
        self.looks.append(look)


class Gallery:
    """The people of one video, known by their looks. Nothing of it outlives the video."""

    def __init__(self) -> None:
        self._people: dict[int, Person] = {}

    def see(self, number: int, look: Descriptor, time_s: float) -> None:
        """Remember how a person looks now."""
        person = self._people.pop(number, None) or Person(number)
        person.learn(look)
        person.seen_s = time_s
        # Moved to the end: the first is the one not seen for longest.
        self._people[number] = person
        if len(self._people) > _PEOPLE:
            del self._people[next(iter(self._people))]

    def likeness(self, number: int, look: Descriptor) -> float | None:
        """How similar a look is to those of a person; None if the person is not known."""
        person = self._people.get(number)
        return None if person is None else similarity(person.looks, look)

    def find(self, look: Descriptor, absent: Collection[int]) -> int | None:
        """Who looks like this, surely enough: a number, or None.

        Args:
            look: How a face looks.
            absent: Who it cannot be, because they are in sight elsewhere.
        """
        likeness = {
            number: similarity(person.looks, look) for number, person in self._people.items() if number not in absent
        }
        best = max(likeness, key=lambda number: likeness[number], default=None)
        return best if best is not None and likeness[best] >= SAME else None

    def forget(self) -> None:
        """Begin a new video."""
        self._people = {}
