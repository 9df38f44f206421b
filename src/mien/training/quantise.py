"""From a model folder to one with 8-bit numbers: a quarter of the size."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.classifier import EmotionClassifier
from mien.datasets import FaceSet
from mien.errors import OptionError
from mien.model_folder import load_config
from mien.preprocessing import to_tensor
from mien.training.faces import split_training

CALIBRATION_FACES = 512
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Loss:
    """Accuracy of the first head on PublicTest before and after, in 0..1."""

    before: float
    after: float


def quantise_folder(folder: Path, faces: FaceSet, out: Path) -> Loss:
    """Write an int8 version of a model folder: static quantisation, one scale per channel of the weights.

    Args:
        folder: The model folder with 32-bit numbers.
        faces: The data it was trained on. The range of each activation is taken from Training faces, the loss
            measured on PublicTest.
        out: Model folder to create.

    Returns:
        What it costs in accuracy.

    Raises:
        OptionError: If the folder exists.
        DataError: If a split is missing.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if out.exists():
        raise OptionError(f"{out}: exists already; choose another folder")
    validation = faces.of_usage("PublicTest")
    pixels = faces.pixels[split_training(faces)[0]]
    sample = pixels[:: max(1, len(pixels) // CALIBRATION_FACES)][:CALIBRATION_FACES]
    config = load_config(folder)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        prepared = partial / "prepared.onnx"
        quant_pre_process(str(folder / "model.onnx"), str(prepared))
        quantize_static(
            str(prepared),
            str(partial / "model.onnx"),
            _Reader(sample, config.mean, config.std),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        prepared.unlink()
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        # Figures were measured on the original.
        values |= {"name": out.name, "figures": {}, "training": {**values["training"], "int8": f"from {config.name}"}}
        (partial / "config.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        loss = Loss(_accuracy(folder, validation), _accuracy(partial, validation))
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return loss


class _Reader:
    """Hands batches of faces to ONNX Runtime's calibration."""

    def __init__(self, pixels: NDArray[np.uint8], mean: float, std: float) -> None:
        self._batches: Iterator[NDArray[np.float32]] = (
            to_tensor(pixels[start : start + _BATCH], mean, std) for start in range(0, len(pixels), _BATCH)
        )

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"faces": batch}


def _accuracy(folder: Path, faces: FaceSet) -> float:
    classifier = EmotionClassifier(str(folder), device="cpu")
    right = 0
    for start in range(0, len(faces), 256):
        logits = classifier.predict_logits(faces.pixels[start : start + 256])[:, 0]
        right += int((logits.argmax(axis=1) == faces.labels[start : start + 256]).sum())
    return right / len(faces)
