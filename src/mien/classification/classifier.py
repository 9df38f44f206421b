"""From face crops to calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.classification.base import PHOTO, check_head
from mien.classification.model_config import FERPLUS_HEAD, INT8_FILE, ModelConfig, find_model, load_config
from mien.errors import ModelError, OptionError
from mien.options import PRECISIONS
from mien.preprocessing import to_tensor
from mien.runtime import create_session, has_gpu, has_int8_instructions


class EmotionClassifier:
    """A model folder, opened.

    Args:
        model: Name of a shipped model, or path of a model folder.
        device: See `mien.runtime.create_session`.
        threads: Likewise.
        precision: See `choose_file`.

    Attributes:
        config: What is known of the model.
        precision: ``fp32`` or ``int8``, whichever it runs with.

    Raises:
        ModelError: If the folder is incomplete or damaged.
        OptionError: If there is no such model, or the device, the number of threads or the precision is not possible.
    """

    def __init__(self, model: str = "mien-2", device: str = "auto", threads: int = 0, precision: str = "auto") -> None:
        folder = find_model(model)
        self.config = load_config(folder)
        file = choose_file(folder, device, precision)
        self.precision = "int8" if file.name == INT8_FILE else "fp32"
        self._session = create_session(file, device=device, threads=threads)
        side, heads = self.config.input_size, len(self.config.heads)
        given, answer = self._session.get_inputs()[0], self._session.get_outputs()[0]
        if (given.name, *given.shape[1:], answer.name, *answer.shape[1:]) != (
            *("faces", 1, side, side),
            *("logits", heads, len(self.config.labels)),
        ):
            raise ModelError(
                f"takes {given.name} {given.shape[1:]} and answers {answer.name} {answer.shape[1:]}, "
                "config.json says otherwise",
                file,
            )
        # Damaged weights answer NaN, which would pass for "angry" and certain.
        self._file = file
        self.predict_proba(np.full((1, side, side), 128, np.uint8))

    @property
    def input_size(self) -> int:
        """Side in pixels of the crops that `predict_proba` takes."""
        return self.config.input_size

    def predict_logits(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's answers, unaltered.

        Args:
            crops: Gray faces in FER-2013's framing, uint8, N of (S, S) with S = `input_size`.

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
            ModelError: If the network answers with infinite numbers or NaN.
        """
        check_head(head, self.config)
        return answer(self._finite_logits(crops), self.config, head)

    def predict_with_ambiguity(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The answer for photos, and how far people would disagree about each face.

        Args:
            crops: As `predict_logits`.

        Returns:
            Probabilities, float32 (N, 7), as of `predict_proba`; and the ambiguities, float32 (N,), see `ambiguity`.

        Raises:
            ModelError: As `predict_proba`.
        """
        logits = self._finite_logits(crops)
        return answer(logits, self.config, PHOTO), ambiguity(logits, self.config)

    def _finite_logits(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        logits = self.predict_logits(crops)
        if not np.isfinite(logits).all():
            raise ModelError("answers with infinite numbers or NaN: its weights are damaged", self._file)
        return logits


def choose_file(folder: Path, device: str, precision: str) -> Path:
    """Which of a model folder's networks to run.

    Args:
        folder: The model folder.
        device: See `mien.runtime.create_session`.
        precision: ``fp32``; ``int8``, the network in 8-bit numbers; or ``auto`` for ``int8`` where the folder has it
            and the processor computes faster with it.

    Raises:
        OptionError: If there is no such precision, or the folder does not have it.
    """
    if precision not in PRECISIONS:
        raise OptionError(f"must be one of {', '.join(PRECISIONS)}, found {precision!r}", field="precision")
    small = folder / INT8_FILE
    if precision == "int8" and not small.is_file():
        raise OptionError(f"int8: {folder} has no {INT8_FILE}; export it with --int8, or use fp32", field="precision")
    on_cpu = device == "cpu" or not has_gpu()
    if precision == "int8" or (precision == "auto" and on_cpu and small.is_file() and has_int8_instructions()):
        return small
    return folder / "model.onnx"


def answer(logits: NDArray[np.float32], config: ModelConfig, head: str) -> NDArray[np.float32]:
    """Calibrated probabilities from a network's answers.

    Args:
        logits: (N, heads, 7), finite.
        config: What is known of the model.
        head: As for `EmotionClassifier.predict_proba`.

    Returns:
        float32 (N, 7); rows add up to 1.
    """
    logits = logits * np.array(config.scales, np.float32) + np.array(config.biases, np.float32)
    if head in config.heads:
        return softmax(logits[:, config.heads.index(head)])
    answers = blend(logits, np.array(config.priors), config.prior_power, config.head_weights)
    return softmax(np.log(answers) / np.float32(config.photo_temperature))


def ambiguity(logits: NDArray[np.float32], config: ModelConfig) -> NDArray[np.float32] | None:
    """How far people would disagree about faces, from what a network answers to them.

    FER-2013's faces were shown to ten people each (Barsoum et al. 2016, "Training deep networks for facial expression
    recognition with crowd-sourced label distribution"). The FER+ head learned their votes; the share that it leaves to
    emotions other than the likeliest grows with the share of voters who named another one than most did, and `gain` and
    `power` of the config, which calibration finds, make the former the latter.

    Args:
        logits: (N, heads, 7), finite.
        config: What is known of the model.

    Returns:
        Expected share of people who would name another emotion than most of them do, float32 (N,), 0 to 6/7; None if
        the model has not learned FER+ votes.
    """
    if not config.ambiguity:
        return None
    gain, power = config.ambiguity
    rest = dissent(answer(logits, config, FERPLUS_HEAD))
    return np.minimum(gain * rest**power, 1 - 1 / len(config.labels)).astype(np.float32)


def dissent(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """What shares, (N, 7), leave to all but the largest of each row: (N,), 0 to 6/7."""
    # Not 1 minus the largest: of shares that add up to nearly 1 that may be below 0.
    return np.asarray(shares.sum(axis=-1, dtype=np.float64) - shares.max(axis=-1)).clip(min=0)


def blend(
    logits: NDArray[np.float32], priors: NDArray[np.float64], prior_power: float, head_weights: Sequence[float]
) -> NDArray[np.float32]:
    """The mean answer of all heads, after each has left behind some of how frequent an emotion was in training.

    Args:
        logits: Calibrated logits, (N, heads, 7).
        priors: (heads, 7), shares of the emotions in training.
        prior_power: 0 leaves the answers as they are, 1 answers as if all emotions were equally frequent
            (Menon et al. 2021, "Long-tail learning via logit adjustment").
        head_weights: How much each head counts; they add up to 1.

    Returns:
        float32 (N, 7), above 0; rows add up to 1.
    """
    adjusted = logits - prior_power * np.log(priors)
    return np.asarray(np.average(softmax(adjusted.astype(np.float32)), axis=1, weights=head_weights) + 1e-9, np.float32)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
