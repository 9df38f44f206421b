"""Whatever comes in: an answer that holds together, or one line. Never a traceback, a hang, or a file left behind.

    make fuzz SEED=7 CASES=20000

tries other cases than the usual ones; the environment variables MIEN_FUZZ_SEED and MIEN_FUZZ_CASES do the same.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np
import pytest
from generate import Case, cases

import mien
from mien.analyzer import Analyzer
from mien.classification.model_config import SHIPPED, load_config
from mien.errors import MienError
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
    else:
        from mien.evaluation.datasets import load_faces

        path = folder / "fer2013.csv"
        path.write_text(case.content, encoding="utf-8")
        faces = load_faces(path)
        assert set(np.unique(faces.labels)) <= set(range(7))


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
    (folder / "model.onnx").write_bytes((SHIPPED / "mien-1-tiny/model.onnx").read_bytes())
    model = json.loads((SHIPPED / "mien-1-tiny/config.json").read_text(encoding="utf-8"))
    failures = []
    for case in cases(SEED, CASES, astronaut, clip_bytes, model, astronaut_path):
        # A hang ends the test with the place where it hangs.
        faulthandler.dump_traceback_later(3 * LIMIT_S, exit=True, file=sys.__stderr__)
        begun = monotonic()
        try:
            if case.kind == "options":
                run_command(case.content, capsys, monkeypatch)
            else:
                attempt(case, analyzer, folder)
        except MienError as error:
            if "\n" in str(error) and "\n" not in str(case.content):
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


def _short(content: Any) -> str:
    return repr(content)[:120]
