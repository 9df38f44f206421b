"""``mien photo`` on folders: interrupted and gone on with, summed up, and what is read once, or not at all."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from programs import Run, assert_one_line, mien

from mien.copies import is_copy, mark_as_copy
from mien.errors import OptionError
from mien.growing import GrowingTable
from mien.results import FrameResult
from mien.tables import PHOTOS


@pytest.fixture
def folder(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    """Three pictures: one face, none, two."""
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.jpg"), astronaut)
    cv2.imwrite(str(folder / "b.png"), astronaut[300:, 300:])
    cv2.imwrite(str(folder / "c.jpg"), np.hstack([astronaut, astronaut]))
    return folder


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_signals_end_a_run_that_another_goes_on_with(folder: Path, tmp_path: Path, name: str, code: int) -> None:
    for number in range(300):
        (folder / f"d{number:03}.jpg").write_bytes((folder / "c.jpg").read_bytes())
    table = tmp_path / "faces.csv"
    command = [sys.executable, "-m", "mien", "photo", str(folder), "--json", "--table", str(table)]
    # The tests themselves may run under nohup, and children ignore what their parent does.
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(number, before)
    assert process.stdout is not None
    for _ in range(8):
        process.stdout.readline()
    assert {row["source"] for row in rows(table)} >= {str(folder / f"d{number:03}.jpg") for number in range(4)}
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code
    assert err == f"mien: interrupted; what was read so far is above and in {table}; --resume continues from there\n"
    for path in folder.glob("d[12]*.jpg"):
        path.unlink()
    begun = rows(table)
    run = mien("photo", folder, "--json", "--table", table, "--resume")
    assert run.returncode == 0, run.stderr
    assert "done already: " in run.stderr
    again = [json.loads(line)["source"] for line in run.stdout.splitlines()]
    assert again[0] == begun[-1]["source"], "the last picture, of which rows may be missing, is read again"
    assert not set(again[1:]) & {row["source"] for row in begun}
    whole = rows(table)
    assert {row["source"] for row in whole} >= {str(path) for path in folder.iterdir()}
    assert len(whole) == len({(row["source"], row["face"]) for row in whole}), "nothing is there twice"


def test_ignored_signals_stay_ignored(folder: Path, tmp_path: Path) -> None:
    """As under nohup, or in the background of a script."""
    code = (
        "import signal, os\n"
        "for name in ('SIGHUP', 'SIGINT'): signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
        "from mien.cli.interrupt import interruptible\n"
        "with interruptible() as interrupted:\n"
        "    for name in ('SIGHUP', 'SIGINT'): os.kill(os.getpid(), getattr(signal, name))\n"
        "    assert not interrupted.is_set()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    assert interrupted.exit_code == 143\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


RESULTS = [FrameResult(name, 9, 9, ()) for name in ("a.jpg", 'b "1",\n.jpg', "c.jpg")]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_what_is_written_is_in_the_file_at_once_and_gone_on_with(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    with GrowingTable(path, PHOTOS) as table:
        sizes = [path.stat().st_size]
        for result in RESULTS:
            table.write(result)
            sizes.append(path.stat().st_size)
    assert sizes == sorted(set(sizes))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with GrowingTable(path, PHOTOS, resume=True) as table:
            done = table.done
            for result in RESULTS:
                if result.source not in done:
                    table.write(result)
        assert path.read_bytes() == whole, cut
        assert len(done) <= sum(size <= cut for size in sizes[1:])
    assert len(done) >= 1


def test_only_tables_of_photos_are_gone_on_with(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name,age\nAnn,3\n")
    run = mien("photo", folder, "--table", tmp_path / "list.csv", "--resume")
    assert_one_line(run, 2, "has other columns")
    assert (tmp_path / "list.csv").read_text() == "name,age\nAnn,3\n"
    for wrong in (("--resume",), ("--resume", "--table", "t.parquet"), ("--resume", "--force", "--table", "t.csv")):
        run = mien("photo", folder, *wrong, cwd=tmp_path)
        assert_one_line(run, 2, "--resume ")
        assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.jsonl", "precious\n", "line 1 is not what mien photo writes of a picture"),
        ("mine.jsonl", "precious", "line 1 is not"),
        ("mine.jsonl", '{"source": "a.mp4", "frame": 0, "width": 9, "height": 9, "faces": []}\n', "line 1 is not"),
        ("mine.csv", "precious\n", "has other columns"),
    ],
)
def test_what_is_no_table_of_photos_is_kept(
    run: Run, folder: Path, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    code, out, err = run("photo", folder, "--table", tmp_path / name, "--resume")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert (tmp_path / name).read_text() == content


@pytest.mark.parametrize(("suffix", "message"), [(".jsonl", "line 2 is not what"), (".csv", "damaged row of 'c.j'")])
def test_a_table_damaged_in_the_middle_is_kept(tmp_path: Path, suffix: str, message: str) -> None:
    path = tmp_path / f"t{suffix}"
    with GrowingTable(path, PHOTOS) as table:
        for result in RESULTS:
            table.write(FrameResult(result.source[0] + ".jpg", 9, 9, ()))
    lines = path.read_bytes().splitlines(keepends=True)
    # Half of the last photo, then the one before it.
    half = lines[-1][:20] if suffix == ".jsonl" else b"c.j,"
    damaged = b"".join([*lines[:-2], half, b"\r\n", lines[-2]])
    path.write_bytes(damaged)
    with pytest.raises(OptionError, match=message):
        GrowingTable(path, PHOTOS, resume=True)
    assert path.read_bytes() == damaged


def test_wrong_options_leave_the_table_as_it_is(run: Run, folder: Path, tmp_path: Path) -> None:
    for name in ("t.csv", "t.jsonl", "t.json"):
        command = ("photo", folder / "a.jpg", "--model", "nonsense", "--table", tmp_path / name)
        code, _, err = run(*command)
        assert (code, err.count("\n")) == (2, 1)
        assert "no such model" in err
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text("precious\n")
        assert run(*command, "--force")[0] == 2
        assert (tmp_path / name).read_text() == "precious\n"


def test_where_there_are_no_pictures_nothing_is_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    (tmp_path / "t.csv").write_text("precious\n")
    code, _, err = run("photo", tmp_path / "void", "--table", tmp_path / "t.csv", "--force")
    assert (code, (tmp_path / "t.csv").read_text()) == (1, "precious\n")
    assert "no pictures in this folder" in err


def test_only_annotated_copies_are_replaced_when_going_on(run: Run, folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    command = ("photo", folder, "--annotate", seen, "--table", tmp_path / "t.csv", "--resume")
    assert run(*command)[0] == 0
    (tmp_path / "t.csv").unlink()
    assert run(*command)[0] == 0
    (seen / "a.jpg").write_bytes(b"precious")
    code, _, err = run(*command)
    assert (code, (seen / "a.jpg").read_bytes()) == (2, b"precious")
    assert f"--annotate {seen / 'a.jpg'}: exists already" in err


def test_a_summary_and_the_first_rows(folder: Path) -> None:
    for number in range(30):
        (folder / f"d{number:03}.jpg").write_bytes((folder / "c.jpg").read_bytes())
    (folder / "broken.jpg").touch()
    run = mien("photo", folder)
    assert run.returncode == 1
    # 1 + 1 + 2 + 60 rows, of which 20 are shown.
    assert run.stdout.count(".jpg") + run.stdout.count(".png") == 3 + 8
    assert "… 44 more rows: --all shows them, --table FILE writes them" in run.stdout
    assert "33 pictures, 63 faces, 1 picture without a face, 1 not read\nhappy 63\n" in run.stdout
    everything = mien("photo", folder, "--all").stdout
    assert everything.count(".jpg") + everything.count(".png") == 33
    assert "more rows" not in everything
    one = mien("photo", folder / "a.jpg").stdout
    assert "pictures" not in one


def test_annotated_copies_are_not_read_as_photos(folder: Path) -> None:
    assert mien("photo", folder, "--annotate", folder / "seen", "--json").returncode == 0
    copies = sorted((folder / "seen").iterdir())
    assert [path.name for path in copies] == ["a.jpg", "b.png", "c.jpg"]
    for path in copies:
        assert is_copy(path)
        Image.open(path).load()
    (folder / "seen/a.jpg").rename(folder / "renamed.jpg")
    run = mien("photo", folder, f"{folder}/*/*.jpg", "--json")
    assert [Path(json.loads(line)["source"]).name for line in run.stdout.splitlines()] == ["a.jpg", "b.png", "c.jpg"]
    assert f"{folder}: files skipped because they are annotated copies that mien made: 3\n" in run.stderr
    named = mien("photo", folder / "renamed.jpg", "--json")
    assert len(named.stdout.splitlines()) == 1


def test_annotated_copies_keep_the_color_profile(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Image.fromarray(astronaut[:, :, ::-1])
    photo.save(tmp_path / "a.jpg", icc_profile=profile)
    photo.save(tmp_path / "b.png", icc_profile=profile)
    photo.save(tmp_path / "c.webp", icc_profile=profile)
    photo.save(tmp_path / "plain.jpg")
    # A profile for gray or for inks would make the copy, which is in red, green and blue, unreadable to some programs.
    photo.convert("CMYK").save(tmp_path / "ink.jpg", icc_profile=profile[:16] + b"CMYK" + profile[20:])
    photo.save(tmp_path / "nonsense.jpg", icc_profile=b"no profile")
    assert mien("photo", tmp_path, "--annotate", tmp_path / "seen").returncode == 0
    kept = {path.name: Image.open(path).info.get("icc_profile") for path in (tmp_path / "seen").iterdir()}
    none = dict.fromkeys(("plain.jpg", "ink.jpg", "nonsense.jpg"))
    assert kept == {"a.jpg": profile, "b.png": profile, "c.webp.png": profile, **none}
    assert all(is_copy(path) for path in (tmp_path / "seen").iterdir())


def test_marks_do_not_change_a_picture(astronaut: NDArray[np.uint8]) -> None:
    for suffix in (".jpg", ".png"):
        plain = cv2.imencode(suffix, astronaut)[1].tobytes()
        marked = cv2.imdecode(np.frombuffer(mark_as_copy(plain), np.uint8), cv2.IMREAD_COLOR)
        assert np.array_equal(marked, cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_COLOR))
    assert mark_as_copy(b"GIF89a") == b"GIF89a"


def test_a_picture_of_several_names_is_read_once(folder: Path) -> None:
    (folder / "link.jpg").symlink_to("a.jpg")
    names = "photos/a.jpg", "./photos/../photos/a.jpg", folder / "a.jpg", "photos"
    run = mien("photo", *names, "--json", cwd=folder.parent)
    assert [json.loads(line)["source"] for line in run.stdout.splitlines()] == [
        "photos/a.jpg",
        "photos/b.png",
        "photos/c.jpg",
    ]


def test_standard_input(folder: Path, tmp_path: Path) -> None:
    with (folder / "a.jpg").open("rb") as file:
        run = mien("photo", "-", "--json", "--annotate", tmp_path / "seen", stdin=file)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert (result["source"], len(result["faces"])) == ("-", 1)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["stdin.png"]
    assert_one_line(mien("photo", "-", stdin=subprocess.DEVNULL), 1, "mien: -: is empty (0 bytes)")


def test_home_and_urls(folder: Path) -> None:
    run = mien("photo", "~/photos/a.jpg", "--json", env=os.environ | {"HOME": str(folder.parent)})
    assert json.loads(run.stdout)["source"] == str(folder / "a.jpg")
    run = mien("photo", "https://example.org/a.jpg")
    assert_one_line(run, 2, "mien: https://example.org/a.jpg: URLs are not fetched: download the picture first\n")
    run = mien("video", "https://example.org/a.mp4")
    assert_one_line(run, 2, "URLs are not fetched: download the video first\n")


@pytest.mark.parametrize("stem", ["x" * 250, "写" * 83])
def test_names_as_long_as_they_may_be(folder: Path, tmp_path: Path, stem: str) -> None:
    for suffix in (".jpg", ".gif"):
        Image.open(folder / "a.jpg").save(folder / f"{stem}{suffix}")
    run = mien("photo", folder, "--annotate", tmp_path / "seen", "--json", "--table", tmp_path / "t.csv")
    assert (run.returncode, run.stderr) == (0, "")
    assert len(list((tmp_path / "seen").iterdir())) == 5
    assert len({row["source"] for row in rows(tmp_path / "t.csv")}) == 5
