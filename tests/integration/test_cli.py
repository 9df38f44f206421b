"""The command line, driven as a program: reading photos."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from programs import assert_one_line, mien

from mien.analyzer import Analyzer
from mien.cli.inputs import find_pictures
from mien.emotions import LABELS
from mien.results import FrameResult


@pytest.fixture
def folder(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    """Pictures, some of them damaged, in nested folders."""
    good = tmp_path / "photos" / "good"
    good.mkdir(parents=True)
    cv2.imwrite(str(good / "astronaut.jpg"), astronaut)
    cv2.imwrite(str(good / "nobody.png"), astronaut[300:, 300:])
    bad = tmp_path / "photos" / "bad"
    bad.mkdir()
    (bad / "empty.jpg").touch()
    (bad / "text.jpg").write_text("I am no picture")
    (bad / "cut.jpg").write_bytes((good / "astronaut.jpg").read_bytes()[:9000])
    (bad / "notes.txt").write_text("not looked at")
    return tmp_path / "photos"


def test_every_entry_point_gives_the_same_answer(
    analyzer: Analyzer, astronaut: NDArray[np.uint8], astronaut_path: Path
) -> None:
    expected = analyzer.analyze(astronaut).faces
    assert len(expected) == 1
    for source in (astronaut_path, astronaut_path.read_bytes(), Image.open(astronaut_path)):
        assert analyzer.analyze(source).faces == expected
    run = mien("photo", astronaut_path, "--json")
    assert run.returncode == 0, run.stderr
    printed = FrameResult.from_dict(json.loads(run.stdout))
    assert printed.faces == expected
    assert printed.source == str(astronaut_path)

    import mien as package

    assert package.predict_emotion(astronaut_path) == expected[0]
    assert package.predict_emotion(np.zeros((60, 60, 3), np.uint8)) is None


def test_json_is_one_object_per_picture_with_the_promised_keys(folder: Path) -> None:
    run = mien("photo", folder / "good", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    pictures = [json.loads(line) for line in run.stdout.splitlines()]
    assert [Path(picture["source"]).name for picture in pictures] == ["astronaut.jpg", "nobody.png"]
    assert pictures[1]["faces"] == []
    (face,) = pictures[0]["faces"]
    assert (pictures[0]["width"], pictures[0]["height"]) == (512, 512)
    assert tuple(face["probabilities"]) == LABELS
    assert face["confidence"] == max(face["probabilities"].values()) == face["probabilities"][face["emotion"]]
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    left, top, width, height = face["box"]
    assert left < 222 < left + width
    assert top < 125 < top + height


def test_table_names_face_and_emotion(folder: Path) -> None:
    run = mien("photo", folder / "good" / "astronaut.jpg", folder / "good" / "nobody.png")
    assert run.returncode == 0
    assert "happy" in run.stdout
    assert "no face" in run.stdout
    narrow = mien("photo", folder / "good", env=os.environ | {"COLUMNS": "80"})
    for text in (run.stdout, narrow.stdout):
        assert "not about minds. With a ?, the answer is not sure enough to rely on." in " ".join(text.split())


def test_ctrl_c_shows_what_was_read(folder: Path, astronaut: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(folder / "good/more.jpg"), astronaut)
    for number in range(2000):
        (folder / f"good/more{number:04}.jpg").hardlink_to(folder / "good/more.jpg")
    table = folder / "faces.csv"
    command = [sys.executable, "-m", "mien", "photo", str(folder / "good"), "--json", "--table", str(table)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    # Not communicate(): it would miss what readline() has buffered.
    assert process.stderr is not None
    rest, err = process.stdout.read(), process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert err == f"mien: interrupted; what was read so far is above and in {table}; --resume continues from there\n"
    read = [json.loads(line)["source"] for line in [first, *rest.splitlines()]]
    assert len(read) < 2000
    assert _sources(table) == read


def _sources(table: Path) -> list[str]:
    with table.open(encoding="utf-8", newline="") as file:
        return [row["source"] for row in csv.DictReader(file)]


def test_bad_pictures_are_reported_and_the_others_read(folder: Path) -> None:
    run = mien("photo", folder, folder / "absent.jpg", "--json")
    assert run.returncode == 1
    assert len(run.stdout.splitlines()) == 2
    lines = run.stderr.splitlines()
    assert len(lines) == 5
    for name, reason in (
        ("photos", "files skipped because they are not pictures: 1 (.txt)"),
        ("empty.jpg", "is empty"),
        ("text.jpg", "not a picture"),
        ("cut.jpg", "damaged or incomplete"),
        ("absent.jpg", "no such file"),
    ):
        assert any(name in line and reason in line for line in lines), name


def test_patterns_and_folders_without_pictures(folder: Path, tmp_path: Path) -> None:
    run = mien("photo", folder / "**" / "*.png", "--json")
    assert [json.loads(line)["faces"] for line in run.stdout.splitlines()] == [[]]
    (tmp_path / "void").mkdir()
    assert_one_line(mien("photo", tmp_path / "void"), 1, "no pictures in this folder")


def test_pictures_of_every_kind_are_found_in_folders(tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    image = Image.fromarray(astronaut[:, :, ::-1]).resize((128, 128))
    for name, kind in (
        ("a b/ünï 写真.avif", "AVIF"),
        ("a b/nameless", "JPEG"),
        ("c.JFIF", "JPEG"),
        ("d.jp2", "JPEG2000"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image.save(tmp_path / name, kind)
    (tmp_path / ".git").mkdir()
    image.save(tmp_path / ".git" / "hidden.jpg")
    for name in ("README", "list.csv", "more.csv"):
        (tmp_path / name).write_text("no picture")
    run = mien("photo", tmp_path.name, "--json", cwd=tmp_path.parent)
    assert run.returncode == 0
    assert run.stderr == f"mien: {tmp_path.name}: files skipped because they are not pictures: 3 (.csv, no suffix)\n"
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert [Path(result["source"]).relative_to(tmp_path.name).as_posix() for result in found] == [
        "c.JFIF",
        "d.jp2",
        "a b/nameless",
        "a b/ünï 写真.avif",
    ]
    assert [len(result["faces"]) for result in found] == [1] * 4


def test_unreadable_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, because tests may run as a user who may read everything."""
    (folder / "secret").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    failures: list[str] = []
    found = list(find_pictures([str(folder)], failures))
    assert len(found) == 5
    assert failures == [f"{folder / 'secret'}: folder cannot be read: Permission denied"]


def test_table_of_photos(folder: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(folder) + b"/good/\xff.jpg")
    (folder / "good/astronaut.jpg").rename(odd)
    run = mien("photo", folder / "good", "--table", tmp_path / "faces.csv", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    with (tmp_path / "faces.csv").open(encoding="utf-8", newline="") as file:
        nobody, face = csv.DictReader(file)
    assert nobody["source"].endswith("nobody.png")
    assert set(nobody.values()) == {nobody["source"], ""}
    (expected,) = json.loads(run.stdout.splitlines()[1])["faces"]
    assert face["source"].endswith(r"\udcff.jpg")
    assert [int(face[key]) for key in ("face", "x", "y", "width", "height")] == [1, *expected["box"]]
    assert (face["emotion"], float(face["confidence"])) == (expected["emotion"], expected["confidence"])
    assert {label: float(face[label]) for label in LABELS} == expected["probabilities"]
    run = mien("photo", odd, "--table", odd.replace(".jpg", ".xls"))
    assert_one_line(run, 2, "unknown table format '.xls'; use .csv")
    (tmp_path / "p.json").write_bytes(Path(odd).read_bytes())
    assert_one_line(
        mien("photo", tmp_path / "p.json", "--table", tmp_path / "p.json"), 2, "would overwrite an input file"
    )


def test_annotated_pictures(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = mien("photo", folder / "good", "--annotate", out, "--json")
    assert run.returncode == 0, run.stderr
    assert sorted(path.name for path in out.iterdir()) == ["astronaut.jpg", "nobody.png"]
    original, drawn = (cv2.imread(str(path)) for path in (folder / "good/astronaut.jpg", out / "astronaut.jpg"))
    left, top, width, height = json.loads(run.stdout.splitlines()[0])["faces"][0]["box"]
    changed = np.abs(original.astype(int) - drawn).max(axis=2) > 60
    assert changed[top - 3 : top + 3, left : left + width].mean() > 0.3, "the box's upper edge"
    assert not changed[300:].any(), "the rest of the picture stays"


def test_annotate_never_overwrites(folder: Path, tmp_path: Path) -> None:
    original = folder / "good/astronaut.jpg"
    before = original.read_bytes()
    run = mien("photo", original, "--annotate", folder / "good", "--force")
    assert_one_line(run, 2, "would overwrite an input file")
    assert original.read_bytes() == before
    other = tmp_path / "other"
    other.mkdir()
    (other / "astronaut.jpg").write_bytes(before)
    run = mien("photo", folder / "good", other, "--annotate", tmp_path / "out")
    assert_one_line(run, 2, "would be written to one file")
    assert not (tmp_path / "out").exists()


def test_impossible_names_do_not_stop_the_others(folder: Path) -> None:
    run = mien("photo", "a" * 300 + ".jpg", folder / "good/astronaut.jpg", "--json")
    assert_one_line(run, 1, "cannot be opened: File name too long")
    assert len(run.stdout.splitlines()) == 1


def test_any_name_is_printed_in_any_encoding(folder: Path) -> None:
    odd = os.fsencode(folder) + b"/good/\xff-\xc3\xbc.png"
    os.rename(os.fsencode(folder) + b"/good/nobody.png", odd)  # noqa: PTH104
    for encoding in ("utf-8:strict", "ascii:strict"):
        run = mien("photo", folder / "good", "--json", env=os.environ | {"PYTHONIOENCODING": encoding})
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout.splitlines()[1])["source"].endswith(os.fsdecode(b"\xff-\xc3\xbc.png"))


def test_very_wide_pictures(tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    """OpenCV warps nothing wider than 32,766 pixels."""
    wide = np.zeros((512, 34_000, 3), np.uint8)
    wide[:, 20_000:20_512] = astronaut
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    run = mien("photo", tmp_path / "wide.png", "--json")
    assert (run.returncode, run.stderr) == (0, "")


def test_unwritable_output_is_said_before_any_work(folder: Path) -> None:
    run = mien("photo", folder, "--annotate", folder / "good" / "astronaut.jpg", "--json")
    assert_one_line(run, 2, "--annotate")
    assert run.stdout == ""


def test_full_disk(folder: Path, tmp_path: Path) -> None:
    if Path("/dev/full").exists():
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-m", "mien", "photo", str(folder / "good"), "--json"]
            run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert_one_line(run, 1, "No space left on device")
    # A limit on the size of files stands for a disk that fills up half-way.
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    run = mien("photo", folder / "good/astronaut.jpg", "--annotate", tmp_path / "o", preexec_fn=limit, env=env)
    assert_one_line(run, 1, "cannot be written: File too large")
    assert list((tmp_path / "o").iterdir()) == []


def test_detectors_and_thresholds(folder: Path) -> None:
    picture = folder / "good/astronaut.jpg"
    sure = json.loads(mien("photo", picture, "--json", "--min-confidence", "0", "--threads", "1").stdout)
    unsure = json.loads(mien("photo", picture, "--json", "--min-confidence", "1", "--detector", "haar").stdout)
    assert [face["uncertain"] for face in sure["faces"]] == [False]
    assert unsure["faces"]
    assert all(face["uncertain"] for face in unsure["faces"])


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["photo"], "mien photo: missing argument '"),
        (["photo", "x.jpg", "--foo"], "mien photo: no such option"),
        (["photo", "x.jpg", "--threads", "two"], "mien photo: invalid value for '--threads': "),
        (["foto"], "mien: no such command 'foto'"),
        (["data", "inof"], "mien data: no such command 'inof'"),
        (
            ["data", "balance", "x.csv", "y", "--seed", "-1"],
            "mien data balance: invalid value for '--seed': ",
        ),
        (["photo", ""], "mien: an argument is empty; give it a value or leave it out"),
        (["photo", "x.jpg", "--min-confidence", "2"], "mien: --min-confidence must lie in 0..1, or be None, found 2.0"),
        (["photo", "x.jpg", "--threads", "-1"], "mien: --threads must lie in 0 (all cores)..512, found -1"),
        (["photo", "x.jpg", "--detector", "dlib"], "mien: unknown detector 'dlib'; expected one of yunet, haar"),
        (["photo", "x.jpg", "--device", "gpu"], "mien: --device must be one of auto, cpu, cuda, found 'gpu'"),
        (["photo", "x.jpg", "--model", "mien-9"], "mien: mien-9: no such model; expected a folder with model.onnx"),
        (["evaluate", "x.csv", "--model", "mien-9"], "mien: mien-9: no such model; expected a folder with model.onnx"),
        (
            ["evaluate", "x.csv", "--usage", "Private"],
            "mien: --usage must be one of Training, PublicTest,",
        ),
        (["video", "x.mp4", "--smoothing", "-1"], "mien: --smoothing must be 0 seconds or more, found -1.0"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(args: list[str], line: str) -> None:
    run = mien(*args)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(line)
    assert run.stderr.endswith("\n")
    assert len(run.stderr.splitlines()) == 1


def test_wrong_usage_says_what_to_do() -> None:
    line = mien("photo", "x.jpg", "--detectr", "haar").stderr.replace("'", "")
    assert line.endswith(
        "--detectr; did you mean --detector or --no-detect or --detect-size? (see mien photo --help)\n"
    )
    run = mien()
    assert (run.returncode, run.stderr) == (2, "")
    assert "Read every face in pictures" in run.stdout


def test_closed_output_is_a_failure(astronaut_path: Path) -> None:
    run = mien("photo", astronaut_path, preexec_fn=lambda: os.close(1))
    assert_one_line(run, 1, "standard output is closed")


def test_a_reader_who_has_seen_enough(folder: Path) -> None:
    """As `mien photo … | head -1` does."""
    for number in range(500):  # So that it cannot have written all before the reader goes.
        (folder / f"good/more{number:03}.jpg").hardlink_to(folder / "good/astronaut.jpg")
    command = [sys.executable, "-m", "mien", "photo", str(folder / "good"), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 1


@pytest.mark.parametrize("module", ["mien.cli.main", "typer", "mien.cli.data"])
def test_ctrl_c_while_the_program_starts(module: str) -> None:
    """Ctrl-C is simulated by a module that presses it when it is imported."""
    code = (
        "import sys, runpy\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Finder())\n"
        "runpy.run_module('mien', run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (130, "")


def test_real_photos(shared: Path) -> None:
    run = mien("photo", shared / "media", "--json")
    assert run.returncode == 0, run.stderr
    found = {Path(result["source"]).name: result for result in map(json.loads, run.stdout.splitlines())}
    assert len(found["multi_face.jpg"]["faces"]) == 5
    assert len(found["Image_with_alpha.png"]["faces"]) == 1
    assert found["free-mountain-vector-01.jpg"]["faces"] == []
