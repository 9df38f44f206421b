"""What tests share: pictures that need no download, and the material beside the checkout where it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """NASA's portrait of Eileen Collins (public domain), which scikit-image ships: uint8 (512, 512, 3) BGR."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@pytest.fixture(scope="session")
def astronaut_path(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a PNG file."""
    import cv2

    path = tmp_path_factory.mktemp("astronaut") / "astronaut.png"
    cv2.imwrite(str(path), astronaut)
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real photos and clips beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"real material is absent: {SHARED}")
    return SHARED
