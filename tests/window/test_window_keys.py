"""Every key, in a real window."""

from __future__ import annotations

import time
from pathlib import Path

from driver import App, boxed, count, until

from mien.images import read_image
from mien.video import open_video


def test_the_panel_shows_the_person(app: App) -> None:
    until(lambda: count(app.panel(), (56, 56, 56)) > 3000, "bars and timeline in the side panel")


def test_the_picture_moves_and_space_freezes_it(app: App) -> None:
    until(app.moves, "a moving picture")
    app.press("space")
    until(lambda: not app.moves(), "a frozen picture")
    assert not app.moves()
    app.press("space")
    until(app.moves, "a picture that moves again")


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
    assert picture.shape[0] == 240
    assert boxed(picture[:, :320, ::-1], pixels=100)
    # The card beside it, with the gray of the bars.
    assert count(picture[:, 320:, ::-1], (56, 56, 56)) > 1000
    with open_video(clip) as video:
        plain = next(iter(video)).image
    # Apart from the box, and the sway, it is the clip's picture.
    assert abs(float(picture[:, :320].mean()) - float(plain.mean())) < 25
    app.press("shift+S")
    until(lambda: len(app.saved(".png")) == 2, "a second screenshot")


def test_r_records_a_playable_video(app: App) -> None:
    app.press("r")
    until(lambda: count(app.picture(), (255, 92, 92)) > 50, "a red mark")
    time.sleep(2)
    assert app.saved(".mp4") == []
    app.press("r")
    until(lambda: len(app.saved(".mp4")) == 1, "a recording")
    until(lambda: count(app.picture(), (255, 92, 92)) < 50, "no red mark")
    with open_video(app.saved(".mp4")[0]) as video:
        frames = list(video)
    assert len(frames) >= 3
    assert frames[0].image.shape[0] == 240
    assert frames[0].image.shape[1] > 500
    assert video.damage is None


def test_the_window_can_be_made_small_and_large_again(app: App) -> None:
    app.xdotool("windowsize", "--sync", app.window, "800", "560")
    until(lambda: boxed(app.look()[60:480, 20:500]), "a box in the small window")
    # The side panel is still inside, with its bars.
    until(lambda: count(app.look()[60:480, 520:790], (56, 56, 56)) > 2000, "the panel in the small window")
    app.xdotool("windowsize", "--sync", app.window, "1280", "800")
    until(app.is_boxed, "a box in the large window")
