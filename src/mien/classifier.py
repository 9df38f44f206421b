"""From face crops to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError, OptionError
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
        ModelError: If the folder is incomplete or damaged.
        OptionError: If there is no such model, or the device or the number of threads is not possible.
    """

    def __init__(self, model: str = "mien-1", device: str = "auto", threads: int = 0) -> None:
        folder = find_model(model)
        self.config = load_config(folder)
        self._session = create_session(folder / "model.onnx", device=device, threads=threads)
        side, heads = self.config.input_size, len(self.config.heads)
        reads, says = self._session.get_inputs()[0].shape[1:], self._session.get_outputs()[0].shape[1:]
        if reads != [1, side, side] or says != [heads, len(self.config.labels)]:
            raise ModelError(f"{folder}: model.onnx reads {reads} and answers {says}, config.json says otherwise")

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
        answers = blend(
            logits, np.array(self.config.temperatures), np.array(self.config.priors), self.config.prior_power
        )
        return softmax(np.log(answers) / np.float32(self.config.photo_temperature))


def blend(
    logits: NDArray[np.float32],
    temperatures: NDArray[np.float64],
    priors: NDArray[np.float64],
    prior_power: float,
) -> NDArray[np.float32]:
    """The mean answer of all heads, after each has left behind some of how frequent an emotion was in training.

    Args:
        logits: (N, heads, 7).
        temperatures: (heads,), divide the logits.
        priors: (heads, 7), shares of the emotions in training.
        prior_power: 0 leaves the answers as they are, 1 answers as if all emotions were equally frequent
            (Menon et al. 2021, "Long-tail learning via logit adjustment").

    Returns:
        float32 (N, 7), above 0; rows add up to 1.
    """
    adjusted = logits / temperatures[:, None] - prior_power * np.log(priors)
    return np.asarray(softmax(adjusted.astype(np.float32)).mean(axis=1) + 1e-9, np.float32)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
