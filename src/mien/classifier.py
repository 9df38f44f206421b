"""From face crops to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.model_folder import find_model, load_config
from mien.preprocessing import to_tensor
from mien.runtime import create_session

PHOTO = "photo"
"""The answer for photos: all heads together, with less weight on how frequent an emotion was in training."""


class EmotionClassifier:
    """A model folder, opened.

    Args:
        model: Name of a shipped model, or path of a model folder.
        device: See `mien.runtime.create_session`.
        threads: Likewise.

    Raises:
        ModelError: If the folder is missing, incomplete or damaged.
        OptionError: If the device or the number of threads is not possible.
    """

    def __init__(self, model: str = "mien-1", device: str = "auto", threads: int = 0) -> None:
        folder = find_model(model)
        self.config = load_config(folder)
        self._session = create_session(folder / "model.onnx", device=device, threads=threads)

    @property
    def input_size(self) -> int:
        """Side in pixels of the crops that `predict_proba` takes."""
        return self.config.input_size

    def predict_logits(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network says, unaltered.

        Args:
            crops: Grey faces in FER-2013's framing, uint8, N of (S, S) with S = `input_size`.

        Returns:
            float32 (N, heads, 7).
        """
        if not len(crops):
            return np.zeros((0, len(self.config.heads), len(self.config.labels)), np.float32)
        tensor = to_tensor(crops, self.config.mean, self.config.std)
        return np.asarray(self._session.run(["logits"], {"faces": tensor})[0], np.float32)

    def predict_proba(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], head: str = PHOTO
    ) -> NDArray[np.float32]:
        """Calibrated probabilities of the seven emotions.

        Args:
            crops: As `predict_logits`.
            head: ``photo``, or the name of one of the model's heads to get that head's answer alone.

        Returns:
            float32 (N, 7); rows add up to 1.

        Raises:
            OptionError: If the model has no such head.
        """
        logits = self.predict_logits(crops)
        if head in self.config.heads:
            number = self.config.heads.index(head)
            return softmax(logits[:, number] / self.config.temperatures[number])
        if head != PHOTO:
            raise OptionError(f"unknown head {head!r}; expected one of {', '.join((PHOTO, *self.config.heads))}")
        temperatures = np.array(self.config.temperatures, np.float32)[:, None]
        priors = np.array(self.config.priors, np.float32)
        heads = softmax(logits / temperatures - np.float32(self.config.prior_power) * np.log(priors))
        return softmax(np.log(heads.mean(axis=1) + 1e-9) / self.config.photo_temperature)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
