"""What a classifier is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mien.classification.model_config import ModelConfig
from mien.errors import OptionError

PHOTO = "photo"
"""The answer for photos: all heads together, with less weight on how frequent an emotion was in training."""


def check_head(head: str, config: ModelConfig) -> None:
    """Refuse an answer that a model does not have.

    Raises:
        OptionError: If it is neither ``photo`` nor one of the model's heads.
    """
    if head not in (PHOTO, *config.heads):
        raise OptionError(f"must be one of {', '.join((PHOTO, *config.heads))}, found {head!r}", field="head")


class Classifier(Protocol):
    """Anything that reads emotions from face crops.

    Attributes:
        config: What is known of the model.
        precision: ``fp32`` or ``int8``, whichever it runs with.
        input_size: Side in pixels of the crops it takes.
    """

    @property
    def config(self) -> ModelConfig: ...

    @property
    def precision(self) -> str: ...

    @property
    def input_size(self) -> int: ...

    def predict_proba(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], head: str = PHOTO
    ) -> NDArray[np.float32]:
        """Calibrated probabilities of the seven emotions.

        Args:
            crops: Gray faces in FER-2013's framing, uint8, N of (S, S) with S = ``input_size``.
            head: ``photo``, or the name of one of the model's heads to get that head's answer alone.

        Returns:
            float32 (N, 7) in the order of `Emotion`; rows add up to 1.

        Raises:
            OptionError: If the model has no such head.
        """
        ...


@runtime_checkable
class AmbiguityClassifier(Classifier, Protocol):
    """A classifier that also says how far people would disagree about a face."""

    def predict_with_ambiguity(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Probabilities as `predict_proba` of the answer for photos, and the ambiguities.

        Returns:
            Probabilities, float32 (N, 7), and expected shares of people who would name another emotion than most of
            them do, float32 (N,), 0 to 6/7; None for these where the model knows nothing of it.
        """
        ...


class Answer(NamedTuple):
    """What a classifier says of one face.

    Attributes:
        probabilities: Calibrated, of the seven emotions in the order of `Emotion`, float32 (7,).
        ambiguity: Expected share of people who would name another emotion than most of them do; None if not known.
    """

    probabilities: NDArray[np.float32]
    ambiguity: float | None = None


def read_faces(
    classifier: Classifier, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], mirror: bool
) -> list[Answer]:
    """All that a classifier says of each face, with the answer for photos.

    Args:
        classifier: What answers.
        crops: As for `Classifier.predict_proba`, N of them.
        mirror: Whether to take the mean of the answers for each face and for its mirror image.
    """
    faces = _both_sides(crops) if mirror else crops
    if isinstance(classifier, AmbiguityClassifier):
        probabilities, ambiguities = classifier.predict_with_ambiguity(faces)
    else:
        probabilities, ambiguities = classifier.predict_proba(faces), None
    if mirror:
        probabilities = _mean_of_sides(probabilities)
        ambiguities = None if ambiguities is None else _mean_of_sides(ambiguities)
    shares = [None] * len(crops) if ambiguities is None else map(float, ambiguities)
    return [Answer(row, share) for row, share in zip(probabilities, shares, strict=True)]


def predict_mirrored(
    classifier: Classifier, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], head: str = PHOTO
) -> NDArray[np.float32]:
    """The mean of the answers for faces and for their mirror images; arguments as for `Classifier.predict_proba`."""
    return _mean_of_sides(classifier.predict_proba(_both_sides(crops), head))


def _both_sides(crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The faces, and then their mirror images."""
    return [*crops, *(face[:, ::-1] for face in crops)]


def _mean_of_sides(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of what was said of `_both_sides`, one value or row per face."""
    count = len(values) // 2
    return np.asarray((values[:count] + values[count:]) / 2, np.float32)
