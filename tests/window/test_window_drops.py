"""Files dragged from another program and dropped on the window, with the mouse."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from driver import App, Start, until
from PIL import Image

from mien.images import read_image

SOURCE = Path(__file__).with_name("drag_source.py")
NO_GTK = 77


def drop(app: App, *paths: Path) -> None:
    """Drag files from a window of their own onto the picture; whether they are taken is that program's exit code."""
    source = subprocess.Popen(
        ["/usr/bin/python3", str(SOURCE), *map(str, paths)],
        env={**os.environ, "DISPLAY": app.screen, "GDK_BACKEND": "x11"},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: source.poll() is not None or app.find("^files$"), "the window with the files")
        if source.poll() == NO_GTK:
            pytest.skip("GTK is not installed: apt-get install python3-gi gir1.2-gtk-3.0")
        app.xdotool("windowmove", "--sync", app.find("^files$"), "1000", "600")
        app.xdotool("mousemove", "1050", "640", "mousedown", "1")
        # A drag begins once the pointer has moved, and goes on in steps, as a hand's does.
        for x in range(1040, 390, -50):
            app.xdotool("mousemove", str(x), "400")
            time.sleep(0.05)
        app.xdotool("mouseup", "1")
        assert source.wait(20) == 0, "the window takes the files"
    finally:
        source.kill()
        source.wait()


def test_dropped_pictures_and_videos_are_opened(start: Start, clip: Path, astronaut_path: Path, tmp_path: Path) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("the system has no Python of its own")
    pytest.importorskip("tkinterdnd2", reason="not installed: pip install 'mien[desktop]'")
    sides = {"a {face} of one.png": 512, "b.png": 420, "half { a brace.png": 360}
    for name, side in sides.items():
        Image.open(astronaut_path).resize((side, side)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    app = start("--camera", str(clip))
    until(app.is_boxed, "a box around the face")
    drop(app, tmp_path / "notes.txt")
    until(app.moves, "what is neither picture nor video changes nothing")
    drop(app, tmp_path / "notes.txt", *(tmp_path / name for name in sides))
    for number, side in enumerate(sides.values(), start=1):
        until(lambda: not app.moves() and app.is_boxed(), "a picture with a box around the face")
        app.press("s")
        until(lambda: len(app.saved(".png")) == number, "a screenshot")  # noqa: B023
        assert read_image(app.saved(".png")[-1]).shape[0] == side
        app.press("Right")
        time.sleep(0.5)
    drop(app, clip)
    until(app.moves, "the video")
    app.press("q")
    assert app.wait_for_end() == 0
    assert "Traceback" not in app.errors()
