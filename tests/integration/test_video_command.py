"""``mien video``, from the command line to the files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import videos
from programs import Run


def test_everything_at_once(run: Run, clip: Path, tmp_path: Path) -> None:
    code, out, err = run(
        "video", clip, "--json", "--out", tmp_path / "o.mp4", "--table", tmp_path / "t.csv", "--timeline",
        tmp_path / "l.png",
    )  # fmt: skip
    assert (code, err) == (0, "")
    summary = json.loads(out)
    (person,) = summary["tracks"]
    assert (summary["frames"], person["frames"]) == (24, 24)
    assert sum(person["seconds"].values()) == pytest.approx(2.0, abs=0.01)
    assert max(person["seconds"], key=person["seconds"].get) == "happy"
    rows = videos.read_csv(tmp_path / "t.csv")
    assert [float(row["time_s"]) for row in rows] == pytest.approx([i / 12 for i in range(24)], abs=1e-4)
    assert {row["track"] for row in rows} == {"1"}
    assert videos.frame_times(tmp_path / "o.mp4") == pytest.approx(videos.frame_times(clip), abs=1e-6)
    assert cv2.imread(str(tmp_path / "l.png")) is not None
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["l.png", "o.mp4", "t.csv"]


def test_annotated_frames_show_the_box(run: Run, clip: Path, tmp_path: Path) -> None:
    assert run("video", clip, "--out", tmp_path / "o.mp4", "--table", tmp_path / "t.csv")[0] == 0
    capture = cv2.VideoCapture(str(tmp_path / "o.mp4"))
    frame = capture.read()[1].astype(int)
    row = videos.read_csv(tmp_path / "t.csv")[0]
    x, middle = int(row["x"]), int(row["y"]) + int(row["height"]) // 2
    blue, green, red = frame[middle, x]
    assert red > 150 and green > 140 and blue < 130  # yellow, for happy


def test_every_and_part(run: Run, clip: Path, tmp_path: Path) -> None:
    run("video", clip, "--every", 4, "--start", 0.5, "--end", 1.5, "--out", tmp_path / "o.mkv", "--table",
        tmp_path / "t.csv")  # fmt: skip
    assert [int(row["frame"]) for row in videos.read_csv(tmp_path / "t.csv")] == [6, 10, 14]
    assert videos.frame_times(tmp_path / "o.mkv") == pytest.approx([0, 1 / 3, 2 / 3], abs=0.03)


def test_what_goes_into_the_paper(run: Run, clip: Path, tmp_path: Path) -> None:
    """A summary row, episodes, a page, and the participant in every table."""
    (tmp_path / "p.csv").write_text("video,person,participant\nclip,1,P07\nclip,2,P08\nother.mp4,1,P09\n")
    files = [tmp_path / name for name in ("s.csv", "e.csv", "r.html", "t.csv")]
    options = [
        item for pair in zip(("--summary", "--episodes", "--report", "--table"), files, strict=True) for item in pair
    ]
    code, _, err = run("video", clip, "--participants", tmp_path / "p.csv", *options)
    assert code == 0
    assert err.splitlines() == [
        f"mien: {tmp_path / 'p.csv'}: names videos that are not read: other.mp4",
        f"mien: {clip}: participants are named for people who were not seen: 2",
    ]
    (person,), rows = videos.read_csv(files[0]), videos.read_csv(files[3])
    assert (person["video"], person["person"], person["participant"]) == (str(clip), "1", "P07")
    assert float(person["seen_s"]) == pytest.approx(2.0, abs=0.01)
    assert float(person["certain_s"]) + float(person["uncertain_s"]) == pytest.approx(2.0, abs=0.01)
    assert {row["participant"] for row in rows} == {"P07"}
    # Episodes agree with the table of frames.
    for episode in videos.read_csv(files[1]):
        inside = [
            r for r in rows if float(episode["onset_s"]) <= float(r["time_s"]) + 1e-3 < float(episode["offset_s"])
        ]
        assert {row["emotion"] for row in inside} == {episode["emotion"]}
    mean = np.mean([float(row["smoothed_happy"]) for row in rows])
    assert float(person["mean_happy"]) == pytest.approx(mean, abs=0.01)
    assert "Person #1 · P07" in files[2].read_text()


def test_one_summary_of_a_folder_goes_on_where_it_was(run: Run, folder: Path, clip: Path, tmp_path: Path) -> None:
    (folder / "c.mp4").write_bytes(clip.read_bytes())
    options = ("--summary", tmp_path / "s.csv", "--episodes", tmp_path / "e.csv", "--table", tmp_path / "{name}.csv")
    assert run("video", folder, *options)[0] == 1
    rows = videos.read_csv(tmp_path / "s.csv")
    assert [Path(row["video"]).relative_to(folder).as_posix() for row in rows] == [
        "a.mp4", "c.mp4", "day2/a.mp4", "day2/c.mov",
    ]  # fmt: skip
    assert [row["person"] for row in rows] == ["", "1", "", ""]
    assert {row["video"] for row in videos.read_csv(tmp_path / "e.csv")} == {str(folder / "c.mp4")}
    # Without a file of its own a video is not done, and is read anew; the others keep their rows.
    (tmp_path / "c.csv").unlink()
    code, out, err = run("video", folder, "--resume", "--json", *options[:2], *options[4:])
    assert [Path(json.loads(line)["source"]).name for line in out.splitlines()] == ["c.mp4"]
    assert "done already: 3 of 5 videos" in err
    assert sorted(row["video"] for row in videos.read_csv(tmp_path / "s.csv")) == sorted(row["video"] for row in rows)
    code, _, err = run("video", folder, "--resume", "--summary", tmp_path / "e.csv")
    assert code == 2
    assert "has other columns than this command writes" in err


def test_outputs_that_would_be_one_file_are_refused(run: Run, clip: Path, tmp_path: Path) -> None:
    code, _, err = run("video", clip, "--table", tmp_path / "a.csv", "--summary", tmp_path / "a.csv")
    assert (code, err) == (2, f"mien: --table {tmp_path / 'a.csv'}: is what --summary writes to; choose another name\n")
    (tmp_path / "s.csv").touch()
    code, _, err = run("video", clip, "--summary", tmp_path / "s.csv")
    assert code == 2
    assert "exists already" in err


def test_target_rate(run: Run, clip: Path, tmp_path: Path) -> None:
    code, _, err = run("video", clip, "--fps", 3, "--table", tmp_path / "t.csv", "--out", tmp_path / "o.mp4")
    assert (code, err) == (0, "")
    assert [int(row["frame"]) for row in videos.read_csv(tmp_path / "t.csv")] == [0, 4, 8, 12, 16, 20]
    assert videos.frame_times(tmp_path / "o.mp4") == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3], abs=0.01)
    code, _, err = run("video", clip, "--fps", 3, "--every", 2)
    assert (code, err) == (2, "mien: --fps does not go with every (found 2); give one of them\n")


def test_frames_without_faces_have_rows(run: Run, tmp_path: Path) -> None:
    path = videos.write(tmp_path / "empty.mp4", videos.numbered(4))
    code, out, _ = run("video", path, "--table", tmp_path / "t.csv", "--timeline", tmp_path / "l.png")
    assert code == 0
    assert "no face" in out
    assert [(row["frame"], row["track"], row["emotion"]) for row in videos.read_csv(tmp_path / "t.csv")] == [
        (str(number), "", "") for number in range(4)
    ]


def test_several_videos(run: Run, clip: Path, tmp_path: Path) -> None:
    other = videos.write(tmp_path / "other.mp4", videos.numbered(3))
    pattern = tmp_path / "out" / "{name}.jsonl"
    code, out, err = run("video", clip, tmp_path / "missing.mp4", other, "--every", 6, "--table", pattern)
    assert code == 1
    assert "missing.mp4: no such file" in err
    assert "1 person" in out and "no face" in out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.jsonl", "other.jsonl"]
    code, _, err = run("video", clip, other, "--table", tmp_path / "t.csv")
    assert code == 2
    assert "{name}" in err


def test_patterns_are_read_as_a_shell_would(run: Run, folder: Path) -> None:
    code, out, err = run("video", f"{folder}/**/*.m[po][4v]", "--json")
    assert code == 1
    assert [Path(json.loads(line)["source"]).name for line in out.splitlines()] == ["a.mp4", "a.mp4", "c.mov"]
    assert "not read, or not to the end: 1 of 4" in err


def test_folders_are_read_whole_whatever_is_broken(run: Run, folder: Path, tmp_path: Path) -> None:
    code, out, err = run("video", folder, "--json", "--table", tmp_path / "rows" / "{name}.csv")
    assert code == 1
    assert [Path(json.loads(line)["source"]).name for line in out.splitlines()] == ["a.mp4", "a.mp4", "c.mov"]
    lines = err.splitlines()
    assert lines[-2:] == [
        "mien: not read, or not to the end: 1 of 4",
        f"mien:   {folder / 'b.mp4'}: is a text file, expected a video file",
    ]
    assert "files skipped because they are not videos: 1 (.txt)" in lines[0]
    rows = sorted(path.relative_to(tmp_path / "rows").as_posix() for path in (tmp_path / "rows").rglob("*.csv"))
    assert rows == ["a.csv", "day2/a.csv", "day2/c.csv"]


def test_videos_of_one_name_that_no_folder_tells_apart_are_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    code, _, err = run("video", folder / "a.mp4", folder / "day2" / "a.mp4", "--table", tmp_path / "{name}.csv")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "would be written to one file; rename one of them" in err


def test_no_video_is_overwritten_by_the_copy_of_another(run: Run, folder: Path) -> None:
    before = (folder / "day2" / "a.mp4").read_bytes()
    code, _, err = run("video", folder, "--out", folder / "day2" / "{name}.mp4")
    assert code == 2
    assert "would overwrite an input file" in err
    assert (folder / "day2" / "a.mp4").read_bytes() == before


def test_a_truncated_video_is_read_and_reported(run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(60)]
    whole = videos.write(tmp_path / "whole.mp4", noise, options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    code, _, err = run("video", cut, "--table", tmp_path / "t.csv", "--out", tmp_path / "o.mp4")
    assert code == 1
    assert "what could be read was read" in err
    assert len(err.splitlines()) == 1
    assert 20 <= len(videos.read_csv(tmp_path / "t.csv")) == len(videos.frame_times(tmp_path / "o.mp4")) <= 40


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--out", "o.gif", "unknown video format"),
        ("--table", "t.xlsx", "unknown table format"),
        ("--timeline", "l.doc", "unknown picture format"),
        ("--out", "file/o.mp4", "cannot be written"),
        ("--table", "file/t.csv", "cannot be written"),
        ("--summary", "s.jsonl", "unknown format '.jsonl' for --summary; use .csv, .parquet, .json"),
        ("--episodes", "file/e.eaf", "cannot be written"),
        ("--report", "r.pdf", "unknown format '.pdf' for a report"),
        ("--participants", "none.csv", "none.csv: cannot be read: No such file"),
        ("--every", "0", "every must be at least 1"),
        ("--fps", "0", "--fps must be more than 0 frames a second"),
        ("--out", "", "an argument is empty"),
        ("--detect-every", "0", "--detect-every must be at least 1"),
        ("--start", "-3", "start must be 0"),
        ("--smoothing", "-1", "smoothing must be 0"),
        ("--resume", "--json", "add --table, --out, --timeline, --summary or another"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, value: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    code, out, err = run("video", clip, option, value)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_the_video_itself_is_not_overwritten(run: Run, clip: Path) -> None:
    before = clip.read_bytes()
    code, _, err = run("video", clip, "--out", clip)
    assert code == 2
    assert "would overwrite an input file" in err
    assert clip.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a single process")
def test_ctrl_c_leaves_valid_files(clip: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    long = videos.write(tmp_path / "long.mp4", videos.portrait(astronaut, 1500), rate=25, sound="aac")
    out, rows = tmp_path / "o.mp4", tmp_path / "t.json"
    command = [sys.executable, "-m", "mien.cli.main", "video", long, "--out", out, "--table", rows]
    code, err = videos.interrupt(command, rows)
    assert code == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    frames = [row["frame"] for row in json.loads(rows.read_text())]
    assert frames == list(range(len(frames)))
    assert 0 < len(videos.frame_times(out)) == len(frames) < 1500
    assert not list(tmp_path.glob(".*"))
    with av.open(str(out)) as container:
        seconds = [float(stream.duration * stream.time_base) for stream in container.streams]
    assert len(seconds) == 2
    assert abs(seconds[0] - seconds[1]) < 1, "the sound ends where the pictures end"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "t.csv", "t.json", "t.jsonl", "t.parquet", "l.png", "r.html"])
def test_a_full_disk_is_told_with_the_users_file_and_leaves_nothing(clip: Path, tmp_path: Path, name: str) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    option = {"o": "--out", "t": "--table", "l": "--timeline", "r": "--report"}[name[0]]
    command = [sys.executable, "-m", "mien.cli.main", "video", clip, option, tmp_path / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith(f"mien: {tmp_path / name}: cannot be written: ")
    assert "File too large" in done.stderr
    assert "partial" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_real_clips(run: Run, shared: Path) -> None:
    """What the clips show is known: one person each, nobody, and somebody from the middle on."""
    media = shared / "media"
    for name, people in (("single_face.mp4", 1), ("no_face.mp4", 0), ("noface_face.mov", 1), ("woman2.mp4", 1)):
        code, out, err = run("video", media / name, "--json", "--every", 3)
        tracks = json.loads(out)["tracks"]
        assert (code, err, len(tracks)) == (0, "", people), name
        if name == "noface_face.mov":
            assert tracks[0]["first_s"] > 3
