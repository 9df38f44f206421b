"""axe-core finds nothing against WCAG 2.2 AA on any page, dark and light, and the keyboard reaches everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.apps.web.theme import DARK, LIGHT
from mien.live.colors import rgb
from mien.video import VideoWriter

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]

pytest.importorskip("axe_playwright_python")
pytestmark = pytest.mark.slow

_GROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


def _check(page: Page, where: str) -> dict[str, Any]:
    """Run axe in the page and its frames, in light and dark colors; it must find nothing."""
    outcome: dict[str, Any] = {}
    for scheme, colors in (("light", LIGHT), ("dark", DARK)):
        page.emulate_media(color_scheme=scheme)
        ground = ", ".join(map(str, rgb(colors["background"])))
        page.wait_for_function(f"{_GROUND} === 'rgb({ground})'")
        outcome = axe.check(page, f"{where}, {scheme}")
    return outcome


def _upload(page: Page, *paths: Path) -> None:
    page.locator("input[type=file]").set_input_files([str(path) for path in paths])


@pytest.fixture(scope="module")
def group(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of three people."""
    path = tmp_path_factory.mktemp("group") / "group.png"
    cv2.imwrite(str(path), np.hstack([astronaut[:280, 100:350]] * 3))
    return path


@pytest.fixture(scope="module")
def short_clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a face."""
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    with VideoWriter(path) as video:
        for number in range(8):
            video.write(np.ascontiguousarray(astronaut[:280, 100:350]), number / 15)
    return path


def test_live_and_its_camera_frame(visit: Visit) -> None:
    page = visit(camera=True)
    start = page.get_by_role("button", name="Start", exact=True)
    start.wait_for()
    assert "color-contrast" in _check(page, "Live before the start")["passed"]
    start.click()
    page.locator(".mien-people .mien-bars").first.wait_for()
    assert _check(page, "Live while it runs")["frames"], "the camera's frame was not entered"
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Your session").wait_for()
    _check(page, "a session")


def test_photo_video_and_model(visit: Visit, group: Path, short_clip: Path, tmp_path: Path) -> None:
    page = visit("/photo")
    page.get_by_role("button", name="Try it with a sample").wait_for()
    _check(page, "Photo, empty")
    (tmp_path / "notes.jpg").write_text("no picture")
    _upload(page, group, tmp_path / "notes.jpg")
    page.locator(".mien-row").first.wait_for()
    page.get_by_text("is not a picture in a known format").wait_for()
    _check(page, "three people, and a message")
    page.get_by_role("link", name="Video", exact=True).click()
    page.get_by_role("heading", name="Video").wait_for()
    _upload(page, short_clip)
    page.get_by_role("heading", name="Over time").wait_for()
    _check(page, "Video")
    page.get_by_role("link", name="Model", exact=True).click()
    page.get_by_text("The model card").click()
    page.get_by_text("What it must not be used for").wait_for()
    _check(page, "Model")


def test_a_camera_refused_on_a_phone(visit: Visit) -> None:
    page = visit(width=360)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("heading", name="Camera access denied").wait_for()
    _check(page, "Camera access denied")


def test_a_session_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit(camera=True)
    page.get_by_role("button", name="Start", exact=True).wait_for()

    def reach(name: str) -> None:
        """Press Tab until a control of this name has the focus, which must be visible."""
        for _ in range(60):
            page.keyboard.press("Tab")
            focused, ring = page.evaluate(
                "((control) => [(control.ariaLabel || control.placeholder || control.innerText || '').trim(),"
                " getComputedStyle(control).outlineStyle])(document.activeElement)"
            )
            if focused.endswith(name):
                assert ring != "none", f"{name}: no ring"
                return
        pytest.fail(f"Tab never reaches {name}")

    reach("Photo")
    reach("Start")
    page.keyboard.press("Enter")
    page.locator(".mien-people .mien-bars").first.wait_for()
    reach("Mark")
    page.keyboard.press("Enter")
    page.get_by_text("1 marker, the last at").wait_for()
    reach("Stop")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Report", exact=True).wait_for()
    reach("Report")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".html")
