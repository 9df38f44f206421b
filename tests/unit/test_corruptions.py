from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.classification.model_config import SHIPPED
from mien.emotions import LABELS
from mien.evaluation import corruptions
from mien.evaluation.corruptions import CORRUPTIONS, Corruption
from mien.evaluation.datasets import FaceSet
from mien.evaluation.evaluate import Predictions
from mien.evaluation.robustness import measure_robustness


def dice(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def face(drawn: FaceSet) -> NDArray[np.uint8]:
    return drawn.pixels[0]


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_every_corruption(corruption: Corruption, face: NDArray[np.uint8]) -> None:
    before = face.copy()
    results = [corruption.apply(face, strength, dice()) for strength in corruption.strengths]
    again = corruption.apply(face, corruption.strengths[1], dice())
    np.testing.assert_array_equal(results[1], again, "the same draw gives the same face")
    np.testing.assert_array_equal(face, before, "the original stays as it is")
    for result in results:
        assert (result.shape, result.dtype) == (face.shape, np.uint8)
    harm = [np.mean([np.abs(corruption.apply(face, strength, dice(k)).astype(float) - face).mean() for k in range(8)])
            for strength in corruption.strengths]  # fmt: skip
    assert 0 < harm[0] < harm[1] < harm[2]


def test_strengths_in_words() -> None:
    words = {corruption.name: corruption.describe(1) for corruption in CORRUPTIONS}
    assert (words["tilt"], words["small"], words["mask"]) == ("±20°", "24 px", "25.0% covered")


def test_mask_covers_its_share_inside_the_face(face: NDArray[np.uint8]) -> None:
    for seed in range(20):
        blank = np.full((48, 48), 100, np.uint8)
        covered = corruptions.mask(blank, 0.25, dice(seed)) != 100
        assert covered.sum() in (0, 24 * 24), "0 if the square has by chance the gray of the face"


def test_dark_by_hand() -> None:
    gray = np.full((48, 48), 200, np.uint8)
    dim = corruptions.dark(gray, 0.25, dice())
    assert dim.mean() == pytest.approx(50, abs=1)
    # 196 photons of 1000 give a deviation of sqrt(196) / 1000 * 255 = 3.6 levels; the sensor adds 2.
    assert dim.std() == pytest.approx(np.hypot(3.6, 2), rel=0.1)


def test_noise_and_contrast_by_hand() -> None:
    gray = np.full((48, 48), 128, np.uint8)
    assert corruptions.noise(gray, 0.04, dice()).std() == pytest.approx(10.2, rel=0.1)
    halves = np.repeat(np.array([[100], [200]], np.uint8), 24, axis=0).repeat(48, axis=1)
    assert np.unique(corruptions.low_contrast(halves, 0.4, dice())).tolist() == [130, 170]


def test_tilt_turns_to_both_sides_about_the_middle() -> None:
    arrow = np.zeros((49, 49), np.uint8)
    arrow[4:8, 23:26] = arrow[23:26, 23:26] = 255
    sides = {
        float(np.sign(np.nonzero(corruptions.tilt(arrow, 30, dice(seed))[:16])[1].mean() - 24)) for seed in range(9)
    }
    assert sides == {-1.0, 1.0}
    assert corruptions.tilt(arrow, 30, dice())[24, 24] == 255


def test_jitter_of_nothing_is_nothing(face: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(corruptions.jitter(face, 0.0, dice()), face)


class Brightness:
    """Calls bright faces happy and dark ones sad."""

    class config:  # noqa: N801
        labels = LABELS

    def predict_proba(self, crops: list[NDArray[np.uint8]], head: str) -> NDArray[np.float32]:
        assert head == "photo"
        return np.eye(7, dtype=np.float32)[[3 if np.mean(crop) > 100 else 4 for crop in crops]]


def test_drops_are_accuracy_lost_and_repeat() -> None:
    bright, dim = np.full((48, 48), 160, np.uint8), np.full((48, 48), 60, np.uint8)
    probabilities = np.eye(7, dtype=np.float32)[[3, 3, 4, 4]]
    probabilities[3] = np.nan
    answers = Predictions(list("abcd"), [bright, bright, dim, None], np.array([3, 3, 4, 4]), probabilities)
    found = measure_robustness(answers, Brightness())  # type: ignore[arg-type]
    assert found.accuracy == 0.75, "a face that was not found is wrong"
    rows = {row.name: row for row in found.corruptions}
    # Less than 100/160 of the light makes the bright faces dark; contrast does not touch the mean.
    assert rows["dark"].accuracies == (0.25, 0.25, 0.25)
    assert rows["dark"].drops == (0.5, 0.5, 0.5)
    assert rows["low contrast"].drops == (0.0, 0.0, 0.0)
    assert found.mean_drop == pytest.approx(np.mean([row.drops[1] for row in found.corruptions]))
    assert found == measure_robustness(answers, Brightness())  # type: ignore[arg-type]


class LeftIsHappy(Brightness):
    """Sure of happy where the left side is brighter, and leaning to sad where the right one is."""

    def predict_proba(self, crops: list[NDArray[np.uint8]], head: str) -> NDArray[np.float32]:
        answers = np.zeros((len(crops), 7), np.float32)
        for answer, crop in zip(answers, crops, strict=True):
            answer[3:5] = (0.9, 0.1) if np.mean(crop[:, :24]) > np.mean(crop[:, 24:]) else (0.4, 0.6)
        return answers


def test_corrupted_faces_are_read_as_the_others_were() -> None:
    right = np.repeat(np.array([[40] * 24 + [200] * 24], np.uint8), 48, axis=0)
    probabilities = np.eye(7, dtype=np.float32)[[3]]
    answers = Predictions(["a"], [right], np.array([3]), probabilities, mirrored=True)
    for mirrored, drop in ((True, 0.0), (False, 1.0)):
        found = measure_robustness(replace(answers, mirrored=mirrored), LeftIsHappy())  # type: ignore[arg-type]
        rows = {row.name: row for row in found.corruptions}
        assert rows["low contrast"].drops == (drop, drop, drop)


def test_the_card_was_measured_with_these_strengths() -> None:
    card = (SHIPPED / "mien-2" / "README.md").read_text(encoding="utf-8")
    rows = {
        cells[0]: tuple(cells[1::2]) for line in card.splitlines() if len(cells := line.strip("| ").split(" | ")) == 7
    }
    for corruption in CORRUPTIONS:
        assert rows[corruption.name] == tuple(corruption.describe(level) for level in range(3))
