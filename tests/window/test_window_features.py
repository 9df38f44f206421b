"""Markers, sessions, blurring, explanations, colors and the list of cameras, in a real window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from driver import App, count, until
from numpy.typing import NDArray

from mien.images import read_image

LIGHT, DARK = (250, 250, 250), (28, 28, 28)


def test_t_changes_the_colors_and_remembers_them(app: App) -> None:
    until(lambda: count(app.look(), DARK) > 50_000, "dark colors")
    app.press("t")
    until(lambda: count(app.look(), LIGHT) > 50_000, "light colors")
    settings = app.home / "config" / "mien" / "desktop.json"
    until(lambda: json.loads(settings.read_text())["theme"] == "light", "the choice on disk")
    app.press("t")
    until(lambda: count(app.look(), DARK) > 50_000, "dark colors again")


def test_b_blurs_what_is_saved_and_w_explains_only_without_it(app: App) -> None:
    def detail(path: Path) -> float:
        """How much differs from pixel to pixel in the middle of the picture, where the face is."""
        return float(np.abs(np.diff(read_image(path)[40:160, 100:220].astype(int), axis=1)).mean())

    def save() -> Path:
        before = app.saved(".png")
        app.press("s")
        until(lambda: len(app.saved(".png")) > len(before), "a picture")
        return (set(app.saved(".png")) - set(before)).pop()

    sharp = save()
    app.press("b")
    blurred = save()
    assert detail(blurred) < 0.8 * detail(sharp)
    app.press("w")
    until(app.moves, "no explanation: the picture goes on")
    app.press("b")
    app.press("w")
    plain = read_image(sharp).shape
    until(lambda: read_image(save()).shape != plain, "an explanation")
    app.press("b")
    assert read_image(save()).shape == plain, "the explanation is still there"
    app.press("b")
    until(app.moves, "the picture again")


def test_the_list_of_cameras_opens_by_the_keyboard(app: App) -> None:
    until(app.moves, "a moving picture")
    app.press("space")
    until(lambda: not app.moves(), "a picture that stands still")

    def below_the_button() -> NDArray[np.uint8]:
        return app.look()[46:60, 20:160]

    before = below_the_button()
    app.press("Tab", "space")
    until(lambda: not np.array_equal(below_the_button(), before), "the menu")
    assert not app.moves(), "the key is the button's and does not resume"
    app.press("Escape")
    until(lambda: np.array_equal(below_the_button(), before), "no menu")
    app.press("shift+Tab", "space")
    until(app.moves, "the picture goes on")


def test_m_marks_and_e_leaves_a_session_to_save(app: App) -> None:
    app.press("m")
    app.answer("Marker", "the door opens")
    app.press("e")
    until(lambda: not app.moves(), "the summary")
    app.press("s")
    until(lambda: list(app.folder.glob("*/report.html")), "a report")
    (report,) = app.folder.glob("*/report.html")
    assert {path.name for path in report.parent.iterdir()} == {
        "session.csv",
        "session.json",
        "timeline.png",
        "report.html",
    }
    assert "the door opens" in report.read_text(encoding="utf-8")
    assert "the door opens" in (report.parent / "session.csv").read_text(encoding="utf-8")
