"""From a model folder to ``.tflite`` files, compared with the network that they come from."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.classification.base import PHOTO
from mien.classification.classifier import EmotionClassifier
from mien.classification.litert import SUFFIX, LiteRtClassifier, file_names
from mien.classification.model_config import find_model, load_config
from mien.errors import ModelError, OptionError
from mien.files import write_whole
from mien.litert.network import convert
from mien.litert.sample import sample_faces

MAX_DIFFERENCE = 1e-5
"""How far probabilities of the file in 32 bits may be from those of the network that it comes from."""

MIN_AGREEMENT = 0.99
"""On which share of faces the file in 8 bits must name the same emotion; one that does not is not kept."""

TIE = 0.05
"""An emotion that the network finds less likely than its first by no more than this is as right an answer as the first.

Where two emotions are all but equal, the rounding of 8 bits decides between them, whatever the network."""

SAMPLE = 512
"""How many faces are compared."""


@dataclass(frozen=True, slots=True)
class LiteRtReport:
    """What was written, and how it compares.

    Attributes:
        files: What was written: the networks in 32 and in 8 bits, and their description.
        faces: On how many faces they were compared.
        difference: The largest difference of any probability between 32 bits and the network they come from.
        agreement: On which share of faces 8 bits name the same emotion, or one that is tied with it (`TIE`).
        difference8: The largest difference of any probability in 8 bits.
        kept8: Whether the file in 8 bits was kept.
    """

    files: tuple[Path, ...]
    faces: int
    difference: float
    agreement: float
    difference8: float
    kept8: bool


def export_litert(model: str, out: Path, faces: NDArray[np.uint8] | None = None, replace: bool = False) -> LiteRtReport:
    """Write ``NAME.tflite`` in 32 bits, ``NAME-int8.tflite`` and ``NAME.json``, which says what the networks take.

    Args:
        model: Name of a shipped model, or a model folder.
        out: Folder to write to.
        faces: Faces to compare on, uint8 (N, S, S), of which some hundred are taken; None takes `sample_faces`.
        replace: Whether files that are there may be replaced.

    Raises:
        ModelError: If the model is damaged, has an operation that cannot be written, or answers otherwise as written.
        OptionError: If there is no such model, or the files exist.
        MissingExtraError: If LiteRT is not installed.
        OutputError: If the files cannot be written.
    """
    folder = find_model(model)
    config = load_config(folder)
    plain, reduced, description = (out / file for file in file_names(config.name))
    for file in (plain, reduced, description):
        if file.exists() and not replace:
            raise OptionError("exists already; choose another folder, or add --force to replace it", file)
    original = EmotionClassifier(str(folder), "cpu", precision="fp32")
    if faces is None:
        faces = sample_faces(SAMPLE, config.input_size)
    faces = faces[:: max(1, len(faces) // SAMPLE)][:SAMPLE]
    content, notes = convert(folder, int8=False)
    difference, _ = _compare(original, content, faces)
    # The comparison is false for NaN, too.
    if not difference <= MAX_DIFFERENCE:
        raise ModelError(f"the .tflite file's probabilities differ from model.onnx's by {difference:.1e}", folder)
    small, _ = convert(folder, int8=True)
    difference8, agreement = _compare(original, small, faces)
    kept = agreement >= MIN_AGREEMENT
    write_whole(plain, content)
    if kept:
        write_whole(reduced, small)
    else:
        reduced.unlink(missing_ok=True)
    del notes["precision"]
    write_whole(description, json.dumps(notes, indent=2, allow_nan=False) + "\n")
    files = (plain, reduced, description) if kept else (plain, description)
    return LiteRtReport(files, len(faces), difference, agreement, difference8, kept)


def _compare(original: EmotionClassifier, content: bytes, faces: NDArray[np.uint8]) -> tuple[float, float]:
    """The largest difference of any probability, and on which share of faces both name the same emotion, ties aside."""
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        path = Path(folder, f"network{SUFFIX}")
        path.write_bytes(content)
        written = LiteRtClassifier(path)
    largest, same = 0.0, 0
    for start in range(0, len(faces), 64):
        batch = faces[start : start + 64]
        for head in (*original.config.heads, PHOTO):
            expected, found = original.predict_proba(batch, head), written.predict_proba(batch, head)
            largest = float(np.maximum(largest, np.abs(expected - found).max()))
        # The loop ends with the answer for photos, which is the one that counts.
        named = np.take_along_axis(expected, found.argmax(axis=1)[:, None], axis=1)[:, 0]
        same += int((expected.max(axis=1) - named <= TIE).sum())
    return largest, same / len(faces)
