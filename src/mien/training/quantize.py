"""A model folder's network once more in 8-bit numbers: a quarter of the size, and faster on many processors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.classification.classifier import EmotionClassifier
from mien.classification.model_config import INT8_FILE, load_config
from mien.evaluation.datasets import FaceSet
from mien.files import write_whole
from mien.preprocessing import to_tensor
from mien.training.datamodule import split_training

MAX_LOSS = 0.005
"""What 8 bits may cost in accuracy; a network that loses more is not kept."""

CALIBRATION_FACES = 512
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Loss:
    """Accuracy of the first head on PublicTest before and after, in 0..1, and whether the 8-bit network was kept."""

    before: float
    after: float
    kept: bool


def quantize_folder(folder: Path, faces: FaceSet) -> Loss:
    """Add a network in 8-bit numbers to a model folder: static quantization, one scale per channel of the weights.

    Args:
        folder: The model folder.
        faces: The data it was trained on. The range of each activation is taken from Training faces, the loss
            measured on PublicTest.

    Returns:
        What it costs in accuracy. Where that is more than `MAX_LOSS`, the folder is left without it.

    Raises:
        DataError: If a split is missing.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    validation = faces.of_usage("PublicTest")
    pixels = faces.pixels[split_training(faces)[0]]
    sample = pixels[:: max(1, len(pixels) // CALIBRATION_FACES)][:CALIBRATION_FACES]
    config = load_config(folder)
    before = _accuracy(folder, validation, "fp32")
    with TemporaryDirectory() as place:
        prepared, small = Path(place, "prepared.onnx"), Path(place, INT8_FILE)
        quant_pre_process(str(folder / "model.onnx"), str(prepared))
        quantize_static(
            str(prepared),
            str(small),
            _Reader(sample, config.mean, config.std),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Without VNNI, processors with AVX2 add pairs of products in 16 bits, which weights of 8 bits overflow;
            # there mien-1 lost nothing with 7 bits and 1.4 points with 8.
            reduce_range=True,
        )
        # Measured here: the folder never holds an 8-bit network that has not been measured.
        for file in ("config.json", "model.onnx"):
            shutil.copy(folder / file, place)
        after = _accuracy(Path(place), validation, "int8")
        kept = before - after <= MAX_LOSS
        if kept:
            write_whole(folder / INT8_FILE, small.read_bytes())
        else:
            (folder / INT8_FILE).unlink(missing_ok=True)
    return Loss(before, after, kept)


class _Reader:
    """Hands batches of faces to ONNX Runtime's calibration."""

    def __init__(self, pixels: NDArray[np.uint8], mean: float, std: float) -> None:
        self._batches: Iterator[NDArray[np.float32]] = (
            to_tensor(pixels[start : start + _BATCH], mean, std) for start in range(0, len(pixels), _BATCH)
        )

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"faces": batch}


def _accuracy(folder: Path, faces: FaceSet, precision: str) -> float:
    classifier = EmotionClassifier(str(folder), device="cpu", precision=precision)
    right = 0
    for start in range(0, len(faces), 256):
        logits = classifier.predict_logits(faces.pixels[start : start + 256])[:, 0]
        right += int((logits.argmax(axis=1) == faces.labels[start : start + 256]).sum())
    return right / len(faces)
