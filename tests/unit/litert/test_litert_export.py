"""Model folders as ``.tflite`` files: the shipped models, every network of the recipes, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnx")

import mien
from mien.analyzer import open_classifier
from mien.classification.base import PHOTO, read_faces
from mien.classification.classifier import EmotionClassifier
from mien.classification.litert import LiteRtClassifier
from mien.classification.model_config import find_model, load_config, save_config, shipped_models
from mien.emotions import LABELS
from mien.errors import ModelError, OptionError
from mien.litert import export
from mien.litert.export import MAX_DIFFERENCE, MIN_AGREEMENT, LiteRtReport, export_litert
from mien.litert.network import convert
from mien.litert.sample import sample_faces
from mien.options import AnalyzerOptions


def mien_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mien", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("phone")


@pytest.fixture(scope="module")
def reports(phone: Path) -> dict[str, LiteRtReport]:
    return {name: export_litert(name, phone) for name in shipped_models()}


@pytest.mark.parametrize("name", shipped_models())
def test_the_shipped_models_agree(name: str, phone: Path, reports: dict[str, LiteRtReport]) -> None:
    report = reports[name]
    assert report.difference <= MAX_DIFFERENCE
    assert report.agreement >= MIN_AGREEMENT
    assert report.kept8
    assert [file.name for file in report.files] == [f"{name}.tflite", f"{name}-int8.tflite", f"{name}.json"]
    sizes = [file.stat().st_size for file in report.files]
    assert sizes[1] < 0.3 * sizes[0]
    # Once more on other faces than the export compared.
    faces = np.random.default_rng(1).integers(0, 256, (50, 48, 48)).astype(np.uint8)
    original, written = EmotionClassifier(name, "cpu", precision="fp32"), LiteRtClassifier(report.files[0])
    for head in (PHOTO, *original.config.heads):
        difference = np.abs(original.predict_proba(faces, head) - written.predict_proba(faces, head)).max()
        assert difference <= MAX_DIFFERENCE, head
    one, other = (
        np.array([answer.ambiguity for answer in read_faces(model, faces, mirror=True)], float)
        for model in (original, written)
    )
    assert np.isnan(one).all() == (not original.config.ambiguity)
    np.testing.assert_allclose(other, one, atol=MAX_DIFFERENCE)


def test_eight_bits_that_answer_otherwise_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = find_model("mien-1-tiny")
    monkeypatch.setattr(export, "convert", lambda folder, int8: convert(other if int8 else folder, int8))
    report = export_litert("mien-1", tmp_path)
    assert not report.kept8
    assert report.agreement < MIN_AGREEMENT
    assert [file.name for file in report.files] == ["mien-1.tflite", "mien-1.json"]


def test_the_sample_tells_networks_apart() -> None:
    faces = sample_faces(200, 48)
    answers = EmotionClassifier().predict_proba(faces)
    counts = np.bincount(answers.argmax(axis=1), minlength=7)
    assert counts.max() < 150
    assert (counts >= 5).sum() >= 4
    assert np.array_equal(faces, sample_faces(200, 48))


def test_files_say_what_they_are(phone: Path, reports: dict[str, LiteRtReport]) -> None:
    notes = json.loads((phone / "mien-1.json").read_text(encoding="utf-8"))
    config = load_config(find_model("mien-1"))
    assert notes["mien"] == mien.__version__
    assert notes["input"] == {"name": "faces", "shape": [1, 48, 48, 1], "gray": [0, 255]}
    assert notes["config"]["labels"] == list(LABELS)
    assert notes["config"] == json.loads(json.dumps(dataclasses.asdict(config)))
    small = LiteRtClassifier(phone / "mien-1-int8.tflite")
    assert (small.config, small.precision, small.input_size) == (config, "int8", 48)


def test_batches_are_answered_as_single_faces(phone: Path, reports: dict[str, LiteRtReport]) -> None:
    classifier = LiteRtClassifier(phone / "mien-1.tflite", threads=1)
    faces = sample_faces(5, 48)
    together = classifier.predict_proba(faces)
    alone = np.concatenate([classifier.predict_proba(face[None]) for face in faces])
    assert np.abs(together - alone).max() < 1e-5
    assert classifier.predict_proba([]).shape == (0, 7)
    with pytest.raises(OptionError, match="head must be one of"):
        classifier.predict_proba(faces, "nonesuch")


def test_every_door_opens_a_file(phone: Path, reports: dict[str, LiteRtReport], astronaut_path: Path) -> None:
    run = mien_command("photo", "--model", phone / "mien-1-int8.tflite", astronaut_path, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["faces"][0]["emotion"] == "happy"


def test_evaluate_measures_a_file(phone: Path, reports: dict[str, LiteRtReport], drawn_csv: Path) -> None:
    figures = []
    for model, precision in (("mien-1", "fp32"), (phone / "mien-1.tflite", "auto")):
        run = mien_command("evaluate", drawn_csv, "--model", model, "--precision", precision, "--json")
        assert run.returncode == 0, run.stderr
        figures.append(json.loads(run.stdout))
    assert figures[0]["confusion"] == figures[1]["confusion"]
    assert figures[0]["ece"] == pytest.approx(figures[1]["ece"], abs=1e-5)


def test_export_prints_what_it_compared(tmp_path: Path, drawn_csv: Path) -> None:
    run = mien_command("export", "mien-1-tiny", "--litert", "--out", tmp_path / "a/b", "--data", drawn_csv)
    assert run.returncode == 0, run.stderr
    assert "compared with model.onnx on 28 faces of the data" in run.stdout
    assert "32 bits: probabilities differ by at most" in run.stdout
    assert (tmp_path / "a/b/mien-1-tiny.tflite").is_file()
    with pytest.raises(OptionError, match=r"mien-1-tiny.tflite: exists already"):
        export_litert("mien-1-tiny", tmp_path / "a/b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mien-1"], "mien-1: is a model already; add --litert to write .tflite files"),
        (["mien-1", "--litert", "--int8"], "mien-1: is a model; --votes"),
        (["nonesuch"], "nonesuch: is a run folder and needs --data"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    run = mien_command("export", *arguments, "--out", tmp_path / "out")
    assert run.returncode == 2
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, OptionError, "no such file"),
        (b"no network", ModelError, "is not a .tflite file"),
        (b"\x10\0\0\0TFL3" + b"\xff" * 40, ModelError, "is damaged"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | None, error: type[Exception], message: str) -> None:
    path = tmp_path / "x.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=message):
        open_classifier(AnalyzerOptions(model=str(path)))


def test_options_that_do_not_fit_a_file(phone: Path, reports: dict[str, LiteRtReport]) -> None:
    path = phone / "mien-1.tflite"
    with pytest.raises(OptionError, match="precision must be auto or fp32 for this file, found 'int8'"):
        LiteRtClassifier(path, precision="int8")
    with pytest.raises(OptionError, match="device must be auto or cpu"):
        LiteRtClassifier(path, device="cuda")


def folder_with(network: str, folder: Path) -> Path:
    """A model folder with a network of random weights, as training exports it."""
    torch = pytest.importorskip("torch")
    from mien.training.export import write_onnx
    from mien.training.networks import build_network

    torch.manual_seed(3)
    made = build_network(network, heads=2)
    for layer in made.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            # As after training, in which no two channels fare alike.
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    folder.mkdir()
    write_onnx(SimpleNamespace(network=made.eval()), folder / "model.onnx")  # type: ignore[arg-type]
    save_config(dataclasses.replace(load_config(find_model("mien-1")), name="toy"), folder)
    return folder


@pytest.mark.parametrize("network", ["mien-tiny", "cnn2-lite", "cnn4-dense", "cnn4-gap"])
def test_networks_of_the_recipes(network: str, tmp_path: Path) -> None:
    report = export_litert(str(folder_with(network, tmp_path / "toy")), tmp_path)
    assert report.difference <= MAX_DIFFERENCE
    assert report.difference8 < 0.1
    assert (tmp_path / "toy-int8.tflite").is_file() == report.kept8 == (report.agreement >= MIN_AGREEMENT)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["mien", "timm:mobilenetv2_100"])  # the others take minutes each
def test_larger_networks_of_the_recipes(network: str, tmp_path: Path) -> None:
    test_networks_of_the_recipes(network, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "operation"), [("timm:convnext_femto", "Shape")])
def test_networks_with_other_operations_are_refused(network: str, operation: str, tmp_path: Path) -> None:
    folder = folder_with(network, tmp_path / "toy")
    with pytest.raises(ModelError, match=f"has the operation {operation}"):
        export_litert(str(folder), tmp_path)


def test_a_missing_extra_is_told(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['ai_edge_litert'] = None; "
        f"sys.argv = ['mien', 'export', 'mien-2', '--litert', '--out', {str(tmp_path / 'phone')!r}]; "
        "from mien.cli.main import main; main()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    told = "mien: writing .tflite files needs packages that are not installed; run: pip install 'mien[phone]'\n"
    assert (run.returncode, run.stderr) == (1, told)
