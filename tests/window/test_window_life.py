"""The window from its start to its end: cameras, dialogs, failures, quitting."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest
from driver import Start, count, until

from mien.analyzer import Analyzer
from mien.images import read_image
from mien.video import open_video

ACCENT = (87, 200, 255)


@pytest.mark.parametrize("key", ["space", "Return"])
def test_buttons_are_reached_and_pressed_by_the_keyboard(start: Start, clip: Path, key: str) -> None:
    app = start("--camera", str(clip))
    until(app.is_boxed, "a box around the face")
    # From the picture on: camera, video, pictures, pause, screenshot.
    app.press("Tab", "Tab", "Tab", "Tab", "Tab")
    app.press(key)
    until(lambda: app.saved(".png"), "a screenshot")
    until(app.moves, "a picture that goes on")
    app.press("q")
    assert app.wait_for_end() == 0


def test_no_button_is_cut_off_in_the_smallest_window(screen: str, analyzer: Analyzer, tmp_path: Path) -> None:
    import tkinter as tk
    from tkinter import ttk

    from mien.apps.desktop.session import Session
    from mien.apps.desktop.window import Window

    root = tk.Tk(screenName=screen)
    session = Session(analyzer, tmp_path, tmp_path / "settings.json")
    try:
        Window(root, session)
        root.geometry("x".join(map(str, root.minsize())))
        root.update()
        kinds = (ttk.Button, ttk.Menubutton)
        buttons = [child for child in root.winfo_children()[0].winfo_children() if isinstance(child, kinds)]
        assert {"Camera", "Session", "More"} <= {button.cget("text") for button in buttons}
        for button in buttons:
            assert button.winfo_width() >= button.winfo_reqwidth()
    finally:
        root.destroy()
        session.close()


def test_pictures_are_opened_by_the_keyboard(start: Start, clip: Path, astronaut_path: Path, tmp_path: Path) -> None:
    app = start("--camera", str(clip))
    picture = shutil.copy(astronaut_path, app.home / "face.png")
    app.press("p")
    app.answer("Open pictures", str(picture))
    until(lambda: not app.moves() and app.is_boxed(), "the picture, with a box around the face")
    app.press("s")
    until(lambda: app.saved(".png"), "a screenshot of the picture")
    height, width = read_image(app.saved(".png")[0]).shape[:2]
    assert height == 512
    assert width > 512 + 200, "the cards beside the picture"
    assert str(app.home) in (app.home / "config" / "mien" / "desktop.json").read_text()
    app.press("q")
    assert app.wait_for_end() == 0


def test_missing_camera_says_so_and_retry_works(start: Start, clip: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.mp4"
    app = start("--camera", str(later))
    until(lambda: count(app.picture(), ACCENT) > 500, "the button that tries again")
    app.press("Return")
    time.sleep(1)
    until(lambda: count(app.picture(), ACCENT) > 500, "the button is still there")
    shutil.copy(clip, later)
    app.press("Return")
    until(app.is_boxed, "the picture, now that it is there")
    app.press("Escape")
    assert app.wait_for_end() == 0


def test_a_camera_that_is_not_there_is_no_crash(start: Start) -> None:
    app = start("--camera", "93")
    until(lambda: count(app.picture(), ACCENT) > 500, "the button that tries again")
    app.press("space")
    app.press("q")
    assert app.wait_for_end() == 0
    assert "Traceback" not in app.errors()


def test_a_clip_that_breaks_off_is_shown_and_then_reported(start: Start, clip: Path, tmp_path: Path) -> None:
    import av

    # The index first, so that what is left can be read.
    whole, broken = tmp_path / "whole.mp4", tmp_path / "broken.mp4"
    with av.open(str(clip)) as source, av.open(str(whole), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None and packet.pts * packet.time_base < 30:
                packet.stream = stream
                target.mux(packet)
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    app = start("--camera", str(broken))
    until(app.is_boxed, "what can be read")
    until(lambda: count(app.picture(), ACCENT) > 500, "the button that tries again")
    app.press("q")
    assert app.wait_for_end() == 0


@pytest.mark.parametrize("key", ["q", "Q", "Escape"])
def test_quitting_ends_the_program(start: Start, clip: Path, key: str) -> None:
    app = start("--camera", str(clip))
    app.press(key)
    assert app.wait_for_end() == 0
    assert "Traceback" not in app.errors()


def test_a_signal_ends_it_with_the_recording_saved(start: Start, clip: Path) -> None:
    app = start("--camera", str(clip))
    until(app.is_boxed, "a box around the face")
    app.press("r")
    until(lambda: count(app.picture(), (255, 92, 92)) > 50, "a red mark")
    time.sleep(2)
    app.process.send_signal(signal.SIGTERM)
    assert app.wait_for_end() == 0
    (recording,) = app.saved(".mp4")
    with open_video(recording) as video:
        assert len(list(video)) >= 2
