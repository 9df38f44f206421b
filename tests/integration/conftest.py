"""What the integration tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from programs import Run

from mien.cli import main as program


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the program in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mien", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            program.main()
        return int(caught.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def clip(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a portrait, with sound."""
    import videos

    frames = videos.portrait(astronaut, 24)
    return videos.write(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, rate=12, sound="aac")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three short clips, two of the same name, one broken; and a file that is no video."""
    import videos

    folder = tmp_path / "clips"
    for name in ("a.mp4", "day2/a.mp4", "day2/c.mov"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        videos.write(folder / name, videos.numbered(3, 64, 48))
    (folder / "b.mp4").write_text("no video")
    (folder / "notes.txt").write_text("none either")
    return folder
