from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import OptionError
from mien.evaluation.evaluate import Predictions, summarize
from mien.evaluation.metrics import evaluate
from mien.evaluation.report import draw_mistakes, write_report

pytest.importorskip("lightning")
pytest.importorskip("onnxscript")

RECIPE = {
    "network": "cnn4-gap", "epochs": 2, "batch_size": 16, "optimizer": {"name": "adam", "lr": 0.001},
    "precision": "32-true", "ema": 0,
}  # fmt: skip


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def trained(drawn_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    run("train", folder / "recipe.yaml", "--data", drawn_csv, "--out", folder / "run")
    return folder / "run"


def test_export_int8_evaluate_and_report(
    trained: Path, drawn_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 28 faces one alone is more than half a point.
    monkeypatch.setattr("mien.training.quantize.MAX_LOSS", 1.0)
    out = run("export", trained, "--data", drawn_csv, "--out", tmp_path / "mine", "--int8")
    assert re.search(r"\d points (lost|gained)", out)
    sizes = [(tmp_path / "mine" / name).stat().st_size for name in ("model.onnx", "model-int8.onnx")]
    assert sizes[1] < 0.4 * sizes[0], "eight bits are a quarter of thirty-two, and the scales on top"
    for precision in ("fp32", "int8"):
        figures = json.loads(
            run("evaluate", drawn_csv, "--model", tmp_path / "mine", "--precision", precision, "--json")
        )
        assert (figures["n"], figures["precision"]) == (28, precision)
    run("evaluate", drawn_csv, "--model", tmp_path / "mine", "--corruptions", "--report", tmp_path / "report")
    text = (tmp_path / "report/report.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert len(shown) == 6
    assert "| tilt | ±10° |" in text
    for name in shown:
        assert (tmp_path / "report" / name).read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "report/report.json").read_text())
    assert written["n"] == 28
    assert len(written["corruptions"]["corruptions"]) == 9


def test_a_network_that_loses_too_much_is_not_kept(
    trained: Path, drawn_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.training.quantize.MAX_LOSS", -1.0)
    out = run("export", trained, "--data", drawn_csv, "--out", tmp_path / "mine", "--int8")
    assert "too many; not kept" in out
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["config.json", "model.onnx"]


def test_a_model_folder_is_replaced_only_when_forced(
    trained: Path, drawn_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    arguments = ["export", str(trained), "--data", str(drawn_csv), "--out", str(out)]

    def refuse(*more: str) -> str:
        result = CliRunner().invoke(app, [*arguments, *more])
        assert isinstance(result.exception, OptionError)
        assert (out / "notes.txt").read_text() == "mine"
        return str(result.exception)

    assert "exists already; choose another name, or add --force to replace it" in refuse()
    assert "is not a model folder" in refuse("--force")
    (out / "config.json").write_text("{}")
    assert "exists already" in refuse()
    run(*arguments, "--force")
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "model.onnx", "notes.txt"]
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}

    def fail_to_rename(path: Path, target: Path) -> Path:
        if path.name.endswith(".partial"):
            raise PermissionError("denied")
        return rename(path, target)

    rename = Path.rename
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail_to_rename)
        assert isinstance(CliRunner().invoke(app, [*arguments, "--force"]).exception, PermissionError)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert list(tmp_path.iterdir()) == [out], "nothing is left beside it"


def test_replacing_a_model_keeps_what_export_does_not_write(trained: Path, drawn_csv: Path, tmp_path: Path) -> None:
    out, place = tmp_path / "mine", tmp_path / "place"
    run("export", trained, "--data", drawn_csv, "--out", tmp_path / "before")
    # Written for phones, renamed, and written again.
    (tmp_path / "before").rename(place)
    old = ["model-int8.onnx"]
    old += [f"{name}{suffix}" for name in ("before", "mine") for suffix in (".tflite", "-int8.tflite", ".json")]
    own = ["README.md", "detector.tflite", ".git/config", "pictures/model-int8.onnx"]
    for name in (*old, *own):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("mine")
    (place / "link").symlink_to("README.md")
    out.symlink_to(place)
    run("export", trained, "--data", drawn_csv, "--out", out, "--force")
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert found == {*own, "link", "config.json", "model.onnx"}
    assert {(out / name).read_text() for name in own} == {"mine"}
    assert (out / "link").is_symlink()
    assert out.is_symlink()


def test_compare(trained: Path, drawn_csv: Path) -> None:
    row = json.loads(run("compare", trained, "--data", drawn_csv, "--json"))
    assert row["network"] == "cnn4-gap"
    assert row["parameters"] == 586_695
    # 3x3 convolutions at 48, 24, 12 and 6 pixels, and the three dense layers.
    convolutions = 9 * (1 * 256 * 48**2 + 256 * 128 * 24**2 + 128 * 128 * 12**2 + 128 * 64 * 6**2)
    assert row["macs"] == convolutions + 64 * 512 + 512 * 64 + 64 * 7
    assert "cnn4-gap" in run("compare", trained, trained, "--data", drawn_csv)


def test_a_report_where_faces_are_missing(tmp_path: Path) -> None:
    """One face was not found, one emotion has no face at all, and nothing is wrong."""
    probabilities = np.full((3, 7), 0.01, np.float32)
    probabilities[0, 3] = probabilities[1, 0] = 0.94
    probabilities[2] = np.nan
    crop = np.zeros((48, 48), np.uint8)
    answers = Predictions(
        ["a.png", "b.png", "c.png"], [crop, crop, None], np.array([3, 0, 4]), probabilities, searched=True
    )
    report = evaluate(answers.labels, answers.probabilities)
    write_report(tmp_path, "few", report, answers, summarize(report, answers))
    assert "| 3 | 2 | 0.6667 |" in (tmp_path / "report.md").read_text()


def test_the_contact_sheet_starts_with_the_worst_mistake() -> None:
    probabilities = np.eye(7, dtype=np.float32)[[3, 3, 3]] * np.array([[0.5], [0.9], [0.99]], np.float32)
    crop = np.zeros((48, 48), np.uint8)
    answers = Predictions(["mild.png", "worst.png", "right.png"], [crop] * 3, np.array([0, 0, 3]), probabilities)
    panels = draw_mistakes(answers).axes
    assert len(panels) == 8, "one row, since no other is needed"
    titles = [panel.get_title() for panel in panels]
    assert "worst.png" in titles[0]
    assert "mild.png" in titles[1]
    assert not titles[2], "what is right is no mistake"
