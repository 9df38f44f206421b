"""The public engine, as a program would use it: many pictures, whole videos, typed options, errors with parts."""

from __future__ import annotations

import csv
import io
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import videos
from PIL import Image

import mien
from mien.analyzer import Analyzer
from mien.errors import ImageError, MissingExtraError, OptionError, OutputError, VideoError
from mien.options import AnalyzerOptions, OptionValues
from mien.results import FrameResult
from mien.server.service import open_analyzer
from mien.video import VideoFrame, open_video

COUNT = 12


@pytest.fixture(scope="module")
def clip(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engine") / "clip.mp4"
    return videos.write(path, videos.portrait(astronaut, COUNT), sound="aac")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


# Many pictures


def test_results_come_in_the_order_of_the_sources(analyzer: Analyzer, astronaut: np.ndarray) -> None:
    sizes = [(40 + 3 * k, 30 + k) for k in range(20)]
    sources = [np.zeros((height, width, 3), np.uint8) for width, height in sizes]
    sources[7] = astronaut
    results = list(analyzer.analyze_many(sources, workers=4))
    expected = [(512, 512) if k == 7 else size for k, size in enumerate(sizes)]
    assert [(result.width, result.height) for result in results] == expected
    assert [len(result) for result in results] == [1 if k == 7 else 0 for k in range(20)]
    assert results[7] == analyzer.analyze(astronaut)


def test_sources_are_taken_only_a_little_ahead(analyzer: Analyzer) -> None:
    taken = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros((40, 40, 3), np.uint8)

    results = analyzer.analyze_many(endless(), workers=2)
    assert taken == 0
    for _ in range(5):
        next(results)
    assert 5 <= taken <= 5 + 4
    results.close()  # type: ignore[attr-defined]


def test_a_picture_that_cannot_be_read_is_raised_or_returned(
    analyzer: Analyzer, astronaut: np.ndarray, tmp_path: Path
) -> None:
    absent = tmp_path / "absent.jpg"
    sources: list[Any] = [astronaut, absent, astronaut]
    found = list(analyzer.analyze_many(sources, errors="return"))
    assert [type(each) for each in found] == [FrameResult, ImageError, FrameResult]
    error = found[1]
    assert isinstance(error, ImageError)
    assert (error.source, error.reason) == (str(absent), "no such file")
    results = analyzer.analyze_many(sources)
    assert next(results).largest is not None
    with pytest.raises(ImageError, match=r"absent\.jpg: no such file"):
        next(results)


def test_impossible_ways_to_read_many(analyzer: Analyzer) -> None:
    with pytest.raises(OptionError, match="workers must be 0 .* found -1"):
        analyzer.analyze_many([], workers=-1)
    with pytest.raises(OptionError, match="errors must be raise or return, found 'skip'"):
        analyzer.analyze_many([], errors="skip")  # type: ignore[call-overload]


def test_every_way_in_gives_the_same(analyzer: Analyzer, astronaut_path: Path) -> None:
    content = astronaut_path.read_bytes()
    expected = analyzer.analyze(astronaut_path).faces
    assert expected
    with astronaut_path.open("rb") as file:
        assert analyzer.analyze(file).faces == expected
    assert analyzer.analyze(io.BytesIO(content)).faces == expected
    assert next(mien.analyze_many([content])).faces == expected
    assert mien.predict_emotion(content) == expected[0]


def read_array(path: Path) -> Any:
    return cv2.imread(str(path))


@pytest.mark.parametrize("open_it", [str, Path, Path.read_bytes, io.FileIO, Image.open, read_array])
def test_a_single_source_is_not_taken_apart(analyzer: Analyzer, astronaut_path: Path, open_it: Any) -> None:
    (result,) = analyzer.analyze_many(open_it(astronaut_path))
    (crop,) = analyzer.analyze_crops(open_it(astronaut_path))
    assert result == analyzer.analyze(open_it(astronaut_path))
    assert (crop.width, crop.height) == (512, 512)


def test_several_pictures_may_be_one_array(analyzer: Analyzer) -> None:
    for shape in ((5, 48, 40), (5, 48, 40, 3)):
        results = analyzer.analyze_crops(np.zeros(shape, np.uint8))
        assert [(result.width, result.height) for result in results] == [(40, 48)] * 5


def test_predict_emotion_takes_options(astronaut_path: Path) -> None:
    face = mien.predict_emotion(astronaut_path, min_confidence=1.0)
    assert face is not None
    assert face.uncertain
    with pytest.raises(OptionError, match="unknown option 'detctor'"):
        mien.predict_emotion(astronaut_path, detctor="haar")  # type: ignore[call-arg]


# Videos


def test_a_video_in_one_call(clip: Path, tmp_path: Path) -> None:
    table, timeline, video = tmp_path / "rows.csv", tmp_path / "line.png", tmp_path / "seen.mp4"
    summary = mien.analyze_video(clip, table=table, timeline=timeline, video=video)
    assert (summary.source, summary.frames, summary.damage, summary.is_cut_short) == (str(clip), COUNT, None, False)
    assert [person.frames for person in summary.tracks.values()] == [COUNT]
    assert [int(row["frame"]) for row in rows(table)] == list(range(COUNT))
    assert timeline.read_bytes().startswith(b"\x89PNG")
    assert videos.frame_times(video) == pytest.approx(videos.frame_times(clip), abs=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["line.png", "rows.csv", "seen.mp4"]


def test_videos_from_memory_read_like_files(clip: Path, tmp_path: Path) -> None:
    tables = [tmp_path / f"{number}.csv" for number in range(4)]
    content = clip.read_bytes()
    mien.analyze_video(clip, table=tables[0], start=0.2)
    mien.analyze_video(content, table=tables[1], start=0.2, video=tmp_path / "bytes.mp4")
    mien.analyze_video(io.BytesIO(content), table=tables[2:], start=0.2, video=tmp_path / "file.mp4")
    texts = [table.read_text() for table in tables]
    assert int(rows(tables[0])[0]["frame"]) == 5
    assert texts[1:] == texts[:1] * 3
    assert (tmp_path / "bytes.mp4").read_bytes() == (tmp_path / "file.mp4").read_bytes()


def test_each_frame_is_handed_on_in_order(clip: Path, analyzer: Analyzer) -> None:
    seen: list[tuple[VideoFrame, FrameResult]] = []
    mien.analyze_video(clip, analyzer=analyzer, on_frame=lambda frame, result: seen.append((frame, result)), every=5)
    assert [frame.number for frame, _ in seen] == [0, 5, 10]
    assert [(result.frame, result.time_s) for _, result in seen] == [(f.number, f.time_s) for f, _ in seen]
    assert all(result.faces[0].track == 1 for _, result in seen)


def test_a_cancelled_video_leaves_whole_files(clip: Path, tmp_path: Path) -> None:
    frames = 0

    def count(frame: VideoFrame, result: FrameResult) -> None:
        nonlocal frames
        frames += 1

    table, video = tmp_path / "rows.csv", tmp_path / "seen.mp4"
    summary = mien.analyze_video(clip, table=table, video=video, on_frame=count, cancelled=lambda: frames >= 3)
    assert summary.is_cut_short
    assert summary.frames == len(rows(table)) == len(videos.frame_times(video)) == frames
    assert 3 <= frames < COUNT


def test_what_on_frame_raises_ends_the_reading_without_files(clip: Path, tmp_path: Path) -> None:
    def fail(frame: VideoFrame, result: FrameResult) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        mien.analyze_video(clip, table=tmp_path / "rows.csv", video=tmp_path / "seen.mp4", on_frame=fail)
    assert not list(tmp_path.iterdir())


def test_results_for_a_study(clip: Path, analyzer: Analyzer, tmp_path: Path) -> None:
    files = {name: tmp_path / f"x.{name}" for name in ("csv", "eaf", "html")}
    summary = mien.analyze_video(
        clip,
        summary=files["csv"],
        episodes=[files["eaf"], tmp_path / "e.parquet"],
        report=files["html"],
        participants={1: "P01"},
        analyzer=analyzer,
        fps=5,
    )
    (row,) = summary.to_rows()
    assert (row["person"], row["participant"], row["episodes"]) == (1, "P01", len(summary.episodes))
    assert 'PARTICIPANT="P01"' in files["eaf"].read_text()
    assert all(path.stat().st_size for path in [*files.values(), tmp_path / "e.parquet"])
    # Cut short, they hold what was read so far; from bytes there is no file to refer to.
    summary = mien.analyze_video(
        clip.read_bytes(), report=files["html"], summary=files["csv"], analyzer=analyzer, cancelled=lambda: True
    )
    assert summary.to_rows()[0]["remark"] == "interrupted"
    page = files["html"].read_text()
    assert "interrupted" in page and "<video" not in page
    assert "interrupted" in files["csv"].read_text()


def test_labels_and_people_do_not_depend_on_how_large_the_frames_are(
    clip: Path, analyzer: Analyzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after a frame is known even where few pictures can wait: of a large video none has to."""

    def read(name: str) -> tuple[str, list[FrameResult]]:
        table, seen = tmp_path / name, list[FrameResult]()
        mien.analyze_video(clip, table=table, on_result=seen.append, analyzer=analyzer)
        return table.read_text(), seen

    text, seen = read("small.csv")
    assert [result.frame for result in seen] == list(range(COUNT))
    monkeypatch.setattr("mien.video.process.HOLD_BYTES", 1)
    assert read("large.csv") == (text, seen)
    # The first frames have to wait for the last ones, by which the person is confirmed.
    assert seen[0].faces[0].confirmed


def test_a_reader_stays_open(clip: Path, analyzer: Analyzer) -> None:
    with open_video(clip, start=0.2) as reader:
        summary = mien.analyze_video(reader, analyzer=analyzer)
        assert (reader.width, summary.frames) == (192, COUNT - 5)


def test_impossible_videos(clip: Path, analyzer: Analyzer, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="video: is not a video") as refused:
        mien.analyze_video(b"no video at all\0" * 10)
    assert refused.value.source == "video"
    with pytest.raises(VideoError, match="expected a path, bytes or a binary file object, found int"):
        mien.analyze_video(3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="analyzer goes with no other options, found threads"):
        mien.analyze_video(clip, analyzer=analyzer, threads=1)
    with pytest.raises(OptionError, match="detect_every must be at least 1, found 0"):
        mien.analyze_video(clip, table=tmp_path / "a.csv", detect_every=0)
    with pytest.raises(OptionError, match=r"a\.txt: unknown table format '\.txt'"):
        mien.analyze_video(clip, table=tmp_path / "a.txt", video=tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


# Options and errors


def test_options_have_one_home() -> None:
    names = {field.name for field in fields(AnalyzerOptions)}
    assert OptionValues.__optional_keys__ == names


@pytest.mark.parametrize("values", [{"precision": "fp32"}, {"detector": "haar"}, {"min_confidence": 0.1}])
def test_the_service_opens_what_it_is_told_to(values: dict[str, object]) -> None:
    analyzer = open_analyzer(AnalyzerOptions(**values, threads=3))  # type: ignore[arg-type]
    assert analyzer.options == AnalyzerOptions(**values, threads=1)  # type: ignore[arg-type]
    if "precision" in values:
        assert analyzer.classifier.precision == values["precision"]


def test_the_service_refuses_impossible_options() -> None:
    with pytest.raises(OptionError, match="precision must be one of auto, fp32, int8, found 'nonsense'"):
        open_analyzer(AnalyzerOptions(precision="nonsense"))


def test_editors_and_type_checkers_know_the_options(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import mien\n"
        "mien.load(detector='haar', threads=1)\n"
        "mien.load(detctor='haar')\n"
        "mien.load(threads='two')\n"
        "mien.predict_emotion('a.jpg', modell='x')\n"
    )
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    lines = sorted({int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line})
    assert lines == [3, 4, 5], done.stdout


@pytest.mark.parametrize(
    "error",
    [
        ImageError("is empty (0 bytes)", Path("a.jpg")),
        OptionError("must be 0 or more, found -1", field="threads"),
        OutputError("cannot be written: No space left on device", "rows.csv"),
        MissingExtraError("reading videos", "video"),
    ],
)
def test_errors_keep_their_parts_across_processes(error: mien.MienError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.__dict__) == (str(error), error.__dict__)
    assert str(error) == (f"{error.source}: {error.reason}" if error.source else str(error))


def test_a_full_disk_is_no_video_error() -> None:
    assert not issubclass(OutputError, VideoError)
    assert issubclass(OutputError, OSError)
