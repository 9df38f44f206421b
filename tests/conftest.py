"""What tests share: pictures that need no download, and the material beside the checkout where it is there."""

from __future__ import annotations

import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer, load
from mien.evaluation.datasets import FaceSet

# A shell without job control ignores Ctrl-C for what it starts with `&`, and programs inherit it: those that the tests
# start and interrupt, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

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


def draw_face(label: int, seed: int) -> NDArray[np.uint8]:
    """A drawn 48x48 face with a mouth and eyebrows that depend on the label, different for every seed."""
    import cv2

    dice = np.random.default_rng((label, seed))
    shade, ink = int(dice.integers(150, 230)), int(dice.integers(10, 60))
    face = np.full((48, 48), int(dice.integers(40, 110)), np.uint8)
    x, y = (24 + int(v) for v in dice.integers(-2, 3, 2))
    cv2.ellipse(face, (x, y), (17, 21), 0, 0, 360, shade, -1)
    slant = (6, 3, -6, -2, -4, 0, 0)[label]
    for side in (-1, 1):
        cv2.circle(face, (x + 7 * side, y - 5), 4 if label in (2, 5) else 2, ink, -1)
        cv2.line(face, (x + 3 * side, y - 11 + slant // 2), (x + 11 * side, y - 11 - slant // 2), ink, 2)
    if label == 5:
        cv2.circle(face, (x, y + 11), 5, ink, -1)
    elif label in (1, 6):
        cv2.line(face, (x - 7, y + 11), (x + 7, y + 11 + (4 if label == 1 else 0)), ink, 2)
    else:
        happy = label == 3
        cv2.ellipse(face, (x, y + (8 if happy else 14)), (8, 5), 0, 0 if happy else 180, 180 if happy else 360, ink, 2)
    noise = dice.normal(0, 6, face.shape)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


def draw_faces(counts: dict[str, tuple[int, ...]]) -> FaceSet:
    """Drawn faces of all seven emotions, so many per usage and emotion, shuffled."""
    from mien.evaluation.datasets import FaceSet

    rows = [
        (draw_face(label, 1000 * number + k), label, usage)
        for number, (usage, by_label) in enumerate(counts.items())
        for label, count in enumerate(by_label)
        for k in range(count)
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    pixels, labels, usages = zip(*(rows[k] for k in order), strict=True)
    return FaceSet(np.stack(pixels), np.array(labels, np.int64), np.array(usages))


@pytest.fixture(scope="session")
def drawn() -> FaceSet:
    """A small unbalanced data set: 70 faces to learn from, 28 to choose by."""
    return draw_faces({"Training": (10, 4, 10, 16, 10, 10, 10), "PublicTest": (4,) * 7})


@pytest.fixture(scope="session")
def drawn_csv(drawn: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as fer2013.csv."""
    path = tmp_path_factory.mktemp("drawn") / "fer2013.csv"
    lines = ["emotion,pixels,Usage"]
    for face, label, usage in zip(drawn.pixels, drawn.labels, drawn.usage, strict=True):
        lines.append(f"{label},{' '.join(map(str, face.ravel()))},{usage}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
