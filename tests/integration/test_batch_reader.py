"""`mien.batch.FaceReader`: rows in, rows out."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from videos import numbered, portrait, write

from mien.analyzer import Analyzer
from mien.batch import COLUMNS, FaceReader
from mien.batch.reader import LEAD_S
from mien.errors import OptionError


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader()


def test_a_photo_gives_what_the_analyzer_says(reader: FaceReader, analyzer: Analyzer, astronaut_path: Path) -> None:
    (row,) = reader({"path": str(astronaut_path)})
    (face,) = analyzer.analyze(astronaut_path)
    assert row.keys() == COLUMNS.keys()
    assert row["source"] == str(astronaut_path)
    assert (row["x"], row["y"], row["width"], row["height"]) == face.box
    assert row["emotion"] == face.emotion.value
    assert row["raw_happy"] == face.probabilities["happy"]
    assert (row["face"], row["error"], row["range_s"]) == (1, None, None)


def test_bytes_of_any_engine_are_read_under_their_path(reader: FaceReader, astronaut_path: Path) -> None:
    content = astronaut_path.read_bytes()
    by_path = reader({"path": str(astronaut_path)})
    rows = reader({"path": "s3://elsewhere/a.png", "bytes": content})
    assert rows == [{**row, "source": "s3://elsewhere/a.png"} for row in by_path]


def test_a_picture_without_faces_is_a_row(reader: FaceReader, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((60, 60, 3), 128, np.uint8))
    (row,) = reader({"path": str(tmp_path / "gray.png")})
    assert (row["emotion"], row["face"], row["error"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("missing.jpg", None, "ImageError: no such file"),
        ("empty.jpg", b"", "ImageError: is empty (0 bytes)"),
        ("text.png", b"no picture", "ImageError: is not a picture"),
        ("missing.mp4", None, "VideoError: no such file"),
        ("text.mp4", b"no video", "VideoError: is a text file, expected a video file"),
    ],
)
def test_what_cannot_be_read_is_one_row_with_an_error(
    reader: FaceReader, tmp_path: Path, name: str, content: bytes | None, error: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    (row,) = reader({"path": str(path)})
    assert row["error"].startswith(error)
    assert str(path) not in row["error"]
    assert row["source"] == str(path)
    assert row.keys() == COLUMNS.keys()


def test_paths_may_be_objects(reader: FaceReader, astronaut_path: Path, tmp_path: Path) -> None:
    assert reader({"path": astronaut_path}) == reader({"path": str(astronaut_path)})
    for path in (tmp_path / "none.jpg", tmp_path / "none.mp4"):
        (row,) = reader({"path": path})
        assert (row["source"], row["error"][-12:]) == (str(path), "no such file")
        assert reader.split({"path": path}) == [{"path": str(path)}]


def test_an_address_is_read_through_fsspec(reader: FaceReader, astronaut_path: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    clip = write(tmp_path / "clip.mp4", numbered(10))
    memory.pipe("/batch/a.png", astronaut_path.read_bytes())
    memory.pipe("/batch/clip.mp4", clip.read_bytes())
    (row,) = reader({"path": "memory://batch/a.png"})
    assert (row["source"], row["emotion"]) == ("memory://batch/a.png", "happy")
    rows = reader({"path": "memory://batch/clip.mp4"})
    assert [row["frame"] for row in rows] == list(range(10))
    assert {row["source"] for row in rows} == {"memory://batch/clip.mp4"}
    (row,) = reader({"path": "memory://batch/none.png"})
    assert row["error"].startswith("FileNotFoundError: ")


def test_it_can_be_pickled_and_a_wrong_model_is_an_exception(astronaut_path: Path) -> None:
    reader = pickle.loads(pickle.dumps(FaceReader(detector="haar", every=3)))
    assert (reader.options.detector, reader.options.threads, reader.every) == ("haar", 1, 3)
    with pytest.raises(OptionError, match="no such model"):
        FaceReader(model="nonesuch")({"path": str(astronaut_path)})


@pytest.mark.parametrize("values", [{"every": 0}, {"detect_every": 0}, {"split_s": 1.0}, {"split_s": float("nan")}])
def test_impossible_options_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        FaceReader(**values)


def test_ranges_of_a_long_video_hold_each_frame_once(tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    clip = write(tmp_path / "long.mp4", portrait(astronaut, 150, side=96), rate=5)
    reader = FaceReader(split_s=10.0)
    ranges = reader.split({"path": str(clip)})
    assert [(row["start"], row["end"]) for row in ranges] == [(0.0, 10.0), (10.0, 20.0), (20.0, None)]
    parts = [reader(row) for row in ranges]
    assert [row["frame"] for part in parts for row in part] == list(range(150))
    assert [{row["range_s"] for row in part} for part in parts] == [{0.0}, {10.0}, {20.0}]
    # Thanks to the lead, a range begins as if the video had been read from its start.
    whole = reader({"path": str(clip)})
    assert LEAD_S > 0
    for row in parts[1][:5]:
        assert abs(row["smoothed_happy"] - whole[row["frame"]]["smoothed_happy"]) < 0.02


def test_short_videos_and_photos_are_not_split(tmp_path: Path) -> None:
    reader = FaceReader(split_s=10.0)
    clip = write(tmp_path / "short.mp4", numbered(14), rate=1)
    for row in (
        {"path": str(clip)},
        {"path": "a.jpg"},
        {"path": "a.mp4", "start": 0.0},
        {"path": str(tmp_path / "no.mp4")},
    ):
        assert reader.split(row) == [row]


def test_a_video_that_breaks_off_gives_its_rows_and_one_with_the_error(reader: FaceReader, tmp_path: Path) -> None:
    clip = write(tmp_path / "clip.mkv", numbered(100))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    rows = reader({"path": str(clip)})
    assert len(rows) > 20
    assert [row["error"] is None for row in rows] == [True] * (len(rows) - 1) + [False]
    assert "what could be read was read" in rows[-1]["error"]
