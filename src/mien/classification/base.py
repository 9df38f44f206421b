"""What a classifier is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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


def predict_mirrored(
    classifier: Classifier, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], head: str = PHOTO
) -> NDArray[np.float32]:
    """The mean of the answers for faces and for their mirror images; arguments as for `Classifier.predict_proba`."""
    both = classifier.predict_proba([*crops, *(face[:, ::-1] for face in crops)], head)
    return np.asarray((both[: len(crops)] + both[len(crops) :]) / 2, np.float32)
