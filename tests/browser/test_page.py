"""The page in a real browser: camera, photos, videos, without a network, and never a word to another server."""

from __future__ import annotations

import csv
import re
import shutil
import threading
import time
import wave
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import axe
import pytest

from mien.browser.serve import open_server
from mien.browser.site import page_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_MS = 120_000
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with open_server(page_files(), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium(film: Path) -> Iterator[Browser]:
    """A browser whose camera shows the film."""
    if find_spec("playwright") is None or shutil.which("chromium") is None:
        pytest.skip("playwright or chromium is not installed: pip install playwright, apt-get install chromium")
    from playwright.sync_api import sync_playwright

    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as running:
        path = shutil.which("chromium")
        with running.chromium.launch(executable_path=path, args=[*_FLAGS, *camera]) as launched:
            yield launched


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page as a new visitor, once it is ready; in the end no other server was asked and nothing failed."""
    contexts, elsewhere, complaints = [], [], []

    def note(url: str) -> None:
        if not url.startswith((address, "blob:", "data:")):
            elsewhere.append(url)

    def go(*, camera: bool = True, width: int = 1280) -> Page:
        permissions = ["camera"] if camera else []
        context = chromium.new_context(viewport={"width": width, "height": 844}, permissions=permissions)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", lambda request: note(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(address)
        page.locator("#sample .card").wait_for()
        return page

    yield go
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert complaints == []


def _is_within(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_the_sample_is_read_as_soon_as_the_page_is_there(visit: Callable[..., Page]) -> None:
    page = visit()
    assert page.locator("#sample .card strong").inner_text().startswith("happy 9")
    assert page.locator("#sample .card").get_by_text("of people would name another emotion than most").is_visible()
    assert "a guess about an expression, not about a mind" in page.locator("footer").inner_text().lower()
    assert "AI Act" in page.locator("footer").inner_text()


def test_a_camera_session_from_start_to_table(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".stream .card").first.wait_for()
    page.wait_for_timeout(3000)
    assert page.locator(".stream .card .bar").count() == 7
    assert page.locator(".stream .card").get_by_text("of people would name").count() == 0
    assert float(page.locator(".rate").get_attribute("data-rate") or 0) > 0
    page.keyboard.press("Escape")
    page.locator(".session .person").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    download.value.save_as(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["track"]]
    assert len(rows) >= 3
    assert {row["emotion"] for row in rows} <= {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"}
    assert all(abs(sum(float(v) for k, v in row.items() if k.startswith("smoothed_")) - 1) < 0.001 for row in rows)


def test_photos_one_of_them_without_a_face_and_one_broken(
    visit: Callable[..., Page], astronaut_path: Path, tmp_path: Path
) -> None:
    from PIL import Image

    broken, empty = tmp_path / "broken.jpg", tmp_path / "empty.png"
    broken.write_bytes(astronaut_path.read_bytes()[:300])
    Image.new("RGB", (200, 150), "gray").save(empty)
    page = visit()
    page.locator("#chooser").set_input_files([astronaut_path, empty, broken])
    page.locator(".heading [role=status]", has_text="1 face in 2 pictures, 1 could not be read").wait_for()
    assert page.get_by_role("button", name="Table (CSV)").is_enabled()
    assert page.locator(".photos .card strong").inner_text().startswith("happy")
    assert page.locator(".photos .notice", has_text="No face found").count() == 1
    assert "damaged" in page.locator(".photos .photo").nth(2).inner_text()


def test_no_table_of_nothing(visit: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    page = visit()
    page.locator("#chooser").set_input_files(tmp_path / "empty.jpg")
    page.locator(".heading [role=status]", has_text="0 faces in 0 pictures, 1 could not be read").wait_for()
    assert page.get_by_role("button", name="Table (CSV)").is_disabled()


def test_the_page_says_that_a_camera_is_starting(visit: Callable[..., Page]) -> None:
    page = visit()
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }")
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_role("status").get_by_text("Starting the camera").wait_for()
    page.locator("#brand").click()
    assert page.get_by_role("button", name="Start the camera").is_visible()


def test_a_video_is_read_while_it_plays(visit: Callable[..., Page], shared: Path) -> None:
    page = visit()
    page.locator("#chooser").set_input_files(shared / "media" / "woman2.mp4")
    page.locator(".stream .card").first.wait_for()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Finish").click()
    assert "woman2.mp4" in page.locator(".session h1").inner_text()


def test_other_files_are_refused_in_words(visit: Callable[..., Page], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    page = visit()
    page.locator("#chooser").set_input_files(tmp_path / "notes.txt")
    assert "notes.txt is neither a picture nor a video" in page.get_by_role("alert").inner_text()


def test_a_refused_camera_is_explained(visit: Callable[..., Page]) -> None:
    page = visit(camera=False)
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_text("The camera is not allowed").wait_for()
    assert page.get_by_role("button", name="Start the camera").is_visible()


def test_a_video_whose_pictures_cannot_be_decoded_is_refused(visit: Callable[..., Page], tmp_path: Path) -> None:
    """As with HEVC in most browsers, there is sound to play and nothing to see."""
    with wave.open(str(tmp_path / "sound.mp4"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(160_000))
    page = visit()
    page.locator("#chooser").set_input_files(tmp_path / "sound.mp4")
    page.get_by_role("alert").get_by_text("sound.mp4 cannot be played").wait_for()
    assert page.get_by_role("button", name="Start the camera").is_visible()


def test_a_camera_that_comes_late_is_closed(
    visit: Callable[..., Page], wait_until: Callable[[Callable[[], bool]], None], astronaut_path: Path
) -> None:
    page = visit()
    page.evaluate(
        """() => {
            window.cameras = [];
            const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
            devices.getUserMedia = async (wanted) => {
                await new Promise((resolve) => setTimeout(resolve, 1000));
                const camera = await open(wanted);
                window.cameras.push(camera);
                return camera;
            };
        }"""
    )
    states = "window.cameras.map((camera) => camera.getVideoTracks()[0].readyState)"
    page.locator("nav [data-action=camera]").dblclick()
    page.locator(".stream .card").first.wait_for()
    assert sorted(page.evaluate(states)) == ["ended", "live"]
    page.get_by_role("button", name="Stop").click()
    page.locator("nav [data-action=camera]").click()
    page.locator("#chooser").set_input_files(astronaut_path)
    wait_until(lambda: page.evaluate("window.cameras.length") == 3)
    page.locator(".heading [role=status]", has_text="1 face in 1 picture").wait_for()
    assert page.evaluate(states) == ["ended"] * 3
    assert page.locator(".stream").count() == 0


def test_the_button_knows_of_a_pause_by_the_player(visit: Callable[..., Page], shared: Path) -> None:
    page = visit()
    page.locator("#chooser").set_input_files(shared / "media" / "woman2.mp4")
    page.locator(".stream .card").first.wait_for()
    page.locator("video").evaluate("(video) => video.pause()")
    page.get_by_role("button", name="Resume").wait_for()


def test_back_ends_a_session_and_then_leads_to_the_start(visit: Callable[..., Page], address: str) -> None:
    page = visit()
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".stream .card").first.wait_for()
    page.go_back()
    page.get_by_role("heading", name="What the camera saw").wait_for()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.url == f"{address}#main"
    page.go_back()
    assert page.locator(".session").is_visible()
    page.go_back()
    page.get_by_role("button", name="Start the camera").wait_for()
    assert page.locator(".session").count() == 0


def test_without_a_network(visit: Callable[..., Page], astronaut_path: Path) -> None:
    page = visit()
    page.get_by_text("ready for use without a network").wait_for()
    page.context.set_offline(True)
    page.reload()
    page.locator("#sample .card").wait_for()
    page.locator("#chooser").set_input_files(astronaut_path)
    page.locator(".heading [role=status]", has_text="1 face in 1 picture").wait_for()
    page.context.set_offline(False)


def test_on_a_phone_nothing_is_cut_off(visit: Callable[..., Page], astronaut_path: Path) -> None:
    page = visit(width=360)
    assert _is_within(page)
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".stream .card").first.wait_for()
    assert _is_within(page)
    page.get_by_role("button", name="Stop").click()
    page.locator(".session").wait_for()
    assert _is_within(page)
    page.locator("#chooser").set_input_files(astronaut_path)
    page.locator(".heading [role=status]", has_text="1 face").wait_for()
    assert _is_within(page)


def test_by_keyboard_alone(visit: Callable[..., Page]) -> None:
    page = visit()
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Start the camera"
    page.keyboard.press("Enter")
    page.locator(".stream .card").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    bars = page.locator(".stream .card .bar:visible")
    for key, count in (("A", 1), ("a", 7)):
        page.keyboard.press(key)
        assert bars.count() == count
    page.keyboard.press(" ")
    page.get_by_role("button", name="Resume").wait_for()
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("q")
    page.locator(".session").wait_for()


def test_a_pause_is_no_part_of_a_session(visit: Callable[..., Page]) -> None:
    page = visit()
    begun = time.monotonic()
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".stream .card").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for()
    time.sleep(5)
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").wait_for()
    time.sleep(1)
    page.get_by_role("button", name="Stop").click()
    page.locator(".session").wait_for()
    took = time.monotonic() - begun
    minutes, seconds = map(int, re.findall(r"(\d+):(\d\d)", page.locator(".session").inner_text())[0])
    assert 60 * minutes + seconds <= took - 5


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_in_light_and_dark(visit: Callable[..., Page], astronaut_path: Path, width: int) -> None:
    page = visit(width=width)

    def check(where: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            passed = axe.check(page, f"{where}, {scheme}, {width} px")["passed"]
            assert {"color-contrast", "button-name", "target-size"} <= set(passed)

    check("the start")
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".stream .card").first.wait_for()
    check("while the camera runs")
    page.get_by_role("button", name="Stop").click()
    page.locator(".session").wait_for()
    check("a session")
    page.locator("#chooser").set_input_files(astronaut_path)
    page.locator(".heading [role=status]", has_text="1 face").wait_for()
    check("photos")


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(visit: Callable[..., Page]) -> None:
    page = visit()
    count = page.locator("a[href]:visible, button:visible:enabled, summary:visible, [tabindex='0']:visible").count()
    assert count >= 4
    reached = set()
    for _ in range(count):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => { const here = document.activeElement, style = getComputedStyle(here);
            return { html: here.outerHTML, tag: here.tagName, ring: style.outlineStyle, shadow: style.boxShadow } }"""
        )
        assert place["tag"] != "BODY", f"the keyboard leaves the page after {len(reached)} of {count} controls"
        assert place["ring"] != "none" or place["shadow"] != "none", place["html"][:100]
        reached.add(place["html"])
    assert len(reached) == count
