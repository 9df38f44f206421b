"""What tests share: pictures that need no download, and the material beside the checkout where it is there."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer, load
from mien.datasets import FaceSet

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """NASA's portrait of Eileen Collins (public domain), which scikit-image ships: uint8 (512, 512, 3) BGR."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@pytest.fixture(scope="session")
def astronaut_path(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a PNG file."""
    path = tmp_path_factory.mktemp("astronaut") / "astronaut.png"
    cv2.imwrite(str(path), astronaut)
    return path


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    """The default pipeline."""
    return load()


@pytest.fixture
def toy_faces() -> FaceSet:
    """Generated "faces" that a network can learn: the place of a bright square tells the class."""
    rng = np.random.default_rng(0)
    count = 420
    labels = np.arange(count) % 7
    pixels = rng.integers(0, 80, (count, 48, 48)).astype(np.uint8)
    for face, label in zip(pixels, labels, strict=True):
        row, column = divmod(int(label), 3)
        face[row * 16 : row * 16 + 14, column * 16 : column * 16 + 14] += 150
    usage = np.where(np.arange(count) % 10 < 8, "Training", "PublicTest")
    votes = np.eye(7, dtype=np.float32)[labels]
    return FaceSet(pixels, labels.astype(np.int64), usage, votes, np.zeros(count, np.bool_))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real photos and clips beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"real material is absent: {SHARED}")
    return SHARED
