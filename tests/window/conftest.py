"""A screen of the tests' own, the program on it, and real key presses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from driver import App, Start, until
from numpy.typing import NDArray
from PIL import Image

SCREEN = (1280, 800)


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """A virtual screen; its name, as in ``DISPLAY``."""
    pytest.importorskip("tkinter", reason="this Python has no tkinter")
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install xvfb xdotool")
    read, write = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp", "-r"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        name = f":{pipe.readline().strip()}"
    yield name
    server.terminate()
    server.wait(10)


@contextmanager
def _starter(screen: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    apps: list[App] = []

    def run(*arguments: str, home: Path | None = None) -> App:
        home = home or tmp_path_factory.mktemp("home")
        folder = home / "saved"
        if "--folder" not in arguments:
            arguments = (*arguments, "--folder", str(folder))
        settings = home / "config" / "mien" / "desktop.json"
        if not settings.exists():
            # The tests look for colors of the dark theme, whatever the system's is.
            settings.parent.mkdir(parents=True)
            settings.write_text('{"theme": "dark"}')
        environment = {**os.environ, "DISPLAY": screen, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
        with (home / "stderr.txt").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "mien.cli.main", "live", *arguments], env=environment, stderr=errors, text=True
            )
        app = App(process, screen, folder, home)
        apps.append(app)
        app.wait_for_window()
        return app

    yield run
    for app in apps:
        if app.process.poll() is None:
            app.process.kill()
            app.process.wait()


@pytest.fixture
def start(screen: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts ``mien live`` with the given arguments, and waits for its window."""
    with _starter(screen, tmp_path_factory) as run:
        yield run


@pytest.fixture(scope="module")
def start_once(screen: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """The same, for a window that several tests share."""
    with _starter(screen, tmp_path_factory) as run:
        yield run


@pytest.fixture(scope="session")
def clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a face that sways from side to side, 320x240 at 10 frames a second."""
    from mien.video import VideoWriter

    path = tmp_path_factory.mktemp("clip") / "sway.mp4"
    small = np.asarray(Image.fromarray(astronaut).resize((360, 360), Image.Resampling.BILINEAR))
    with VideoWriter(path, time_base=Fraction(1, 1000)) as video:
        for number in range(600):
            left = round(20 + 20 * np.sin(number / 5))
            video.write(np.ascontiguousarray(small[:240, left : left + 320]), number / 10)
    return path


@pytest.fixture(scope="module")
def app(start_once: Start, clip: Path) -> Iterator[App]:
    """The app with the clip as its camera, once a face is framed."""
    app = start_once("--camera", str(clip))
    until(app.is_boxed, "a box around the face")
    yield app
    app.press("q")
    assert app.wait_for_end() == 0
    assert "Traceback" not in app.errors()
