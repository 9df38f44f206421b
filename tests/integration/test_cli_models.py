"""The command line, driven as a program: measuring, explaining and making models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from programs import Run, assert_one_line, mien

from mien.analyzer import load
from mien.classification.base import predict_mirrored
from mien.emotions import LABELS
from mien.evaluation.datasets import FaceSet
from mien.evaluation.evaluate import predict_data
from mien.options import AnalyzerOptions


def write_labelled(folder: Path, astronaut: NDArray[np.uint8]) -> Path:
    for name in ("happy/a.png", "sad/b.png"):
        (folder / name).parent.mkdir(parents=True)
        cv2.imwrite(str(folder / name), astronaut if name == "happy/a.png" else astronaut[300:, 300:])
    return folder


def test_what_cannot_be_evaluated_leaves_no_report(run: Run, tmp_path: Path) -> None:
    code, _, err = run("evaluate", tmp_path / "missing.csv", "--report", tmp_path / "new" / "report")
    assert code != 0, err
    assert list(tmp_path.iterdir()) == []


def test_evaluate_folders(tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    data = write_labelled(tmp_path / "data", astronaut)
    run = mien("evaluate", data, "--through-detector", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    report = json.loads(run.stdout)
    assert (report["n"], report["found"], report["accuracy"], report["balanced_accuracy"]) == (2, 1, 0.5, 0.5)
    assert report["per_class"]["happy"]["recall"] == 1.0
    assert np.array(report["confusion"]).shape == (7, 7)
    assert {"macro_f1", "ece"} <= report.keys()
    table = mien("evaluate", data)
    assert table.returncode == 0
    assert "answer photo, with the mirror image   " in table.stdout
    assert "balanced accuracy" in table.stdout
    assert "balanced accuracy without fear 1.0000\n" in table.stdout
    assert report["balanced_accuracy_without_fear"] == 0.5
    assert "without fear" not in mien("evaluate", data, "--head", "fer2013").stdout
    assert "answer photo, read once   " in mien("evaluate", data, "--mirror", "off").stdout


def write_unsplit(folder: Path, drawn: FaceSet) -> None:
    for k, face in enumerate(drawn.pixels[:60]):
        (folder / LABELS[drawn.labels[k]]).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / LABELS[drawn.labels[k]] / f"{k}.png"), face)


def write_list(folder: Path, drawn: FaceSet) -> None:
    rows = ["file,emotion,usage"]
    for k, face in enumerate(drawn.pixels[:60]):
        cv2.imwrite(str(folder / f"{k}.png"), face)
        rows.append(f"{k}.png,{drawn.labels[k]},{('train', 'val', 'test')[min(2, k // 25)]}")
    (folder / "labels.csv").write_text("\n".join(rows))


@pytest.mark.parametrize("write", [write_unsplit, write_list])
def test_evaluate_and_data_info_see_the_same_rows(
    tmp_path: Path, drawn: FaceSet, write: Callable[[Path, FaceSet], None]
) -> None:
    write(tmp_path, drawn)
    counts = json.loads(mien("data", "info", tmp_path, "--json").stdout)["counts"]
    for usage in ("Training", "PublicTest", "PrivateTest"):
        run = mien("evaluate", tmp_path, "--usage", usage, "--json")
        if usage in counts:
            assert json.loads(run.stdout)["n"] == sum(counts[usage].values())
        else:
            assert_one_line(run, 1, f"no face has usage '{usage}'; usages present: {', '.join(counts)}")
    assert json.loads(mien("evaluate", tmp_path, "--usage", "all", "--json").stdout)["n"] == 60
    natural = json.loads(mien("evaluate", tmp_path, "--json").stdout)
    expected = ("PublicTest", 25) if write is write_list else ("all", 60)
    assert (natural["usage"], natural["n"]) == expected
    assert_one_line(mien("evaluate", tmp_path, "--usage", "Test"), 2, "--usage must be one of Training, PublicTest")


def test_evaluate_csv(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{k % 7},{' '.join(map(str, rng.integers(0, 256, 2304)))},PrivateTest" for k in range(14)]
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows) + "\n")
    report = json.loads(mien("evaluate", tmp_path / "fer2013.csv", "--usage", "PrivateTest", "--json").stdout)
    assert report["n"] == 14
    assert "found" not in report, "nothing was searched for"
    assert (report["head"], report["mirrored"]) == ("fer2013", True)
    assert sum(sum(row) for row in report["confusion"]) == 14
    run = mien("evaluate", tmp_path / "fer2013.csv")
    assert_one_line(run, 1, "no face has usage 'PublicTest'; usages present: PrivateTest")
    assert_one_line(mien("evaluate", tmp_path / "absent.csv"), 1, "no such file")


@pytest.mark.parametrize("mirror", ["auto", "off"])
def test_evaluate_reads_faces_as_photos(drawn_csv: Path, mirror: str) -> None:
    analyzer = load(AnalyzerOptions(mirror=mirror))
    found = predict_data(drawn_csv, analyzer)
    crops = [face for face in found.crops if face is not None]
    read = predict_mirrored(analyzer.classifier, crops, "fer2013")
    once = analyzer.classifier.predict_proba(crops, "fer2013")
    assert np.abs(read - once).max() > 0.01
    assert found.mirrored == (mirror == "auto")
    np.testing.assert_allclose(found.probabilities, read if found.mirrored else once, atol=1e-5)


def test_evaluate_on_harder_faces(tmp_path: Path, drawn_csv: Path) -> None:
    runs = [mien("evaluate", drawn_csv, "--corruptions", "--json") for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout, "the same faces are corrupted in the same way"
    found = json.loads(runs[0].stdout)["corruptions"]
    assert found["accuracy"] == json.loads(runs[0].stdout)["accuracy"]
    for row in found["corruptions"]:
        for accuracy, drop in zip(row["accuracies"], row["drops"], strict=True):
            assert accuracy + drop == pytest.approx(found["accuracy"])
    table = mien("evaluate", drawn_csv, "--corruptions").stdout
    assert "mean drop at the middle strength" in table
    assert "found" not in table


def test_evaluate_leaves_out_few_damaged_pictures(tmp_path: Path, drawn: FaceSet) -> None:
    for number in range(120):
        label = LABELS[number % 7]
        (tmp_path / label).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / label / f"{number}.png"), drawn.pixels[number % len(drawn)])
    (tmp_path / "happy/bad.png").write_bytes(b"no picture")
    run = mien("evaluate", tmp_path, "--json")
    assert_one_line(run, 0, "bad.png: is not a picture in a known format; save it as JPEG or PNG; skipped")
    report = json.loads(run.stdout)
    assert (report["n"], report["damaged"]) == (120, 1)
    (tmp_path / "sad/worse.png").write_bytes(b"no picture")
    run = mien("evaluate", tmp_path)
    assert_one_line(run, 1, "2 of 122 pictures cannot be read, more than 1%")


def test_evaluate_what_is_no_data(tmp_path: Path, astronaut_path: Path) -> None:
    assert_one_line(mien("evaluate", astronaut_path), 1, "it is not text, or not in UTF-8; expected a CSV file")
    (tmp_path / "cut.csv.xz").write_bytes(b"no xz")
    assert_one_line(
        mien("evaluate", tmp_path / "cut.csv.xz"), 1, "it is damaged or incomplete, or not compressed with xz"
    )
    assert_one_line(mien("evaluate", astronaut_path.parent), 1, "no labeled pictures")


def test_explain(tmp_path: Path, astronaut_path: Path) -> None:
    out = tmp_path / "why.png"
    run = mien("explain", astronaut_path, "--emotion", "Happiness", "--face", 1, "--out", out)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("face 1, happy 9")
    assert cv2.imread(str(out)).shape[1] > 700


def test_explain_refuses(tmp_path: Path, astronaut_path: Path, astronaut: NDArray[np.uint8]) -> None:
    nobody = tmp_path / "nobody.png"
    cv2.imwrite(str(nobody), astronaut[300:, 300:])
    out = tmp_path / "why.png"
    for arguments, code, message in (
        ((astronaut_path, "--out", out, "--face", 2), 2, "no face 2: the picture has one face"),
        ((astronaut_path, "--out", out, "--emotion", "hapy"), 2, "did you mean 'happy'"),
        ((astronaut_path, "--out", tmp_path / "why.xyz"), 2, "unknown picture format '.xyz'"),
        ((astronaut_path, "--out", astronaut_path), 2, "would overwrite an input file"),
        ((astronaut_path, "--out", tmp_path), 2, "unknown picture format"),
        ((nobody, "--out", out), 1, "no face found"),
        ((tmp_path / "absent.jpg", "--out", out), 1, "no such file"),
    ):
        assert_one_line(mien("explain", *arguments), code, message)
    assert not out.exists()


def test_models_and_version() -> None:
    run = mien("models")
    assert run.returncode == 0
    assert re.search(rf"^ {AnalyzerOptions().model} .*\n \(default\) ", run.stdout, re.MULTILINE)
    assert run.stdout.count("(default)") == 1
    assert mien("--version").stdout.startswith("mien 0.")


def test_train_and_export(tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="needs the extra train")
    rng = np.random.default_rng(0)
    rows = [
        f"{k % 7},{' '.join(map(str, rng.integers(0, 256, 2304)))},{'PublicTest' if k % 10 == 0 else 'Training'}"
        for k in range(160)
    ]
    data = tmp_path / "fer2013.csv"
    data.write_text("emotion,pixels,Usage\n" + "\n".join(rows) + "\n")
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text("network: mien\nepochs: 1\nbatch_size: 32\nprecision: 32-true\n")
    out = tmp_path / "run"
    run = mien("train", recipe, "--data", data, "--out", out)
    assert run.returncode == 0, run.stderr
    assert "epoch 1/1" in run.stderr
    again = mien("train", recipe, "--data", data, "--out", out)
    assert_one_line(again, 2, "exists already")
    run = mien("export", out, "--data", data, "--out", tmp_path / "toy")
    assert run.returncode == 0, run.stderr
    report = json.loads(mien("evaluate", data, "--model", tmp_path / "toy", "--json").stdout)
    assert report["n"] == 16
    assert_one_line(mien("train", tmp_path / "no.yaml", "--data", data, "--out", tmp_path / "x"), 2, "no such recipe")
