"""The seven emotions, the spellings they are known by, and the color each is drawn in."""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum

from mien.arguments import found
from mien.errors import DataError


class Emotion(str, Enum):
    """The seven basic expressions, in the order of FER-2013's class numbers 0 to 6."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"

    def __str__(self) -> str:
        return self.value

    @property
    def number(self) -> int:
        """Class number in FER-2013, 0 to 6."""
        return LABELS.index(self.value)

    @property
    def color(self) -> tuple[int, int, int]:
        """Color for drawing, as (red, green, blue) in 0..255."""
        return _COLORS[self]

    @classmethod
    def parse(cls, text: str) -> Emotion:
        """Read an emotion from any of its usual spellings, upper or lower case.

        Args:
            text: For example ``"happy"``, ``"Happiness"``, ``"disgusted"`` or FER-2013's number ``"3"``.

        Raises:
            DataError: If no emotion is known by that name; the message names the nearest one.
        """
        if not isinstance(text, str):
            raise DataError(f"expected the name of an emotion, found {found(text)}")
        word = text.strip().lower()
        if word in _SPELLINGS:
            return _SPELLINGS[word]
        near = get_close_matches(word, _SPELLINGS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(LABELS)}"
        raise DataError(f"unknown emotion {text!r}; {hint}")


LABELS: tuple[str, ...] = tuple(emotion.value for emotion in Emotion)

_SPELLINGS: dict[str, Emotion] = {
    **{label: Emotion(label) for label in LABELS},
    **{str(number): emotion for number, emotion in enumerate(Emotion)},
    "anger": Emotion.ANGRY,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "afraid": Emotion.FEAR,
    "scared": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "joy": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
}

# Chosen to stay apart for readers with red-green color blindness (after Okabe and Ito, 2008).
_COLORS: dict[Emotion, tuple[int, int, int]] = {
    Emotion.ANGRY: (213, 94, 0),
    Emotion.DISGUST: (0, 158, 115),
    Emotion.FEAR: (204, 121, 167),
    Emotion.HAPPY: (240, 228, 66),
    Emotion.SAD: (0, 114, 178),
    Emotion.SURPRISE: (230, 159, 0),
    Emotion.NEUTRAL: (176, 190, 197),
}
