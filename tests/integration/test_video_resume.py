"""`mien video --resume`, and what an interruption leaves."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import videos
from programs import Run

from mien.cli.inputs import Input
from mien.cli.video_jobs import Job, is_done, mark_unfinished
from mien.tables import read_rows


def test_resuming_leaves_out_what_is_done(run: Run, folder: Path, tmp_path: Path) -> None:
    outputs = ("--table", tmp_path / "rows" / "{name}.csv", "--out", tmp_path / "seen" / "{name}.mp4")
    run("video", folder, *outputs)
    (tmp_path / "rows" / "day2" / "a.csv").unlink()
    # A video that has been replaced since.
    os.utime(folder / "a.mp4", (2e9, 2e9))
    code, out, err = run("video", folder, "--resume", "--json", *outputs)
    assert code == 1
    assert [json.loads(line)["source"] for line in out.splitlines()] == [
        str(folder / "a.mp4"),
        str(folder / "day2" / "a.mp4"),
    ]
    assert "done already: 1 of 4 videos" in err
    assert "b.mp4: is a text file" in err


def test_an_interrupted_video_is_not_done(clip: Path, tmp_path: Path) -> None:
    video = Input(clip, Path(clip.name))
    job = Job(table=str(tmp_path / "{name}.csv"), timeline=str(tmp_path / "{name}.png"))
    assert not is_done(video, job)
    for name in ("clip.csv", "clip.png"):
        (tmp_path / name).touch()
    assert is_done(video, job)
    mark_unfinished(video, job)
    assert not is_done(video, job)


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has Ctrl-C pressed at a frame, in this process."""

    def stop(frame: int) -> None:
        @contextmanager
        def progress(*_: object) -> Iterator[Callable[[float], None]]:
            times: list[float] = []

            def advance(time_s: float) -> None:
                times.append(time_s)
                if len(times) == frame:
                    signal.raise_signal(signal.SIGINT)

            yield advance

        monkeypatch.setattr("mien.cli.video.progress", progress)

    return stop


@pytest.mark.parametrize(
    "options",
    [
        ("--table", "{name}.csv"),
        ("--episodes", "e.csv"),
        ("--episodes", "{name}.json"),
        ("--summary", "s.parquet"),
        ("--summary", "s.json", "--out", "o.mp4"),
    ],
)
def test_a_single_interrupted_video_is_kept_and_read_again(
    run: Run,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop_at: Callable[[int], None],
    options: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("video", clip, "--json", *options)
    stop_at(18)
    code, out, err = run(*command)
    assert (code, json.loads(out)["frames"]) == (130, 18)
    assert err == f"mien: {clip}: interrupted; the files hold what was read so far; --resume reads it again\n"
    partial = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert len(partial) == len(options) / 2
    stop_at(0)
    code, out, err = run(*command, "--resume")
    assert (code, err, json.loads(out)["frames"]) == (0, "", 24)
    assert {path.name for path in tmp_path.iterdir()} == partial.keys()
    code, out, err = run(*command, "--resume")
    assert (code, out, err) == (0, "", "mien: done already: 1 of 1 videos\n")


def test_an_interruption_does_not_speak_of_files_that_there_are_not(
    run: Run, clip: Path, stop_at: Callable[[int], None]
) -> None:
    stop_at(18)
    assert run("video", clip)[2] == f"mien: {clip}: interrupted; the summary is of what was read so far\n"


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_tables_of_all_videos_keep_the_rows_of_others(
    run: Run, clip: Path, tmp_path: Path, stop_at: Callable[[int], None], suffix: str
) -> None:
    clips = [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")]
    for path in clips:
        path.write_bytes(clip.read_bytes())
    people, episodes = tmp_path / f"s{suffix}", tmp_path / f"e{suffix}"
    options = ("--summary", people, "--episodes", episodes)
    assert run("video", *clips[:2], *options)[0] == 0
    before = read_rows(people), read_rows(episodes)
    stop_at(18)
    assert run("video", clips[2], *options, "--resume")[0] == 130
    assert [row["remark"] for row in read_rows(people)] == [None, None, "interrupted"]
    stop_at(0)
    assert run("video", clips[2], *options, "--resume")[0] == 0
    for table, kept in zip((people, episodes), before, strict=True):
        rows = read_rows(table)
        assert rows[: len(kept)] == kept
        assert {row["video"] for row in rows[len(kept) :]} == {str(clips[2])}
        assert {row["remark"] for row in rows} == {None}
    assert "done already: 3 of 3 videos" in run("video", *clips, *options, "--resume")[2]


FILES = [
    ("--table", "t.csv"),
    ("--table", "t.parquet"),
    ("--table", "t.json"),
    ("--table", "t.jsonl"),
    ("--out", "o.mp4"),
    ("--out", "o.mov"),
    ("--out", "o.mkv"),
    ("--timeline", "l.png"),
    ("--timeline", "l.jpg"),
    ("--timeline", "l.svg"),
    ("--timeline", "l.pdf"),
    ("--report", "r.html"),
    ("--episodes", "e.eaf"),
    ("--episodes", "{name}.csv"),
    ("--summary", "{name}.json"),
    ("--summary", "{name}.parquet"),
    ("--summary", "s.csv"),
    ("--episodes", "e.json"),
]


@pytest.mark.parametrize(("option", "value"), FILES)
def test_what_mien_did_not_write_is_neither_done_nor_replaced(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("video", clip, "--every", 6, option, value, "--resume")
    file = Path(value.replace("{name}", "clip"))
    for content in (b"", b"precious\n", b"[\n", b'{"source": "x"}\n', b"\0\0", clip.read_bytes()):
        # As old as may be, and newer than the video.
        for moment in (1, 2_000_000_000):
            file.write_bytes(content)
            os.utime(file, (moment, moment))
            code, out, err = run(*command)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert str(file) in err
            assert "choose another name, or add --force to replace it" in err
            assert file.read_bytes() == content
    assert run(*command, "--force")[::2] == (0, "")
    assert file.read_bytes() != content
    # What mien wrote is done, and replaced once the video is newer.
    assert run(*command)[::2] == (0, "mien: done already: 1 of 1 videos\n")
    os.utime(file, (1, 1))
    assert run(*command)[::2] == (0, "")
    assert file.stat().st_mtime > 1


def test_files_of_another_video_are_not_taken_for_those_of_this_one(run: Run, clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    for option, name in (("--table", "t.jsonl"), ("--summary", "{name}.csv"), ("--episodes", "{name}.json")):
        assert run("video", other, "--every", 6, option, tmp_path / name)[0] == 0
        (tmp_path / name.replace("{name}", "other")).rename(tmp_path / name.replace("{name}", "clip"))
        code, _, err = run("video", clip, option, tmp_path / name, "--resume")
        assert (code, f"was not written by mien video for {clip};" in err) == (2, True)


def test_a_damaged_table_of_all_videos_is_refused(run: Run, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    assert run("video", clip, "--every", 6, "--summary", path)[0] == 0
    damaged = path.read_bytes() + b"1,2" * 200 + b"\r\n"
    path.write_bytes(damaged)
    code, _, err = run("video", clip, "--summary", path, "--resume")
    assert (code, path.read_bytes()) == (2, damaged)
    assert "a row has more values than there are columns" in err


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a single process")
def test_ctrl_c_among_many_says_how_to_go_on(clip: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    videos.write(folder / "a.mp4", videos.numbered(3, 64, 48))
    videos.write(folder / "b.mp4", videos.portrait(astronaut, 1500))
    command = [sys.executable, "-m", "mien.cli.main", "video", folder, "--table", f"{tmp_path}/{{name}}.csv"]
    code, err = videos.interrupt(command, tmp_path / "b.csv")
    assert code == 130
    assert "1 of 2 videos were read before; --resume continues with this one" in err
    assert 0 < len(videos.read_csv(tmp_path / "b.csv")) < 1500
    job = Job(table=f"{tmp_path}/{{name}}.csv")
    assert [is_done(Input(folder / name, Path(name)), job) for name in ("a.mp4", "b.mp4")] == [True, False]
