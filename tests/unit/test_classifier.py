from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.analyzer import load
from mien.classification.base import predict_mirrored, read_faces
from mien.classification.classifier import EmotionClassifier, ambiguity, blend, softmax
from mien.classification.model_config import SHIPPED, find_model, load_config, save_config, shipped_models
from mien.errors import ModelError, OptionError
from mien.evaluation.datasets import FaceSet


@pytest.fixture(scope="module")
def classifier() -> EmotionClassifier:
    return EmotionClassifier()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped model folder, to be damaged."""
    return Path(shutil.copytree(SHIPPED / "mien-2", tmp_path / "mine"))


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 48, 48), np.uint8)


@pytest.mark.parametrize("head", ["photo", "fer2013", "ferplus"])
def test_probabilities_add_up(classifier: EmotionClassifier, head: str) -> None:
    answers = classifier.predict_proba(crops(5), head)
    assert answers.shape == (5, 7)
    assert answers.dtype == np.float32
    assert (answers >= 0).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2, 33])
def test_a_batch_answers_as_its_faces_do_one_by_one(classifier: EmotionClassifier, count: int) -> None:
    batch = crops(count)
    together = classifier.predict_proba(batch)
    assert together.shape == (count, 7)
    alone = [classifier.predict_proba(batch[k : k + 1])[0] for k in range(count)]
    np.testing.assert_allclose(together, np.array(alone).reshape(count, 7), atol=1e-5)


@pytest.mark.parametrize("mirror", [False, True])
def test_ambiguity_by_hand(classifier: EmotionClassifier, mirror: bool) -> None:
    batch = crops(6)
    gain, power = classifier.config.ambiguity
    sides = [batch, batch[:, :, ::-1]] if mirror else [batch]
    rest = [1 - classifier.predict_proba(side, "ferplus").max(axis=1) for side in sides]
    expected = np.mean([gain * side**power for side in rest], axis=0)
    answers = read_faces(classifier, batch, mirror)
    np.testing.assert_allclose([answer.ambiguity for answer in answers], expected, atol=1e-5)
    probabilities = predict_mirrored(classifier, batch) if mirror else classifier.predict_proba(batch)
    np.testing.assert_allclose([answer.probabilities for answer in answers], probabilities, atol=1e-6)
    assert len({round(float(value), 4) for value in expected}) > 1
    assert read_faces(classifier, [], mirror) == []


def test_ambiguity_is_a_share(classifier: EmotionClassifier) -> None:
    logits = np.zeros((2, 2, 7), np.float32)
    logits[0, :, 3] = 40
    config = replace(classifier.config, ambiguity=(2.0, 0.5))
    np.testing.assert_allclose(ambiguity(logits, config), [0, 6 / 7], atol=1e-6)


@pytest.mark.parametrize("forgotten", ["ambiguity", "votes"])
def test_a_model_without_votes_says_nothing_of_ambiguity(folder: Path, forgotten: str) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text())
    if forgotten == "ambiguity":
        del values["ambiguity"]  # As models were exported before.
    else:
        values |= {"ambiguity": [], "heads": ["fer2013", "other"]}
    path.write_text(json.dumps(values))
    model = EmotionClassifier(str(folder))
    assert [answer.ambiguity for answer in read_faces(model, crops(2), mirror=True)] == [None, None]
    face = load(model=str(folder)).analyze_crops([crops(1)[0]])[0][0]
    assert face.ambiguity is None
    assert "ambiguity" not in face.to_dict()


def test_unknown_head(classifier: EmotionClassifier) -> None:
    with pytest.raises(OptionError, match="head must be one of photo, fer2013, ferplus, found 'best'"):
        classifier.predict_proba(crops(1), "best")


def test_blend_by_hand() -> None:
    logits = np.zeros((1, 2, 7), np.float32)
    logits[0, 0, 2] = 2.0
    priors = np.full((2, 7), 1 / 7)
    answer = blend(logits, priors, 1.0, (0.5, 0.5))[0]
    first = np.exp(2.0) / (np.exp(2.0) + 6)
    assert answer[2] == pytest.approx((first + 1 / 7) / 2, abs=1e-5)
    answer = blend(logits, priors, 1.0, (0.3, 0.7))[0]
    assert answer[2] == pytest.approx(0.3 * first + 0.7 / 7, abs=1e-5)
    # With all logits equal, leaving the priors behind in full favors what was rare in training.
    priors = np.array([[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]])
    rare = blend(np.zeros((1, 1, 7), np.float32), priors, 1.0, (1.0,))[0]
    assert rare[1] / rare[0] == pytest.approx(4.0, rel=1e-3)
    even = blend(np.zeros((1, 1, 7), np.float32), priors, 0.0, (1.0,))[0]
    np.testing.assert_allclose(even, 1 / 7, atol=1e-6)


def test_softmax_survives_large_logits() -> None:
    answer = softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]], np.float32))
    np.testing.assert_allclose(answer, [[1, 0], [0.5, 0.5]])


def test_shipped_model_is_complete_and_within_its_size() -> None:
    assert "mien-1" in shipped_models()
    folder = find_model("mien-1")
    assert (folder / "model.onnx").stat().st_size <= 12_000_000
    config = load_config(folder)
    assert {"publictest_accuracy", "publictest_ece", "wild_balanced_accuracy"} <= config.figures.keys()
    assert "not" in (folder / "README.md").read_text()


def test_own_folder_works_by_path(folder: Path, classifier: EmotionClassifier) -> None:
    np.testing.assert_array_equal(
        EmotionClassifier(str(folder)).predict_logits(crops(2)), classifier.predict_logits(crops(2))
    )


def test_missing_model() -> None:
    with pytest.raises(OptionError, match="mien-9: no such model; expected a folder .* mien-1"):
        EmotionClassifier("mien-9")


@pytest.mark.parametrize("part", ["model.onnx", "config.json"])
def test_incomplete_folder(folder: Path, part: str) -> None:
    (folder / part).unlink()
    with pytest.raises(ModelError, match=f"is not a model folder, {part} is missing"):
        EmotionClassifier(str(folder))


def test_damaged_network(folder: Path) -> None:
    whole = (folder / "model.onnx").read_bytes()
    for content in (b"junk", b"", whole[: len(whole) // 2]):
        (folder / "model.onnx").write_bytes(content)
        with pytest.raises(
            ModelError, match=r"model\.onnx: cannot be loaded as an ONNX network: it is damaged"
        ) as caught:
            EmotionClassifier(str(folder), precision="fp32")
        assert "\n" not in str(caught.value)
        assert "protobuf" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"mean": None}, "not a valid model description: mean: expected a number, found None", id="type"),
        pytest.param({"figures": 3}, "not a valid model description: figures: expected dict, found 3", id="figures"),
        pytest.param({"scales": [[1.0] * 7, "twice"]}, "not a valid model description: scales: expected a", id="row"),
        pytest.param({"labels": ["a"]}, "labels must be angry", id="labels"),
        pytest.param({"scales": [[1.0] * 7]}, "scales must have one row of 7 numbers per head", id="heads"),
        pytest.param({"biases": [[0.0] * 6] * 2}, "biases must have one row of 7 numbers per head", id="lengths"),
        pytest.param({"std": ...}, "key 'std' is missing", id="missing"),
        pytest.param({"priors": [[0.1] * 6] * 2}, "priors must have one row of 7 numbers per head", id="priors"),
        pytest.param({"priors": [[0.0] * 7] * 2}, "priors must be shares above 0", id="shares"),
        pytest.param({"scales": [[0.0] * 7] * 2}, "scales, photo_temperature and std must be above 0", id="zero"),
        pytest.param({"input_size": 64}, "config.json says otherwise", id="size"),
        pytest.param({"input_size": float("inf")}, "input_size: expected int, found inf", id="infinite size"),
        pytest.param({"input_size": 10**9}, "input_size must lie in 1", id="huge size"),
        pytest.param({"mean": float("nan")}, "mean: expected a finite number, found nan", id="NaN"),
        pytest.param({"mean": 10**400}, "mean: expected a finite number, found 1", id="400 digits"),
        pytest.param({"biases": [[float("inf")] * 7] * 2}, "biases: expected a finite number", id="infinite"),
        pytest.param({"head_weights": [1.0]}, "head_weights must have one number per head", id="one weight"),
        pytest.param({"head_weights": [0.9, 0.9]}, "head_weights must have .*, and add up to 1", id="weights"),
        pytest.param({"head_weights": [1.5, -0.5]}, "head_weights must lie in 0..1", id="negative weight"),
        pytest.param({"ambiguity": [1.0]}, "ambiguity must be a gain and a power", id="ambiguity"),
        pytest.param({"ambiguity": [1.0, -1.0]}, "ambiguity must be a gain and a power, both 0 or more", id="power"),
        pytest.param({"heads": ["fer2013", "x"]}, "ambiguity needs a head 'ferplus'", id="no votes"),
        pytest.param({"uncertain_below": 7}, "uncertain_below and prior_power must lie in 0", id="threshold"),
    ],
)
def test_damaged_config(folder: Path, change: dict[str, Any], message: str) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not ...}))
    with pytest.raises(ModelError, match=message):
        EmotionClassifier(str(folder))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "damaged or not JSON"),
        (b"[1]", "expected keys and values"),
        (b"null", "expected keys and values"),
        (b"\xff\xfe\x00{", "damaged or not JSON"),
        (b"[" * 100_000, "damaged or not JSON"),
        (b'{"mean": ' + b"9" * 5000 + b"}", "damaged or not JSON"),
    ],
)
def test_config_that_is_no_description(folder: Path, content: bytes, message: str) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=f"not a valid model description: .*{message}") as caught:
        EmotionClassifier(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_that_answers_nan_is_refused_when_it_is_opened(folder: Path, value: float) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(folder / "model.onnx"))
    weights = max(model.graph.initializer, key=lambda entry: entry.ByteSize())
    broken = onnx.numpy_helper.to_array(weights).copy()
    broken[:] = value
    weights.CopyFrom(onnx.numpy_helper.from_array(broken, weights.name))
    onnx.save(model, str(folder / "model.onnx"))
    with pytest.raises(ModelError, match=r"model\.onnx: answers with infinite numbers or NaN: its weights are damaged"):
        EmotionClassifier(str(folder), precision="fp32")


def test_models_exported_before_weigh_all_heads_the_same(folder: Path) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text())
    assert load_config(folder).head_weights == (0.3, 0.7)
    del values["head_weights"]
    path.write_text(json.dumps(values))
    assert load_config(folder).head_weights == (0.5, 0.5)


def test_a_config_is_written_as_it_is_read(folder: Path) -> None:
    config = load_config(folder)
    save_config(replace(config, figures={"x": 0.5}), folder)
    assert load_config(folder) == replace(config, figures={"x": 0.5})


def faces(count: int, drawn: FaceSet) -> np.ndarray:
    return drawn.pixels[:count]


def test_eight_bits_say_nearly_the_same(drawn: FaceSet) -> None:
    full, small = (EmotionClassifier(precision=precision) for precision in ("fp32", "int8"))
    assert (full.precision, small.precision) == ("fp32", "int8")
    answers = [classifier.predict_proba(faces(40, drawn)) for classifier in (full, small)]
    assert np.abs(answers[0] - answers[1]).mean() < 0.02
    assert not np.array_equal(answers[0], answers[1]), "they are two networks"


def test_eight_bits_are_chosen_where_they_are_faster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for faster, chosen in ((True, "int8"), (False, "fp32")):
        monkeypatch.setattr("mien.classification.classifier.has_int8_instructions", lambda faster=faster: faster)
        assert EmotionClassifier(str(folder), device="cpu").precision == chosen
    (folder / "model-int8.onnx").unlink()
    monkeypatch.setattr("mien.classification.classifier.has_int8_instructions", lambda: True)
    assert EmotionClassifier(str(folder)).precision == "fp32"
    with pytest.raises(OptionError, match=r"has no model-int8\.onnx; export it with --int8"):
        EmotionClassifier(str(folder), precision="int8")
    with pytest.raises(OptionError, match="precision must be one of auto, fp32, int8, found 'half'"):
        EmotionClassifier(str(folder), precision="half")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "device must be one of auto, cpu, cuda, found 'gpu'"),
        ({"threads": -1}, "threads must be 0"),
    ],
)
def test_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        EmotionClassifier(**options)
