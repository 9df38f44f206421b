"""The web app's videos and cameras without a browser."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.emotions import Emotion
from mien.errors import MienError, VideoError

pytest.importorskip("streamlit_webrtc", reason="not installed: pip install 'mien[app]'")

import av

from mien.apps.web.connection import Connection
from mien.apps.web.videos import Progress, read_video
from mien.video import VideoWriter

Frame = NDArray[np.uint8]

# Videos


@pytest.fixture(scope="module")
def clip(astronaut: Frame, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path) as video:
        for number in range(12):
            video.write(astronaut[:240, 60:300].copy(), number / 12)
    return path.read_bytes()


@contextmanager
def _temp(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """Temporary files go to this folder, and none may be left."""
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def test_a_video_is_read_in_one_pass(
    analyzer: Analyzer, clip: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _temp(monkeypatch, tmp_path):
        report = read_video(analyzer, clip, lambda progress: None)
    assert report.summary.frames == 12
    assert list(report.summary.tracks) == [1]
    assert report.remarks == ()
    assert len(list(csv.DictReader(io.StringIO(report.tables[".csv"].decode())))) == 12
    assert report.portraits[1].startswith('<img alt="" src="data:image/jpeg')
    strip = report.strips[1]
    assert not np.isnan(strip).any()
    assert strip.sum(axis=1) == pytest.approx(1, abs=0.01)
    with av.open(io.BytesIO(report.video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12


def test_leaving_while_a_video_is_read_leaves_no_file(
    analyzer: Analyzer, clip: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LeftError(BaseException):
        """As Streamlit ends a page."""

    def leave(progress: Progress) -> None:
        raise LeftError

    monkeypatch.setattr("mien.apps.web.videos._STEP_S", -1.0)
    with _temp(monkeypatch, tmp_path), pytest.raises(LeftError):
        read_video(analyzer, clip, leave)


def test_a_video_that_is_stopped_at_once_has_its_first_frame(analyzer: Analyzer, clip: bytes) -> None:
    report = read_video(analyzer, clip, lambda progress: None, cancelled=lambda: True)
    assert report.summary.frames == 1
    with av.open(io.BytesIO(report.video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 1
    assert report.remarks[0].startswith("Stopped at 0:00")


def test_a_broken_video_is_told_without_paths(
    analyzer: Analyzer, clip: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _temp(monkeypatch, tmp_path), pytest.raises(VideoError, match="^video: is not a video") as error:
        read_video(analyzer, clip[: len(clip) // 2], lambda progress: None)
    assert str(tmp_path) not in str(error.value)


# Cameras


def _send(connection: Connection, *frames: Frame) -> Frame:
    """What comes back for frames that have piled up."""
    (back,) = asyncio.run(
        connection.recv_queued([av.VideoFrame.from_ndarray(frame, format="bgr24") for frame in frames])
    )
    return np.asarray(back.to_ndarray(format="bgr24"), np.uint8)


def test_the_newest_frame_wins(analyzer: Analyzer, astronaut: Frame) -> None:
    connection = Connection(analyzer)
    blank = np.zeros((200, 300, 3), np.uint8)
    back = _send(connection, blank, blank, astronaut)
    assert back.shape == astronaut.shape
    state = connection.state(columns=30)
    assert [person.face.emotion for person in state.people] == [Emotion.HAPPY]
    assert state.size == (512, 512)
    assert state.histories[0].shape == (30, 7)
    assert not np.isnan(state.histories[0][-1]).any()
    picture = cv2.imdecode(np.frombuffer(connection.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    # The picture that goes back is a mirror, what is saved is not; both have a box, the mirror's without a number.
    assert 0 < (picture != astronaut).any(axis=2).mean() < 0.1
    assert 0 < (back != astronaut[:, ::-1]).any(axis=2).mean() < 0.1


def test_there_is_no_screenshot_before_the_first_frame(analyzer: Analyzer) -> None:
    with pytest.raises(MienError, match="no picture yet"):
        Connection(analyzer).screenshot()


def test_two_connections_have_nothing_in_common(analyzer: Analyzer, astronaut: Frame) -> None:
    one, other = Connection(analyzer), Connection(analyzer)
    _send(one, astronaut)
    _send(other, np.zeros((100, 100, 3), np.uint8))
    assert len(one.state(10).people) == 1
    assert other.state(10).people == []


def test_a_recording_survives_the_connection_and_its_file_does_not(
    analyzer: Analyzer, astronaut: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection(analyzer)
    with _temp(monkeypatch, tmp_path):
        _send(connection, astronaut)
        connection.start_recording()
        assert connection.recording
        for _ in range(3):
            _send(connection, astronaut)
        connection.on_ended()
    assert not connection.recording
    recording = connection.take_recording()
    assert recording is not None
    with av.open(io.BytesIO(recording)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3
    assert connection.take_recording() is None
    assert connection.state(10).people == []
    connection.start_recording()
    assert not connection.recording


def test_a_recording_ends_by_itself(analyzer: Analyzer, astronaut: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.apps.web.connection.LONGEST_RECORDING_S", 0.0)
    connection = Connection(analyzer)
    connection.start_recording()
    _send(connection, astronaut)
    assert not connection.recording
    assert connection.take_recording() is not None


def test_a_picture_goes_on_when_reading_it_fails(analyzer: Analyzer, astronaut: Frame) -> None:
    class Broken(Analyzer):
        def __init__(self) -> None:
            self.options = analyzer.options

    connection = Connection(Broken())
    assert (_send(connection, astronaut) == astronaut).all()
    assert "Reading the picture failed" in connection.state(10).error


def test_one_frame_that_cannot_be_read_is_soon_forgotten(analyzer: Analyzer, astronaut: Frame) -> None:
    connection = Connection(analyzer)
    look, connection._look = connection._look, lambda image: 1 / 0  # type: ignore[assignment,return-value]
    _send(connection, astronaut)
    assert connection.state(10).error
    connection._look = look  # type: ignore[method-assign]
    _send(connection, astronaut)
    assert not connection.state(10).error
