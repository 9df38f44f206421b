"""The page Live: a real browser's camera goes to the server by WebRTC and comes back with boxes on it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.emotions import Emotion

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

Visit = Callable[..., "Page"]
Wait = Callable[[Callable[[], bool]], None]

# Lets the browser use relays alone, of which there are none: the network is in the way.
_BLOCKED = """
const Original = window.RTCPeerConnection;
window.RTCPeerConnection = function (settings, ...rest) {
  return new Original({ ...settings, iceTransportPolicy: "relay" }, ...rest);
};
"""

_GRAB = """
(video) => {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}
"""


_IN_USE = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("in use", "NotReadableError"));
"""

_INSECURE = "Object.defineProperty(window, 'isSecureContext', { get: () => false });"


def _streamer(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[title*=webrtc]")


def _start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()


def _drawn(picture: NDArray[np.uint8], emotion: Emotion) -> int:
    """How many pixels have the color of an emotion, give or take what video compression does to colors."""
    difference = np.abs(picture.astype(int) - np.array(emotion.color[::-1])).max(axis=2)
    return int((difference < 60).sum())


def _decode(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _bars(page: Page) -> dict[str, float]:
    """What the bars of the first card show right now; nothing while the card is being replaced."""
    read: list[Any] = page.evaluate(
        "[...(document.querySelector('.mien-card')?.querySelectorAll('.mien-bar') ?? [])]"
        ".map((bar) => [bar.dataset.emotion, Number(bar.dataset.value)])"
    )
    return dict(read)


def test_a_stream_comes_back_with_boxes_and_everything_moves(
    visit: Visit, wait_until: Wait, film: Path, tmp_path: Path
) -> None:
    page = visit(camera=True)
    stage = page.locator(".mien-stage")
    stage.wait_for()
    box = stage.bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(4 / 3, abs=0.02)
    assert page.get_by_role("button", name="Screenshot").count() == 0
    _start(page)

    video = _streamer(page).locator("video")
    wait_until(lambda: video.count() == 1 and video.evaluate("v => v.videoWidth > 0"))
    before = video.evaluate("v => v.currentTime")
    wait_until(lambda: video.evaluate("v => v.currentTime") > before + 1)
    page.locator(".mien-bars").first.wait_for()
    with film.open("rb") as file:
        file.readline()
        file.readline()
        raw = np.frombuffer(file.read(320 * 240 * 3 // 2), np.uint8).reshape(360, 320)
    assert _drawn(cv2.cvtColor(raw, cv2.COLOR_YUV2BGR_I420), Emotion.HAPPY) < 100
    wait_until(lambda: _drawn(_decode(base64.b64decode(video.evaluate(_GRAB))), Emotion.HAPPY) > 300)

    seen: set[tuple[float, ...]] = set()

    def moving() -> bool:
        bars = _bars(page)
        if bars:
            assert list(bars) == [emotion.value for emotion in Emotion]
            assert sum(bars.values()) == pytest.approx(1, abs=0.01)
            seen.add(tuple(bars.values()))
        return len(seen) >= 4

    wait_until(moving)
    wait_until(lambda: max(_bars(page).items(), key=lambda item: item[1], default=("", 0))[0] == "happy")
    assert stage.is_hidden()
    label = page.locator(".mien-strip[aria-label*='the last 30 seconds']")
    wait_until(lambda: label.count() == 1)
    assert "FPS" in page.locator(".mien-rate").inner_text()

    def white() -> int:
        picture = _decode(base64.b64decode(video.evaluate(_GRAB)))
        return int((picture > 235).all(axis=2).sum())

    plain = white()
    page.locator(".mien-people .mien-card").hover()
    wait_until(lambda: white() > plain + 300)
    page.mouse.move(5, 5)
    wait_until(lambda: white() < plain + 200)

    with page.expect_download() as download:
        page.get_by_role("button", name="Screenshot").click()
    # Not fetched from the server, which forgets files that are made on demand before a slow line has them.
    assert download.value.url.startswith("blob:")
    screenshot = _decode(Path(download.value.path()).read_bytes())
    assert screenshot.shape == (240, 320, 3)
    assert _drawn(screenshot, Emotion.HAPPY) > 300

    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text(re.compile(r"recording ([2-9]|\d\d+) s")).wait_for()
    page.get_by_role("button", name="End recording").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save recording", exact=True).click()
    download.value.save_as(tmp_path / "recording.mp4")
    with av.open(str(tmp_path / "recording.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) >= 2
    assert _drawn(np.asarray(frames[-1], np.uint8), Emotion.HAPPY) > 200
    wait_until(lambda: page.locator("video").evaluate("v => v.duration > 1.5"))

    page.get_by_placeholder("Note for this moment").fill("the door opens")
    page.get_by_role("button", name="Mark", exact=True).click()
    page.get_by_text("1 marker, the last at").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Your session").wait_for()
    wait_until(lambda: page.locator(".mien-bars").count() == 0)
    assert page.get_by_role("button", name="Start", exact=True).is_visible()
    assert page.get_by_role("button", name="Screenshot").count() == 0


def test_a_session_stays_when_another_page_is_looked_at(visit: Visit) -> None:
    page = visit(camera=True)
    _start(page)
    page.locator(".mien-bars").first.wait_for()
    page.get_by_placeholder("Note for this moment").fill("the door opens ![now](https://elsewhere.example/now.png)")
    page.get_by_role("button", name="Mark", exact=True).click()
    page.get_by_text("1 marker, the last at").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Your session").wait_for()
    page.get_by_role("link", name="Model", exact=True).click()
    page.get_by_text("How sure is sure").wait_for()
    page.get_by_role("link", name="Live", exact=True).click()
    page.locator(".mien-card", has_text="mostly happy").wait_for()
    saved = {}
    for name in ("CSV", "JSON", "Timeline", "Report"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        saved[name] = Path(download.value.path()).read_bytes()
    assert {row["track"] for row in csv.DictReader(io.StringIO(saved["CSV"].decode()))} == {"1"}
    assert "the door opens" in saved["JSON"].decode()
    json.loads(saved["JSON"])
    assert _decode(saved["Timeline"]).ndim == 3
    assert "the door opens" in saved["Report"].decode()


def test_a_recording_ends_with_the_connection(visit: Visit, wait_until: Wait, server: Any) -> None:
    page = visit(camera=True)
    _start(page)
    page.locator(".mien-bars").first.wait_for()
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_text(re.compile(r"recording ([1-9]|\d\d+) s")).wait_for()
    assert list(server.temp.glob("mien-*"))
    page.get_by_role("link", name="Photo").click()
    page.get_by_role("button", name="Try it with a sample").wait_for()
    wait_until(lambda: not list(server.temp.glob("mien-*")))


def test_a_camera_refused_is_explained(visit: Visit) -> None:
    page = visit()
    _start(page)
    page.get_by_role("heading", name="Camera access denied").wait_for()
    assert page.get_by_text("Allow it with the camera or lock icon").is_visible()
    assert page.get_by_role("button", name="Try again").is_visible()
    assert page.get_by_text("NotAllowedError").count() == 0


def test_a_missing_camera_is_explained(visit: Visit, browser_without_camera: Browser) -> None:
    page = visit(camera=True, through=browser_without_camera)
    _start(page)
    page.get_by_role("heading", name="No camera was found").wait_for()


def test_a_camera_in_use_is_explained_in_our_words(visit: Visit) -> None:
    page = visit(camera=True, script=_IN_USE)
    _start(page)
    page.get_by_role("heading", name="The camera is in use").wait_for()
    assert page.get_by_text("Close the other program").is_visible()
    assert not _streamer(page).get_by_text("NotReadableError").is_visible()
    for name in ("Open a photo", "Open a video"):
        assert page.get_by_role("link", name=name).is_visible()
    page.get_by_role("button", name="Try a sample").click()
    page.locator(".mien-photo .mien-card").wait_for()


def test_an_insecure_page_names_the_address_with_its_port(visit: Visit, server: Any) -> None:
    page = visit(camera=True, script=_INSECURE)
    page.get_by_role("heading", name="Browsers give their camera to secure pages only").wait_for()
    assert page.get_by_text(f"open it as {server.url}.").is_visible()
    assert page.get_by_role("button", name="Try again").is_disabled()


def test_a_blocked_network_is_explained_and_snapshots_work(visit: Visit, wait_until: Wait) -> None:
    page = visit(camera=True, script=_BLOCKED)
    _start(page)
    page.get_by_text("Could not connect.").wait_for()
    assert page.get_by_text("--ice-server").is_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("Snapshots", exact=True).click()
    camera = page.locator("[data-testid=stCameraInput] video")
    # A picture taken before the camera has woken up is black.
    wait_until(lambda: camera.count() == 1 and camera.evaluate("v => v.readyState >= 2 && v.currentTime > 0.5"))
    page.get_by_role("button", name="Take Photo").click()
    page.locator(".mien-card").get_by_text("happy").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Annotated picture").click()
    assert _drawn(_decode(Path(download.value.path()).read_bytes()), Emotion.HAPPY) > 300


def test_nobody_sees_another_visitors_camera(visit: Visit) -> None:
    mine, other = visit(camera=True), visit(camera=True)
    _start(mine)
    mine.locator(".mien-bars").first.wait_for()
    other.reload()
    other.get_by_role("button", name="Start", exact=True).wait_for()
    assert other.locator(".mien-card").count() == 0
