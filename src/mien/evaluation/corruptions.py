"""Ways in which a face becomes harder to read, each at three strengths.

Every corruption works on one gray face, uint8 (S, S), as the network gets it, and draws what is random from a
generator that it is given. Kinds and noise models after Hendrycks and Dietterich 2019, "Benchmarking neural network
robustness to common corruptions and perturbations"; the strengths are chosen for faces of 48x48 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = "NDArray[np.uint8]"

# Photons that a white pixel collects at full exposure, and the sensor's own noise in gray levels: a phone indoors.
_PHOTONS = 1000.0
_READ_NOISE = 2.0


def jitter(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Frame the face badly, as a detector may: shifted and scaled by up to ``strength`` of the side, either way."""
    side = face.shape[0]
    scale = 1 + rng.uniform(-strength, strength)
    dx, dy = rng.uniform(-strength, strength, 2) * side
    matrix = np.asarray(cv2.getRotationMatrix2D(_middle(side), 0, scale), np.float64)
    matrix[:, 2] += dx, dy
    return _warp(face, matrix)


def tilt(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Turn the face about its middle by ``strength`` degrees, to either side."""
    sign = 1 if rng.random() < 0.5 else -1
    matrix = cv2.getRotationMatrix2D(_middle(face.shape[0]), sign * strength, 1.0)
    return _warp(face, np.asarray(matrix, np.float64))


def shrink(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Shrink the face to ``strength`` pixels and enlarge it again: a face far away."""
    small = cv2.resize(face, (int(strength), int(strength)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def blur(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Blur by a Gaussian whose standard deviation is ``strength`` of the side."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), strength * face.shape[0]), np.uint8)


def noise(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Add Gaussian noise with a standard deviation of ``strength`` of white."""
    return _to_gray(face + rng.normal(0, 255 * strength, face.shape))


def jpeg(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Compress as JPEG with a quality of ``strength``, 1 to 100."""
    _, encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(strength)])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def dark(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Expose for ``strength`` of the light, with the noise of the photons that are left and of the sensor."""
    photons = rng.poisson(face / 255 * strength * _PHOTONS)
    return _to_gray(photons / _PHOTONS * 255 + rng.normal(0, _READ_NOISE, face.shape))


def mask(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Cover ``strength`` of the face's area with a flat square at a random place.

    After DeVries and Taylor 2017, "Improved regularization of convolutional neural networks with cutout".
    """
    side = face.shape[0]
    width = round(side * strength**0.5)
    # Drawn as shares, so that the same draw gives the same place at every strength.
    left, top = (int(share * (side - width + 1)) for share in rng.random(2))
    covered: Gray = face.copy()
    covered[top : top + width, left : left + width] = rng.integers(0, 256)
    return covered


def low_contrast(face: Gray, strength: float, rng: np.random.Generator) -> Gray:
    """Leave ``strength`` of each pixel's distance from the face's mean gray."""
    mean = face.mean()
    return _to_gray(mean + strength * (face - mean))


@dataclass(frozen=True, slots=True)
class Corruption:
    """A way in which faces become harder to read.

    Attributes:
        name: Its name in tables.
        apply: Makes a corrupted copy, given the face, a strength and a random generator.
        strengths: Weak, middle and strong, in the unit of `unit`.
        unit: How a strength reads, a format string for it.
    """

    name: str
    apply: Callable[[Gray, float, np.random.Generator], Gray]
    strengths: tuple[float, float, float]
    unit: str

    def describe(self, level: int) -> str:
        """The strength of a level (0 weak, 1 middle, 2 strong) in words."""
        return self.unit.format(self.strengths[level])


CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("jitter", jitter, (0.05, 0.10, 0.15), "shift and scale ±{:.0%}"),
    Corruption("tilt", tilt, (10, 20, 30), "±{:.0f}°"),
    Corruption("small", shrink, (36, 24, 16), "{:.0f} px"),
    Corruption("blur", blur, (0.02, 0.03, 0.04), "deviation {:.0%} of the side"),
    Corruption("noise", noise, (0.04, 0.08, 0.12), "deviation {:.0%} of white"),
    Corruption("jpeg", jpeg, (40, 20, 10), "quality {:.0f}"),
    Corruption("dark", dark, (0.4, 0.2, 0.1), "{:.0%} of the light"),
    Corruption("mask", mask, (0.125, 0.25, 0.375), "{:.1%} covered"),
    Corruption("low contrast", low_contrast, (0.6, 0.4, 0.2), "{:.0%} of the contrast"),
)


def _middle(side: int) -> tuple[float, float]:
    return (side - 1) / 2, (side - 1) / 2


def _warp(face: Gray, matrix: NDArray[np.float64]) -> Gray:
    """Move pixels by an affine matrix; beyond the face its edge is repeated, as `mien.preprocessing.crop` does."""
    return np.asarray(cv2.warpAffine(face, matrix, face.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _to_gray(values: NDArray[np.floating]) -> Gray:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
