"""Tables, summary and timeline of results whose figures can be counted by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from mien.emotions import Emotion
from mien.errors import OptionError
from mien.results import Face, FrameResult
from mien.tables import FRAMES, TABLE_SUFFIXES, open_table
from mien.video.summary import Summary
from mien.video.timeline import Timeline


def face(track: int, emotion: Emotion, confidence: float = 0.7, x: int = 10) -> Face:
    rest = (1 - confidence) / 6
    raw = {other: confidence if other is emotion else rest for other in Emotion}
    return Face((x, 20, 30, 40), 0.9, emotion, confidence, raw, confidence < 0.5, track, raw, ("dark", "blurred"))


def frame(number: int, time_s: float, *faces: Face) -> FrameResult:
    return FrameResult("clip.mp4", 640, 360, faces, number, time_s, 1)


RESULTS = [
    frame(0, 0.0, face(1, Emotion.HAPPY)),
    frame(1, 0.5),
    frame(2, 1.0, face(1, Emotion.SAD, 0.3), face(2, Emotion.FEAR, x=200)),
]


def write(path: Path) -> None:
    with open_table(path) as table:
        for result in RESULTS:
            table.write(result)


def test_rows() -> None:
    table = [row for result in RESULTS for row in FRAMES.rows(result)]
    assert [(row["time_s"], row["frame"], row["track"]) for row in table] == [
        (0.0, 0, 1),
        (0.5, 1, None),
        (1.0, 2, 1),
        (1.0, 2, 2),
    ]
    assert all(list(row) == list(FRAMES.columns) for row in table)
    assert all(value is None for name, value in table[1].items() if name not in ("time_s", "frame", "shot"))
    assert (table[3]["x"], table[3]["emotion"], table[3]["raw_fear"]) == (200, "fear", 0.7)
    assert table[0]["quality"] == "dark blurred"


def test_every_format_holds_the_same_rows(tmp_path: Path) -> None:
    from pyarrow import parquet

    expected = [row for result in RESULTS for row in FRAMES.rows(result)]
    for suffix in TABLE_SUFFIXES:
        write(tmp_path / f"table{suffix}")
    assert json.loads((tmp_path / "table.json").read_text()) == expected
    assert parquet.read_table(tmp_path / "table.parquet").to_pylist() == expected
    with (tmp_path / "table.csv").open(newline="") as file:
        text = list(csv.DictReader(file))
    assert text == [{name: "" if value is None else str(value) for name, value in row.items()} for row in expected]
    lines = (tmp_path / "table.jsonl").read_text().splitlines()
    assert [FrameResult.from_dict(json.loads(line)) for line in lines] == RESULTS


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_an_empty_table_is_valid(tmp_path: Path, suffix: str) -> None:
    with open_table(tmp_path / f"empty{suffix}"):
        pass
    content = (tmp_path / f"empty{suffix}").read_bytes()
    assert content == b"" if suffix == ".jsonl" else content
    if suffix == ".json":
        assert json.loads(content) == []


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_whole_after_an_interruption_and_absent_after_a_failure(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table{suffix}"
    with pytest.raises(ZeroDivisionError), open_table(path) as table:
        table.write(RESULTS[0])
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), open_table(path) as table:
        table.write(RESULTS[0])
        raise KeyboardInterrupt
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    if suffix == ".json":
        assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("name", ["table.xlsx", "table", "no/such\0name.csv"])
def test_impossible_tables_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises((OptionError, ValueError)):
        open_table(tmp_path / name)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OptionError, match="cannot be written"):
        open_table(tmp_path / "file" / "table.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OptionError, match="is a folder"):
        open_table(tmp_path / "folder.csv")


def test_summary_counts_each_frame_until_the_next() -> None:
    summary = Summary()
    for result in [*RESULTS, frame(3, 1.25, face(1, Emotion.SAD))]:
        summary.add(result)
    summary.close()
    one, two = summary.tracks[1], summary.tracks[2]
    assert summary.frames == 4
    assert one.seconds[Emotion.HAPPY] == 0.5
    assert one.seconds[Emotion.SAD] == 0.25 + 0.25
    assert one.uncertain_s == 0.25
    assert (one.first_s, one.last_s, one.frames, one.total_s) == (0.0, 1.25, 3, 1.0)
    assert two.seconds[Emotion.FEAR] == two.total_s == 0.25
    assert one.to_dict()["seconds"]["sad"] == 0.5


def test_summary_of_nothing_and_of_one_frame() -> None:
    empty = Summary()
    empty.close()
    assert empty.tracks == {}
    single = Summary()
    single.add(RESULTS[0])
    single.close()
    assert single.tracks[1].total_s == 0.0


def test_the_only_frame_counts_for_a_step_and_no_frame_beyond_the_end() -> None:
    single = Summary()
    single.add(RESULTS[0])
    single.close(step_s=2.5, end_s=1.5)
    assert single.read_s == single.tracks[1].total_s == 1.5
    assert sum(single.tracks[1].mean.values()) == pytest.approx(1)
    assert [(episode.onset_s, episode.offset_s) for episode in single.episodes] == [(0.0, 1.5)]
    several = Summary()
    for result in RESULTS:
        several.add(result)
    several.close(step_s=9.0, end_s=1.2)
    assert several.read_s == pytest.approx(1.2)
    # A file that ends, within rounding, where its last frame begins does not say how long that is shown.
    rounded = Summary()
    for result in RESULTS:
        rounded.add(result)
    last_s, before_s = (result.time_s or 0.0 for result in RESULTS[:-3:-1])
    rounded.close(end_s=last_s + 1e-6)
    assert rounded.read_s == pytest.approx(2 * last_s - before_s)
    assert all(episode.offset_s - episode.onset_s > 0.01 for episode in rounded.episodes)


def near(pixel: tuple[int, ...], color: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(pixel, color, strict=False))


def test_timeline_shows_each_emotion_in_its_time(tmp_path: Path) -> None:
    path = tmp_path / "timeline.png"
    with Timeline(path) as timeline:
        for number in range(200):
            emotion = Emotion.HAPPY if number < 100 else Emotion.SAD
            faces = () if 90 <= number < 110 else (face(1, emotion, 0.99),)
            timeline.write(frame(number, number / 20, *faces))
    with Image.open(path) as image:
        picture = image.convert("RGB")
    width, height = picture.size
    happy = [x for x in range(width) if near(picture.getpixel((x, height // 2)), Emotion.HAPPY.color)]
    sad = [x for x in range(width) if near(picture.getpixel((x, height // 2)), Emotion.SAD.color)]
    assert len(happy) > width / 4
    assert len(sad) > width / 4
    # The second in which the face is away stays empty.
    assert min(sad) - max(happy) > width / 20


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".svg", ".pdf"])
def test_timeline_of_nobody(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"timeline{suffix}"
    with Timeline(path) as timeline:
        timeline.write(frame(0, 0.0))
    assert path.stat().st_size > 500


def test_timeline_of_a_long_video_with_many_people_stays_small(tmp_path: Path) -> None:
    with Timeline(tmp_path / "timeline.png") as timeline:
        for number in range(12_000):
            timeline.write(frame(number, number / 2.0, face(1 + number // 400, Emotion.HAPPY)))
        assert sum(len(bins) for bins in timeline._strips._people.values()) <= 4096
    assert (tmp_path / "timeline.png").exists()


def test_timeline_in_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unknown picture format"):
        Timeline(tmp_path / "timeline.bmp2")
