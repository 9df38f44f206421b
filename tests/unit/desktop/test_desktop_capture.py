"""Sources, and taking frames from them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import CameraError, VideoError
from mien.live import sources
from mien.live.capture import Capture, State
from mien.live.sources import Camera, describe_source, open_source


def test_the_newest_frame_wins_and_older_ones_are_dropped(fake_source) -> None:
    source = fake_source(fps=200)
    capture = Capture(lambda: source)
    capture.start()
    numbers = []
    for _ in range(4):
        time.sleep(0.1)
        given = source.given
        grabbed = capture.take(1.0)
        assert grabbed is not None
        numbers.append(grabbed.number)
        # What is handed out is what the source gave last, or one before if it is giving just now.
        assert given - grabbed.number <= 3
    capture.stop()
    assert source.closed
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 20


def test_files_are_read_at_the_speed_they_were_taken_at(fake_source) -> None:
    capture = Capture(lambda: fake_source(count=11, fps=20, waits=True))
    start = time.monotonic()
    capture.start()
    while not capture.finished:
        capture.take(0.05)
    assert time.monotonic() - start >= 0.5
    assert capture.state is State.ENDED
    assert capture.duration_s == pytest.approx(0.55)
    capture.stop()


def test_a_paused_file_goes_on_where_it_was(fake_source, until) -> None:
    source = fake_source(count=10**6, fps=50, waits=True)
    capture = Capture(lambda: source)
    capture.start()
    until(lambda: source.given > 3)
    capture.pause(True)
    time.sleep(0.1)
    stood_at = source.given
    time.sleep(0.3)
    assert source.given == stood_at
    resumed = time.monotonic()
    capture.pause(False)
    until(lambda: source.given > stood_at + 2)
    # The 20 frames of the time that passed are not caught up with.
    given = source.given - stood_at
    assert given < 50 * (time.monotonic() - resumed) + 10
    capture.stop()


def test_a_paused_camera_is_emptied(fake_source, until) -> None:
    source = fake_source()
    capture = Capture(lambda: source)
    capture.start()
    capture.pause(True)
    given = source.given
    until(lambda: source.given > given + 5)
    capture.take(0.0)
    assert capture.take(0.1) is None
    capture.stop()


def test_a_paused_file_can_be_stopped(fake_source, until) -> None:
    source = fake_source(waits=True)
    capture = Capture(lambda: source)
    capture.pause(True)
    capture.start()
    capture.stop()
    until(lambda: source.closed)


def test_failures_are_kept_and_the_source_closed(fake_source, until) -> None:
    source = fake_source(count=3, fails=True)
    capture = Capture(lambda: source)
    capture.start()
    until(lambda: capture.state is State.FAILED and source.closed)
    assert str(capture.error) == "fake sends no more pictures"


def test_a_source_that_cannot_be_opened(until) -> None:
    def refuse() -> sources.Source:
        raise CameraError("no camera")

    capture = Capture(refuse)
    capture.start()
    until(lambda: capture.state is State.FAILED)
    assert capture.take(5.0) is None
    assert str(capture.error) == "no camera"


def test_a_defect_in_a_source_is_reported_and_not_swallowed(until, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> sources.Source:
        raise ZeroDivisionError("oops")

    capture = Capture(broken)
    capture.start()
    until(lambda: capture.state is State.FAILED)
    assert "oops" in str(capture.error)
    assert "ZeroDivisionError" in caplog.text


def test_a_source_that_hangs_does_not_hang_the_app() -> None:
    gate = threading.Event()

    def hang() -> sources.Source:
        gate.wait(20)
        raise CameraError("too late")

    capture = Capture(hang)
    capture.start()
    start = time.monotonic()
    capture.stop(timeout_s=0.2)
    assert time.monotonic() - start < 2
    gate.set()


class _VideoCapture:
    """OpenCV's class, as far as it is used, with two frames."""

    opened = True

    def __init__(self, number: int) -> None:
        self.frames, self.released = 2, False

    def set(self, key: int, value: float) -> bool:
        return True

    def isOpened(self) -> bool:  # noqa: N802
        return self.opened

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.frames -= 1
        return (True, np.zeros((4, 6, 3), np.uint8)) if self.frames >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


def test_camera_gives_frames_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", _VideoCapture)
    camera = Camera(0)
    first, second = camera.read(), camera.read()
    assert first is not None
    assert second is not None
    assert first[0].shape == (4, 6, 3)
    assert 0 <= first[1] <= second[1]
    with pytest.raises(CameraError, match="camera 0 sends no more pictures; plug it in again"):
        camera.read()
    camera.close()


def test_busy_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", type("Busy", (_VideoCapture,), {"opened": False}))
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(CameraError, match="camera 0 cannot be opened: it is missing, or another program uses it"):
        Camera(0)


def test_missing_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", type("Absent", (_VideoCapture,), {"opened": False}))
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(CameraError, match=r"camera 91 was not found; .*Plug one in, then try again"):
        open_source("91")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", "camera 0"), ("a/b/walk.mp4", "walk.mp4"), ("rtsp://door/1", "rtsp://door/1")],
)
def test_names_of_sources(text: str, expected: str) -> None:
    assert describe_source(text) == expected


def test_a_file_that_is_missing_or_no_video(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        open_source(str(tmp_path / "none.mp4"))
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(VideoError, match="expected a video"):
        open_source(str(tmp_path / "text.mp4"))


def test_an_address_that_nobody_answers_at() -> None:
    with pytest.raises(CameraError, match="cannot be reached"):
        open_source("http://127.0.0.1:9/stream")
