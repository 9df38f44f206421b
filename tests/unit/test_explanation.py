from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import mien
from mien.analyzer import Analyzer
from mien.classification.classifier import EmotionClassifier
from mien.classification.explanation import explain, occlusion_effect
from mien.classification.heatmap import draw_explanation
from mien.classification.model_config import SHIPPED
from mien.cli.main import app
from mien.emotions import Emotion
from mien.errors import ImageError, OptionError
from mien.evaluation.datasets import list_images
from mien.evaluation.evaluate import largest_face
from mien.images import read_image


class Spot:
    """Is the happier the darker a known spot of the face is, whatever the rest."""

    def __init__(self, rows: slice, columns: slice) -> None:
        self.spot = rows, columns

    def predict_proba(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        happy = np.array([1 - crop[self.spot].mean() / 255 for crop in crops], np.float32)
        answer = np.zeros((len(crops), 7), np.float32)
        answer[:, Emotion.HAPPY.number], answer[:, Emotion.SAD.number] = happy, 1 - happy
        return answer


@pytest.mark.parametrize(("row", "column"), [(36, 24), (12, 12), (12, 36)])
def test_the_decisive_spot_is_found(row: int, column: int) -> None:
    face = np.full((48, 48), 200, np.uint8)
    spot = slice(row - 6, row + 6), slice(column - 6, column + 6)
    face[spot] = 20
    happy = occlusion_effect(face, Emotion.HAPPY, Spot(*spot))  # type: ignore[arg-type]
    peak = np.unravel_index(happy.argmax(), happy.shape)
    assert np.hypot(peak[0] - row, peak[1] - column) <= 5
    assert happy[spot].min() > 3 * np.abs(happy[(row + 24) % 48 - 4 : (row + 24) % 48 + 4]).max()
    # What speaks for one of two emotions speaks against the other.
    np.testing.assert_allclose(occlusion_effect(face, Emotion.SAD, Spot(*spot)), -happy, atol=1e-6)  # type: ignore[arg-type]


def faces_of(astronaut: NDArray[np.uint8], analyzer: Analyzer) -> list[NDArray[np.uint8]]:
    """One face six times: as it is and mirrored, each in three lights."""
    crop = largest_face(astronaut, analyzer)
    assert crop is not None
    return [
        np.clip(view * gain, 0, 255).astype(np.uint8) for view in (crop, crop[:, ::-1]) for gain in (0.7, 1.0, 1.25)
    ]


def deletion(faces: list[NDArray[np.uint8]], classifier: EmotionClassifier) -> tuple[float, float]:
    """How far confidence falls when the fifth of a face is covered that the map names, and a random fifth."""
    dice = np.random.default_rng(0)
    named, random = [], []

    def fall(face: NDArray[np.uint8], where: NDArray[np.bool_], number: int) -> float:
        covered = np.where(where, np.uint8(face.mean()), face)
        before, after = classifier.predict_proba(np.stack([face, covered]))[:, number]
        return float(before - after)

    for face in faces:
        emotion = list(Emotion)[int(classifier.predict_proba(face[None])[0].argmax())]
        effect = occlusion_effect(face, emotion, classifier)
        top = effect >= np.quantile(effect, 0.8)
        named.append(fall(face, top, emotion.number))
        # The same shape elsewhere: a random fifth that is as much in one piece.
        random += [fall(face, np.roll(top, dice.integers(8, 40, 2), (0, 1)), emotion.number) for _ in range(6)]
    return float(np.mean(named)), float(np.mean(random))


def test_covering_what_the_map_names_hurts_more(astronaut: NDArray[np.uint8], analyzer: Analyzer) -> None:
    named, random = deletion(faces_of(astronaut, analyzer), analyzer.classifier)
    assert named > 2 * random
    assert named > 0.02


def test_the_same_on_real_photos(shared: Path, analyzer: Analyzer) -> None:
    pictures = list_images(shared / "data/wild")[::40]
    crops = [crop for image in pictures if (crop := largest_face(read_image(image.path), analyzer)) is not None]
    sure = [crop for crop in crops if analyzer.classifier.predict_proba(crop[None]).max() > 0.5]
    named, random = deletion(sure, analyzer.classifier)
    assert len(sure) >= 4
    assert named > 2 * random


def test_another_network_gives_another_map(astronaut: NDArray[np.uint8], analyzer: Analyzer, tmp_path: Path) -> None:
    """A map that came from the face alone would survive when the weights are shuffled (Adebayo et al. 2018)."""
    onnx = pytest.importorskip("onnx", reason="needs the extra train")
    shutil.copytree(SHIPPED / "mien-1", tmp_path / "shuffled", ignore=shutil.ignore_patterns("*int8*"))
    network = onnx.load(tmp_path / "shuffled/model.onnx")
    dice = np.random.default_rng(0)
    for weights in network.graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.ndim == 4:
            shuffled = dice.permutation(values.ravel()).reshape(values.shape)
            weights.CopyFrom(onnx.numpy_helper.from_array(shuffled, weights.name))
    onnx.save(network, tmp_path / "shuffled/model.onnx")
    crop = largest_face(astronaut, analyzer)
    assert crop is not None
    maps = [
        occlusion_effect(crop, Emotion.HAPPY, classifier)
        for classifier in (analyzer.classifier, EmotionClassifier(str(tmp_path / "shuffled")))
    ]
    assert abs(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1]) < 0.6


def test_explaining_a_photo(astronaut: NDArray[np.uint8], analyzer: Analyzer) -> None:
    explanation = explain(astronaut, analyzer=analyzer)
    expected = analyzer.analyze(astronaut).faces[0]
    assert (explanation.face, explanation.number, explanation.emotion) == (expected, 1, expected.emotion)
    assert explanation.probability == expected.confidence
    assert explanation.effect.shape == explanation.crop.shape == (48, 48)
    left, top, width, height = expected.box
    middle = explanation.to_frame @ (23.5, 23.5, 1)
    np.testing.assert_allclose(middle, (left + width / 2, top + height / 2), atol=0.05 * height)
    # The crop's pixels come from where the matrix says.
    seen = cv2.warpAffine(cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY), explanation.to_frame, (48, 48),
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip
    assert np.corrcoef(seen.ravel(), explanation.crop.ravel())[0, 1] > 0.98
    fear = explain(astronaut, emotion="fearful", analyzer=analyzer)
    assert (fear.emotion, fear.probability) == (Emotion.FEAR, expected.probabilities[Emotion.FEAR])


def test_faces_by_number(astronaut: NDArray[np.uint8], analyzer: Analyzer) -> None:
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    two = np.full((512, 768, 3), 128, np.uint8)
    two[:256, :256], two[:, 256:] = small, astronaut
    assert explain(two, analyzer=analyzer).number == 2, "the larger one"
    assert explain(two, 1, analyzer=analyzer).face.box[0] < 256
    with pytest.raises(OptionError, match="no face 3: the picture has faces 1 to 2 from left to right"):
        explain(two, 3, analyzer=analyzer)
    with pytest.raises(OptionError, match="no face 0"):
        explain(two, 0, analyzer=analyzer)


def test_refusals(astronaut: NDArray[np.uint8], analyzer: Analyzer) -> None:
    with pytest.raises(OptionError, match="^unknown emotion 'hapy'; did you mean 'happy'"):
        mien.explain(astronaut, emotion="hapy", analyzer=analyzer)
    with pytest.raises(ImageError, match="no face found"):
        mien.explain(np.zeros((80, 80, 3), np.uint8), analyzer=analyzer)


@pytest.mark.parametrize("shape", [(512, 512), (2000, 90), (90, 2000), (40, 40)])
def test_the_picture_holds_any_photo(astronaut: NDArray[np.uint8], analyzer: Analyzer, shape: tuple[int, int]) -> None:
    explanation = explain(astronaut, analyzer=analyzer)
    photo = cv2.resize(astronaut, shape[::-1])
    other = mien.Explanation(
        photo, explanation.face, 1, Emotion.FEAR, 0.01, explanation.crop, explanation.effect, explanation.to_frame
    )
    picture = draw_explanation(other)
    assert picture.dtype == np.uint8
    assert 500 < picture.shape[0] < 900
    assert 700 < picture.shape[1] < 1300


def test_warm_where_covering_hurts_and_the_rest_of_the_photo_stays(
    astronaut: NDArray[np.uint8], analyzer: Analyzer
) -> None:
    explanation = explain(astronaut, analyzer=analyzer)
    effect = np.zeros((48, 48), np.float32)
    effect[24:] = 0.2
    flat = np.full_like(astronaut, 128)
    picture = draw_explanation(
        mien.Explanation(
            flat, explanation.face, 1, explanation.emotion, 0.9, explanation.crop, effect, explanation.to_frame
        )
    ).astype(int)
    zoom, (x, y) = 620 / 512, (24, 88)
    left, top, width, height = explanation.face.box

    def at(column: float, row: float) -> NDArray[np.int_]:
        return np.asarray(picture[int(y + row * zoom), int(x + column * zoom)])

    chin, brow, far = at(left + width / 2, top + 0.8 * height), at(left + width / 2, top + 0.25 * height), at(400, 450)
    assert chin[2] > chin[0] + 60, "red"
    np.testing.assert_allclose([brow, far], 128, atol=3)


def test_an_empty_map_says_so(
    astronaut: NDArray[np.uint8], analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full = explain(astronaut, analyzer=analyzer)
    empty = mien.Explanation(full.frame, full.face, 1, Emotion.FEAR, 0.01, full.crop, full.effect * 0.1, full.to_frame)
    assert not full.is_empty
    assert empty.is_empty
    for explanation, words in ((full, ""), (empty, "the map is empty")):
        monkeypatch.setattr("mien.classification.explanation.explain", lambda *_, found=explanation: found)
        run = CliRunner().invoke(app, ["explain", "photo.jpg", "--force", "--out", str(tmp_path / "map.png")])
        assert run.exit_code == 0
        assert words in run.stderr
        assert bool(words) == ("warning" in run.stderr)
