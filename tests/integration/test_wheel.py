"""The sdist and the wheel made from it, installed elsewhere and driven by the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of the checkout but what the environment says."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=variables)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `python -m build` filled: the sdist, and the wheel made from it."""
    out = tmp_path_factory.mktemp("dist")
    done = run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def unpacked(built: Path) -> Path:
    """The sdist, unpacked."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(built / "unpacked", filter="data")
    (folder,) = (built / "unpacked").iterdir()
    return folder


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a folder for PYTHONPATH, beside the packages of this environment."""
    out = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = run([*pip, "--target", str(out), str(wheel)], out)
    assert done.returncode == 0, done.stderr
    return out


def test_sdist_carries_all_that_git_knows(unpacked: Path) -> None:
    """And so all that the README, the documentation and the tests name."""
    listed = run(["git", "ls-files", "-z"], ROOT)
    if listed.returncode:
        pytest.skip("not a git checkout")
    missing = [name for name in listed.stdout.split("\0") if name and not (unpacked / name).is_file()]
    assert missing == []


def test_sdist_carries_nothing_that_git_ignores(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert [name for name in names if re.search(r"__pycache__|\.egg-info|(^|/)(runs|build|dist|site)/", name)] == []


@pytest.mark.slow
def test_first_command_of_the_readme_runs_in_the_unpacked_sdist(unpacked: Path, tmp_path: Path) -> None:
    command = re.findall(r"```\n(pip install .*)\n```", (unpacked / "README.md").read_text(encoding="utf-8"))[0]
    assert "mien photo" in command
    venv.create(tmp_path / "venv", with_pip=True)
    done = run(["bash", "-c", command], unpacked, PATH=f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert re.search(r"astronaut\.jpg.*happy", done.stdout), done.stdout


def test_installed_wheel_lists_its_recipes(installed: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    done = run([sys.executable, "-m", "mien", "train", "--list"], tmp_path, PYTHONPATH=str(installed))
    assert done.returncode == 0, done.stderr
    recipes = {path.stem for path in (ROOT / "src/mien/training/recipes").glob("*.yaml")}
    assert recipes <= {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


@pytest.mark.slow
def test_installed_wheel_trains_by_name_and_the_next_command_runs_as_printed(
    installed: Path, drawn_csv: Path, tmp_path: Path
) -> None:
    pytest.importorskip("lightning")
    pytest.importorskip("onnxscript")
    # One epoch is enough; that it is one shows that the installed recipe is the one that is read.
    recipe = installed / "mien/training/recipes/cnn4-dense.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("epochs: 75", "epochs: 1"), encoding="utf-8")
    # The shell finds the program as it would after an installation.
    program = tmp_path / "bin/mien"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mien "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    shell = {"PYTHONPATH": str(installed), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    (tmp_path / "faces with space.csv").symlink_to(drawn_csv)
    train = "mien train cnn4-dense --data 'faces with space.csv' --out 'runs/my run'"
    done = run(["bash", "-c", train], tmp_path, **shell)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "runs/my run/metrics.csv").read_text(encoding="utf-8").splitlines()) == 2
    printed = re.search(r"next: (mien export .*)", done.stdout)
    assert printed, done.stdout
    done = run(["bash", "-c", printed[1]], tmp_path, **shell)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models/my run/model.onnx").is_file()


def test_wheel_is_small_and_complete(wheel: Path) -> None:
    assert wheel.stat().st_size < 28_000_000
    names = zipfile.ZipFile(wheel).namelist()
    models = ("mien-1", "mien-1-tiny", "mien-2", "mien-2-tiny")
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


@pytest.mark.slow
def test_installed_wheel_reads_a_photo(wheel: Path, astronaut_path: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = run(pip, tmp_path)
    assert done.returncode == 0, done.stderr
    photo = [str(programs / "mien"), "photo", str(astronaut_path), "--json", "--annotate", str(tmp_path / "out")]
    done = run(photo, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [face["emotion"] for face in json.loads(done.stdout)["faces"]] == ["happy"]
    assert (tmp_path / "out" / "astronaut.png").stat().st_size > 10_000
    code = "import importlib.util as u; print([n for n in ('torch', 'lightning', 'matplotlib') if u.find_spec(n)])"
    light = run([str(programs / "python"), "-c", code], tmp_path)
    assert light.stdout.strip() == "[]", "the base install stays light"
    train = run([str(programs / "mien"), "train", "r.yaml", "--data", "d.csv", "--out", "o"], tmp_path)
    assert train.returncode == 1
    assert "pip install 'mien[train]'" in train.stderr
