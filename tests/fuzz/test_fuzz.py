"""Whatever comes in: an answer that holds together, or one line. Never a traceback, a hang, or a file left behind.

    make fuzz SEED=7 CASES=20000

tries other cases than the usual ones; the environment variables MIEN_FUZZ_SEED and MIEN_FUZZ_CASES do the same.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest
from generate import Case, cases, command, mutate, picture_seeds, yaml_text

import mien
from mien.analyzer import Analyzer
from mien.classification.model_config import SHIPPED, load_config
from mien.cli.inputs import find_pictures
from mien.errors import MienError
from mien.evaluation.datasets import load_faces
from mien.evaluation.face_set import FaceSet
from mien.images import read_image
from mien.options import MAX_PIXELS, AnalyzerOptions
from mien.results import FrameResult

SEED, CASES = int(os.environ.get("MIEN_FUZZ_SEED", "0")), int(os.environ.get("MIEN_FUZZ_CASES", "2000"))
LIMIT_S = 20.0


@pytest.fixture(scope="module")
def clip_bytes(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    av = pytest.importorskip("av", reason="needs the extra video")
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    face = cv2.resize(astronaut[:320, 60:380], (96, 96), interpolation=cv2.INTER_AREA)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width = stream.height = 96
        stream.pix_fmt = "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(face, format="bgr24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="module")
def trained(drawn: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder."""
    pytest.importorskip("lightning", reason="needs the extra train")
    from mien.training.fit import fit
    from mien.training.recipe import Recipe

    plan = Recipe("cnn2-lite", epochs=1, batch_size=16, warmup_epochs=0, precision="32-true")
    return fit(plan, drawn, tmp_path_factory.mktemp("runs") / "run", progress=False)


def check_result(result: FrameResult) -> None:
    """What every answer must be, whatever was asked."""
    json.dumps(result.to_dict(), allow_nan=False)
    assert result.width > 0
    assert result.height > 0
    for face in result:
        left, top, width, height = face.box
        assert 0 <= left < left + width <= result.width
        assert 0 <= top < top + height <= result.height
        assert all(math.isfinite(p) and 0 <= p <= 1 for p in face.probabilities.values())
        assert sum(face.probabilities.values()) == pytest.approx(1, abs=2e-3)


def attempt(case: Case, analyzer: Analyzer, folder: Path) -> None:
    """Try a case; `MienError` is a good answer, anything else that is raised is not."""
    if case.kind in ("picture", "array"):
        check_result(analyzer.analyze(case.content))
    elif case.kind == "video":
        summary = mien.analyze_video(case.content, analyzer=analyzer, on_frame=lambda _, result: check_result(result))
        assert summary.frames >= 0
    elif case.kind == "model":
        (folder / "config.json").write_text(case.content, encoding="utf-8")
        config = load_config(folder)
        for numbers in (*config.scales, *config.biases, *config.priors):
            assert all(map(math.isfinite, numbers))
        assert math.isfinite(config.mean)
        assert math.isfinite(config.std)
        assert config.std > 0
        assert 0 <= config.uncertain_below <= 1
    elif case.kind == "options":
        options = AnalyzerOptions(**case.content)
        assert 0 < options.max_pixels <= MAX_PIXELS
        assert math.isfinite(options.smoothing_s)
    elif case.kind == "recipe":
        check_recipe(case.content, folder)
    elif case.kind == "run":
        check_run(case.content, folder / "run")
    elif case.kind == "folder":
        check_folder(case.content, folder / "tree")
    else:
        path = folder / "fer2013.csv"
        path.write_text(case.content, encoding="utf-8")
        assert set(np.unique(load_faces(path).labels)) <= set(range(7))


def check_recipe(text: str, folder: Path) -> None:
    from mien.training.recipe import load_recipe

    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    recipe = load_recipe(path)
    json.dumps(recipe.to_dict(), allow_nan=False)
    assert recipe.epochs >= 1
    assert recipe.batch_size >= 1


def check_run(dice: np.random.Generator, run: Path) -> None:
    """Damage one file of a run, open it, and mend it."""
    from mien.training.runs import load_run

    path = run / str(dice.choice(["recipe.yaml", "data.yaml", "checkpoints/best.ckpt"]))
    whole = path.read_bytes()
    if path.suffix == ".yaml":
        path.write_text(yaml_text(dice, whole.decode()), encoding="utf-8")
    else:
        path.write_bytes(whole[: int(dice.integers(len(whole)))] if dice.random() < 0.8 else dice.bytes(500))
    try:
        network, _ = load_run(run)
        assert all(bool(weights.isfinite().all()) for weights in network.parameters())
    finally:
        path.write_bytes(whole)


def check_folder(files: dict[str, bytes | None], folder: Path) -> None:
    """Read a folder as pictures and as labeled faces."""
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                os.mkfifo(path)
            else:
                path.write_bytes(content)
        folder.mkdir(exist_ok=True)
        for picture in find_pictures([str(folder)], []):
            with suppress(MienError):
                read_image(picture.path)
        assert set(np.unique(load_faces(folder).labels)) <= set(range(7))
    finally:
        shutil.rmtree(folder)


def run_command(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.cli.main import main

    monkeypatch.setattr(sys, "argv", ["mien", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code in (0, 1, 2), said
    assert "Traceback" not in said
    assert all(line.startswith(("mien", "A guess")) for line in said.splitlines()), said
    assert not [c for c in said if c != "\n" and not c.isprintable()], repr(said)
    assert len(said) < 4000


def test_fuzz(
    astronaut: np.ndarray,
    astronaut_path: Path,
    clip_bytes: bytes,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    analyzer = mien.load(threads=1)
    temporary, work, folder = (tmp_path / name for name in ("tmp", "work", "input"))
    for each in (temporary, work, folder):
        each.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(work)
    (folder / "model.onnx").write_bytes((SHIPPED / "mien-2-tiny/model.onnx").read_bytes())
    model = json.loads((SHIPPED / "mien-2-tiny/config.json").read_text(encoding="utf-8"))
    recipe = (Path(mien.__file__).parent / "training/recipes/mien.yaml").read_text(encoding="utf-8")
    shutil.copytree(trained, folder / "run")
    failures = []
    for case in cases(SEED, CASES, astronaut, clip_bytes, model, recipe, astronaut_path):
        # A hang ends the test with the place where it hangs.
        faulthandler.dump_traceback_later(3 * LIMIT_S, exit=True, file=sys.__stderr__)
        begun = monotonic()
        try:
            if case.kind == "command":
                run_command(case.content, capsys, monkeypatch)
            else:
                attempt(case, analyzer, folder)
        except MienError as error:
            given = "".join(case.content) if isinstance(case.content, dict) else str(case.content)
            if "\n" in str(error) and "\n" not in given:
                failures.append(f"{case.name}: not one line: {error!r}")
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failures.append(f"{case.name}: {type(error).__name__}: {str(error)[:300]} {_short(case.content)}")
        finally:
            faulthandler.cancel_dump_traceback_later()
        if monotonic() - begun > LIMIT_S:
            failures.append(f"{case.name}: took {monotonic() - begun:.0f} s")
        if left := [str(path) for place in (temporary, work) for path in place.iterdir()]:
            failures.append(f"{case.name}: left {left}")
            for path in map(Path, left):
                path.unlink()
    assert not failures, f"{len(failures)} of {CASES}:\n" + "\n".join(failures[:40])


@pytest.mark.parametrize("number", range(max(12, CASES // 200)))
def test_the_program_itself(
    number: int, trained: Path, clip_bytes: bytes, astronaut: np.ndarray, astronaut_path: Path, tmp_path: Path
) -> None:
    """A sample through the real command line, in a process of its own."""
    dice = np.random.default_rng((SEED, number, 1))
    work, temporary, files = (tmp_path / name for name in ("work", "tmp", "files"))
    for each in (work, temporary, files):
        each.mkdir()
    seeds = picture_seeds(astronaut)
    (files / "a.jpg").write_bytes(mutate(dice, seeds[int(dice.integers(len(seeds)))][1]))
    (files / "a.mp4").write_bytes(mutate(dice, clip_bytes))
    (files / "recipe.yaml").write_text(
        yaml_text(dice, "network: cnn2-lite\nepochs: 1\nbatch_size: 8"), encoding="utf-8"
    )
    run = Path(shutil.copytree(trained, files / "run"))
    (run / "data.yaml").write_text(yaml_text(dice, (run / "data.yaml").read_text()), encoding="utf-8")
    forms = (
        ["photo", str(files), "--json"],
        ["video", str(files / "a.mp4")],
        ["evaluate", str(files)],
        ["export", str(run), "--out", str(files / "exported")],
        ["train", str(files / "recipe.yaml"), "--data", str(files), "--out", str(files / "new")],
        command(dice, astronaut_path),
    )
    arguments = [part.replace("\0", "") for part in forms[number % len(forms)]]
    if arguments[:1] in (["serve"], ["app"]):
        arguments = ["photo", ""]
    done = subprocess.run(
        [sys.executable, "-m", "mien", *arguments],
        cwd=work,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=6 * LIMIT_S,
    )
    assert done.returncode in (0, 1, 2), (arguments, done.stderr)
    assert "Traceback" not in done.stderr, (arguments, done.stderr)
    assert not [*work.iterdir(), *temporary.iterdir()], arguments
    for line in done.stdout.splitlines() if "--json" in arguments and done.returncode == 0 else ():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def _short(content: Any) -> str:
    return repr(content)[:120]
