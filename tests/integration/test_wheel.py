"""The wheel, built, installed into an empty environment and driven by its command line."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_wheel_is_small_and_complete(wheel: Path) -> None:
    assert wheel.stat().st_size < 25_000_000
    names = zipfile.ZipFile(wheel).namelist()
    models = ("mien-1", "mien-1-tiny", "mien-2")
    for part in ("model.onnx", "model-int8.onnx", "config.json", "README.md"):
        assert all(f"mien/models/{model}/{part}" in names for model in models)
    assert "mien/py.typed" in names
    for part in ("index.html", "sw.js", "app/main.js", "app/worker.js", "vendor/ort-wasm-simd-threaded.wasm"):
        assert f"mien/browser/static/{part}" in names
    for part in ("main.py", "style.css", "views/sample.jpg"):
        assert f"mien/apps/web/{part}" in names
    # The web app's sample and the charts of the cards; no picture of a data set.
    charts = [f"models/{model}/reliability{which}.png" for model in models for which in ("-photos", "")]
    pictures = [f"mien/{picture}" for picture in ("apps/web/views/sample.jpg", *charts)]
    assert sorted(name for name in names if name.endswith((".jpg", ".png", ".ckpt"))) == sorted(pictures)


def test_installed_wheel_reads_a_photo(wheel: Path, astronaut_path: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    run = subprocess.run(
        [str(programs / "mien"), "photo", str(astronaut_path), "--json", "--annotate", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    assert [face["emotion"] for face in json.loads(run.stdout)["faces"]] == ["happy"]
    assert (tmp_path / "out" / "astronaut.png").stat().st_size > 10_000
    code = "import importlib.util as u; print([n for n in ('torch', 'lightning', 'matplotlib') if u.find_spec(n)])"
    light = subprocess.run([str(programs / "python"), "-c", code], capture_output=True, text=True, check=True)
    assert light.stdout.strip() == "[]", "the base install stays light"
    train = subprocess.run(
        [str(programs / "mien"), "train", "r.yaml", "--data", "d.csv", "--out", "o"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert train.returncode == 1
    assert "pip install 'mien[train]'" in train.stderr
