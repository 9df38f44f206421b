"""Strips, colors, portraits, cameras and the recorder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.emotions import Emotion
from mien.live import sources
from mien.live.colors import LEAST_CONTRAST, contrast, edge_color, hexadecimal, rgb
from mien.live.meter import RateMeter
from mien.live.mirror import mirror
from mien.live.portraits import Portraits
from mien.live.recorder import Recorder
from mien.live.strips import average_columns
from mien.results import Face, FrameResult
from mien.video import open_video


def _row(emotion: Emotion) -> list[float]:
    return [1.0 if e is emotion else 0.0 for e in Emotion]


def test_columns_average_what_lies_in_them() -> None:
    columns = average_columns([0.1, 0.4, 1.2], [_row(Emotion.HAPPY), _row(Emotion.SAD), _row(Emotion.SAD)], 0.0, 1.0, 2)
    assert columns[0, [Emotion.HAPPY.number, Emotion.SAD.number]] == pytest.approx([0.5, 0.5])
    assert columns[1, Emotion.SAD.number] == 1.0


@pytest.mark.parametrize(
    ("times", "filled"),
    [
        ([0.05, 0.15, 0.55, 0.65], True),
        ([0.05, 0.15, 0.25, 0.35, 1.95], False),
        ([0.05, 1.05, 2.05, 3.05], True),
    ],
    ids=["missed for less than half a second", "away for longer", "one frame per second"],
)
def test_gaps_are_bridged_by_one_rule(times: list[float], filled: bool) -> None:
    columns = average_columns(times, [_row(Emotion.FEAR)] * len(times), 0.0, 0.1, int(times[-1] * 10) + 1)
    assert bool(np.isnan(columns).any()) is not filled


def test_a_person_never_seen_has_empty_columns() -> None:
    assert np.isnan(average_columns([], np.zeros((0, 7)), 0.0, 1.0, 4)).all()
    assert np.isnan(average_columns([9.0], [_row(Emotion.SAD)], 0.0, 1.0, 4)).all()


@pytest.mark.parametrize("ground", ["#30333b", "#e4e1d8", "#383838", "#dedede", "#262626", "#ffffff"])
@pytest.mark.parametrize("emotion", list(Emotion))
def test_edges_of_bars_stand_out_from_every_ground(ground: str, emotion: Emotion) -> None:
    assert contrast(edge_color(emotion, rgb(ground)), rgb(ground)) >= LEAST_CONTRAST


def test_a_color_that_stands_out_stays_as_it_is() -> None:
    assert edge_color(Emotion.HAPPY, (20, 20, 20)) == Emotion.HAPPY.color
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert rgb(hexadecimal((1, 22, 255))) == (1, 22, 255)


def test_portraits_are_taken_from_the_best_frame(result_at) -> None:
    from dataclasses import replace

    portraits = Portraits()
    far = result_at(0.0, p1=Emotion.HAPPY)
    near = replace(far, faces=(replace(far.faces[0], box=(0, 0, 80, 80)),))
    portraits.add(np.full((100, 100, 3), 50, np.uint8), far)
    portraits.add(np.full((100, 100, 3), 200, np.uint8), near)
    portraits.add(np.full((100, 100, 3), 90, np.uint8), far)
    picture = cv2.imdecode(np.frombuffer(portraits.pictures[1], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (96, 96, 3)
    assert abs(float(picture.mean()) - 200) < 3


def test_frames_that_arrive_several_at_once_do_not_raise_the_rate() -> None:
    meter = RateMeter(window_s=10.0)
    for burst in range(11):
        for _ in range(3):
            meter.tick(burst / 10)
    assert meter.rate(1.0) == pytest.approx(30.0)


def test_cameras_are_listed_with_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    devices, names = tmp_path / "dev", tmp_path / "names"
    devices.mkdir()
    for number, index, name in ((0, "0", "Built-in"), (1, "1", "Built-in metadata"), (10, "0", "Stick")):
        (devices / f"video{number}").touch()
        entry = names / f"video{number}"
        entry.mkdir(parents=True)
        (entry / "index").write_text(index)
        (entry / "name").write_text(f"{name}\n")
    (devices / "video2").touch()
    found = sources.list_cameras(devices, names)
    assert [(camera.number, camera.name) for camera in found] == [(0, "Built-in"), (2, "Camera 2"), (10, "Stick")]
    monkeypatch.setattr("sys.platform", "win32")
    assert [camera.number for camera in sources.list_cameras()] == [0, 1, 2, 3]


def test_a_recording_leaves_pauses_out_as_a_session_does(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "cut.mp4")
    frame = np.full((48, 64, 3), 120, np.uint8)
    for time_s in (0.0, 0.5, 90.5, 91.0):
        recorder.write(frame, time_s)
    assert recorder.length_s == pytest.approx(1.5)
    assert recorder.finish() is not None
    with open_video(tmp_path / "cut.mp4") as video:
        assert [image.time_s for image in video] == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=0.01)


def test_a_mirror_exchanges_left_and_right() -> None:
    frame = np.arange(4 * 10 * 3, dtype=np.uint8).reshape(4, 10, 3)
    even = dict.fromkeys(Emotion, 1 / 7)
    face = Face((1, 0, 3, 2), 1.0, Emotion.HAPPY, 1 / 7, even, uncertain=True)
    mirrored, result = mirror(frame, FrameResult("camera 0", 10, 4, (face,)))
    np.testing.assert_array_equal(mirrored, frame[:, ::-1])
    assert result.faces[0].box == (6, 0, 3, 2)
    assert mirror(mirrored, result)[1].faces[0].box == face.box
