"""Which part of a face decided: cover it bit by bit and see what becomes of the answer.

Occlusion (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks") rather than a gradient,
because it needs nothing but answers, and because what it shows has a unit: points of probability. Windows with soft
edges and the face's own mean gray leave no edges that would be read as features. The windows lie on a grid, so that
the same picture always gives the same map; random masks (RISE, Petsiuk et al. 2018) need more answers for a
noisier one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer, cached_analyzer
from mien.arguments import expect
from mien.classification.base import Classifier
from mien.detection import Frame
from mien.emotions import Emotion
from mien.errors import DataError, ImageError, OptionError
from mien.images import ImageSource, encode_image, read_image, source_name, write_image
from mien.options import AnalyzerOptions
from mien.preprocessing import crop, crop_to_frame
from mien.results import Face

# Full width at half height of the windows, and their distance, in shares of the crop's side.
_WINDOW = 0.21
_STEP = 1 / 12
_BATCH = 64
_LEAST_EFFECT = 0.002


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation:
    """Which part of a face speaks for an emotion.

    Attributes:
        frame: The picture, uint8 (H, W, 3) BGR.
        face: The face and what was read on it.
        number: The face's number from left to right, from 1.
        emotion: The emotion that is explained.
        probability: Its probability on the face as it is, 0..1.
        crop: What the network saw, uint8 (S, S), gray.
        effect: float32 (S, S): by how much the probability falls, on average, when the surroundings of a pixel are
            covered, -1..1; below 0 where covering makes the emotion likelier.
        to_frame: Affine matrix, float64 (2, 3), from a pixel (x, y, 1) of the crop to one of the frame.
    """

    frame: Frame
    face: Face
    number: int
    emotion: Emotion
    probability: float
    crop: NDArray[np.uint8]
    effect: NDArray[np.float32]
    to_frame: NDArray[np.float64]

    @property
    def is_empty(self) -> bool:
        """Whether no part of the face matters: none, when covered, changes the probability by 0.2 points on average."""
        return float(np.abs(self.effect).max()) < _LEAST_EFFECT

    def __repr__(self) -> str:
        return f"Explanation(face {self.number}, {self.emotion} {self.probability:.0%})"

    def draw(self) -> Frame:
        """The explanation as a picture, uint8 (H, W, 3) BGR; see `mien.classification.heatmap.draw_explanation`."""
        from mien.classification.heatmap import draw_explanation

        return draw_explanation(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the explanation as a picture, in the format that the suffix names.

        Raises:
            OptionError: If the suffix is unknown.
            OutputError: If the file cannot be written.
        """
        expect(str | os.PathLike, path=path)
        write_image(self.draw(), Path(path))

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return encode_image(self.draw(), ".png")


def explain(
    source: ImageSource,
    face: int | None = None,
    emotion: Emotion | str | None = None,
    analyzer: Analyzer | None = None,
) -> Explanation:
    """Find out which part of a face speaks for an emotion.

    Args:
        source: As for `Analyzer.analyze`.
        face: Number of the face from left to right, from 1; None takes the largest.
        emotion: The emotion to explain, in any usual spelling; None takes the face's own.
        analyzer: What to read with; None takes the default one.

    Raises:
        ImageError: If the picture cannot be read or shows no face.
        OptionError: If there is no face of that number, or no such emotion.
    """
    expect(Integral | None, face=face)
    expect(str | None, emotion=emotion)
    expect(Analyzer | None, analyzer=analyzer)
    analyzer = analyzer or cached_analyzer(AnalyzerOptions())
    try:
        wanted = None if emotion is None else Emotion.parse(emotion)
    except DataError as error:
        raise OptionError(error.reason) from None
    frame = read_image(source, analyzer.options.max_pixels)
    detected = analyzer.detect_faces(frame)
    faces = analyzer.analyze_faces(frame, detected)
    if not faces:
        raise ImageError("no face found, so there is nothing to explain", source_name(source))
    if face is not None and not 1 <= face <= len(faces):
        one = "one face; leave the number out" if len(faces) == 1 else f"faces 1 to {len(faces)} from left to right"
        raise OptionError(f"no face {face}: the picture has {one}")
    number = face or 1 + max(range(len(faces)), key=lambda k: faces[k].area)
    chosen = faces[number - 1]
    wanted = wanted or chosen.emotion
    side = analyzer.classifier.input_size
    pixels = crop(frame, detected[number - 1], side)
    return Explanation(
        frame=frame,
        face=chosen,
        number=number,
        emotion=wanted,
        probability=chosen.probabilities[wanted],
        crop=pixels,
        effect=occlusion_effect(pixels, wanted, analyzer.classifier),
        to_frame=crop_to_frame(detected[number - 1], side),
    )


def occlusion_effect(pixels: NDArray[np.uint8], emotion: Emotion, classifier: Classifier) -> NDArray[np.float32]:
    """By how much an emotion's probability falls when the surroundings of each pixel are covered.

    Args:
        pixels: A face crop, uint8 (S, S).
        emotion: The emotion.
        classifier: What reads it, about 170 times.

    Returns:
        float32 (S, S), -1..1: of the windows that cover a pixel the mean, weighted by how much they cover it.
    """
    windows = _windows(len(pixels))
    covered = np.rint(pixels + windows * (pixels.mean() - pixels)).astype(np.uint8)
    covered = np.concatenate([pixels[None], covered])
    answers = np.concatenate(
        [classifier.predict_proba(covered[start : start + _BATCH]) for start in range(0, len(covered), _BATCH)]
    )[:, emotion.number]
    falls = answers[0] - answers[1:]
    return np.asarray(np.tensordot(falls, windows, 1) / windows.sum(axis=0), np.float32)


@lru_cache(maxsize=2)
def _windows(side: int) -> NDArray[np.float32]:
    """Gaussian windows on a grid, float32 (N, side, side) in 0..1."""
    deviation = _WINDOW * side / 2.355
    places = np.arange(0, 1 + _STEP / 2, _STEP) * side
    bells = np.exp(-((np.arange(side) + 0.5 - places[:, None]) ** 2) / (2 * deviation**2))
    return np.asarray(np.einsum("iy,jx->ijyx", bells, bells).reshape(-1, side, side), np.float32)
