"""The desktop app in a real window, driven by real key presses."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from driver import App, Start, until
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.images import read_image
from mien.video import open_video

ACCENT = (87, 200, 255)


def _count(picture: NDArray[np.uint8], color: tuple[int, int, int], tolerance: int = 3) -> int:
    """How many pixels have a colour."""
    return int((np.abs(picture.astype(int) - color).max(axis=2) <= tolerance).sum())


def _boxed(picture: NDArray[np.uint8]) -> bool:
    """Whether a box or label is to be seen: a few hundred pixels in the exact colour of an emotion."""
    return any(_count(picture, emotion.color, 0) > 300 for emotion in Emotion)


def _moves(app: App) -> bool:
    before = app.picture()
    time.sleep(0.6)
    return bool((app.picture() != before).any())


@pytest.fixture(scope="module")
def app(start: Start, clip: Path) -> App:
    """The app with the clip as its camera, once a face is framed."""
    app = start("--camera", str(clip))
    until(lambda: _boxed(app.picture()), "a box around the face")
    return app


def test_the_panel_shows_the_person(app: App) -> None:
    until(lambda: _count(app.panel(), (56, 56, 56)) > 3000, "bars and timeline in the side panel")


def test_the_picture_moves_and_space_freezes_it(app: App) -> None:
    until(lambda: _moves(app), "a moving picture")
    app.press("space")
    until(lambda: not _moves(app), "a frozen picture")
    assert not _moves(app)
    app.press("space")
    until(lambda: _moves(app), "a picture that moves again")


def test_a_toggles_the_bars(app: App) -> None:
    def height() -> int:
        return int((app.panel() == 38).all(axis=2).any(axis=1).sum())

    until(lambda: height() > 180, "a card with bars")
    app.press("a")
    until(lambda: height() < 130, "a card without bars")
    app.press("A")
    until(lambda: height() > 180, "a card with bars again")


def test_s_saves_a_screenshot_with_the_box(app: App, clip: Path) -> None:
    app.press("s")
    until(lambda: len(app.saved(".png")) == 1, "a screenshot")
    picture = read_image(app.saved(".png")[0])
    assert picture.shape == (240, 320, 3)
    assert any(_count(picture[:, :, ::-1], emotion.color, 0) > 100 for emotion in Emotion)
    with open_video(clip) as video:
        plain = next(iter(video)).image
    # Apart from the box, and the sway, it is the clip's picture.
    assert abs(float(picture.mean()) - float(plain.mean())) < 25
    app.press("shift+S")
    until(lambda: len(app.saved(".png")) == 2, "a second screenshot")


def test_r_records_a_playable_video(app: App) -> None:
    app.press("r")
    until(lambda: _count(app.picture(), (255, 92, 92)) > 50, "a red mark")
    time.sleep(2)
    assert app.saved(".mp4") == []
    app.press("r")
    until(lambda: len(app.saved(".mp4")) == 1, "a recording")
    until(lambda: _count(app.picture(), (255, 92, 92)) < 50, "no red mark")
    with open_video(app.saved(".mp4")[0]) as video:
        frames = list(video)
    assert len(frames) >= 3
    assert frames[0].image.shape == (240, 320, 3)
    assert video.damage is None


def test_the_window_can_be_made_small_and_large_again(app: App) -> None:
    app.xdotool("windowsize", "--sync", app.window, "800", "560")
    until(lambda: _boxed(app.look()[60:480, 20:500]), "a box in the small window")
    # The side panel is still inside, with its bars.
    until(lambda: _count(app.look()[60:480, 520:790], (56, 56, 56)) > 2000, "the panel in the small window")
    app.xdotool("windowsize", "--sync", app.window, "1280", "800")
    until(lambda: _boxed(app.picture()), "a box in the large window")


@pytest.mark.parametrize("key", ["space", "Return"])
def test_buttons_are_reached_and_pressed_by_the_keyboard(start: Start, clip: Path, key: str) -> None:
    app = start("--camera", str(clip))
    until(lambda: _boxed(app.picture()), "a box around the face")
    # From the picture on: camera, video, pictures, pause, screenshot.
    app.press("Tab", "Tab", "Tab", "Tab", "Tab")
    app.press(key)
    until(lambda: app.saved(".png"), "a screenshot")
    until(lambda: _moves(app), "a picture that goes on")
    app.press("q")
    assert app.wait_for_end() == 0


def test_pictures_are_opened_by_the_keyboard(start: Start, clip: Path, astronaut_path: Path, tmp_path: Path) -> None:
    app = start("--camera", str(clip))
    picture = shutil.copy(astronaut_path, app.home / "face.png")
    app.press("p")
    dialog = ""

    def opened() -> bool:
        nonlocal dialog
        dialog = app.xdotool("search", "--onlyvisible", "--name", "Open pictures").split("\n")[-1]
        return bool(dialog)

    until(opened, "the dialog")
    app.xdotool("windowfocus", "--sync", dialog)
    app.xdotool("type", "--window", dialog, str(picture))
    app.press("Return")
    until(lambda: not app.xdotool("search", "--onlyvisible", "--name", "Open pictures"), "the end of the dialog")
    app.xdotool("windowfocus", "--sync", app.window)
    until(lambda: not _moves(app) and _boxed(app.picture()), "the picture, with a box around the face")
    app.press("s")
    until(lambda: app.saved(".png"), "a screenshot of the picture")
    assert read_image(app.saved(".png")[0]).shape == (512, 512, 3)
    assert str(app.home) in (app.home / "config" / "mien" / "desktop.json").read_text()
    app.press("q")
    assert app.wait_for_end() == 0


def test_missing_camera_says_so_and_retry_works(start: Start, clip: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.mp4"
    app = start("--camera", str(later))
    until(lambda: _count(app.picture(), ACCENT) > 500, "the button that tries again")
    app.press("Return")
    time.sleep(1)
    until(lambda: _count(app.picture(), ACCENT) > 500, "the button is still there")
    shutil.copy(clip, later)
    app.press("Return")
    until(lambda: _boxed(app.picture()), "the picture, now that it is there")
    app.press("Escape")
    assert app.wait_for_end() == 0


def test_a_camera_that_is_not_there_is_no_crash(start: Start) -> None:
    app = start("--camera", "93")
    until(lambda: _count(app.picture(), ACCENT) > 500, "the button that tries again")
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
            if packet.pts is not None and packet.pts * packet.time_base < 8:
                packet.stream = stream
                target.mux(packet)
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    app = start("--camera", str(broken))
    until(lambda: _boxed(app.picture()), "what can be read")
    until(lambda: _count(app.picture(), ACCENT) > 500, "the button that tries again")
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
    until(lambda: _boxed(app.picture()), "a box around the face")
    app.press("r")
    time.sleep(2)
    app.process.send_signal(signal.SIGTERM)
    assert app.wait_for_end() == 0
    (recording,) = app.saved(".mp4")
    with open_video(recording) as video:
        assert len(list(video)) >= 2
