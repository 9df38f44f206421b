"""``mien photo --crops`` and ``--no-detect``: faces cut out, and read again."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import OptionError


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["photo", *map(str, words)])
    return (2 if isinstance(done.exception, OptionError) else done.exit_code), f"{done.output}{done.exception or ''}"


def test_crops_are_written_and_read_again(shared: Path, tmp_path: Path) -> None:
    crops = tmp_path / "crops"
    tables = tmp_path / "all.csv", tmp_path / "crops.csv"
    assert run(shared / "media" / "multi_face.jpg", "--crops", crops, "--table", tables[0])[0] == 0
    names = sorted(path.name for path in crops.iterdir())
    assert names == [f"multi_face.jpg-{number}.png" for number in range(1, 6)]
    assert cv2.imread(str(crops / names[0])).shape == (224, 224, 3)
    assert run(crops, "--no-detect", "--table", tables[1])[0] == 0
    found, again = (list(csv.DictReader(path.open(encoding="utf-8"))) for path in tables)
    assert [row["emotion"] for row in again] == [row["emotion"] for row in found]
    assert {(row["x"], row["y"], row["width"], row["height"]) for row in again} == {("0", "0", "224", "224")}


def test_a_folder_with_files_is_not_written_to(astronaut_path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    code, words = run(astronaut_path, "--crops", tmp_path)
    assert code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("option", ["--crops", "--annotate"])
@pytest.mark.parametrize("wrong", [("missing.jpg",), ("--model", "nonesuch"), ("--table", "photo.docx")])
def test_a_refusal_leaves_no_folder(option: str, wrong: tuple[str, ...], astronaut_path: Path, tmp_path: Path) -> None:
    picture = () if wrong == ("missing.jpg",) else (astronaut_path,)
    assert run(*picture, option, tmp_path / "new" / "deep", *wrong)[0] != 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert run("missing.jpg", "--crops", tmp_path / "new")[0] != 0
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("option", ["--crops", "--annotate"])
def test_a_folder_that_cannot_be_made(option: str, astronaut_path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    code, words = run(astronaut_path, option, tmp_path / "file" / "new")
    assert code == 2
    assert f"{option} {tmp_path / 'file' / 'new'}: folder cannot be written to: Not a directory" in words


def test_crops_of_crops_are_refused(astronaut_path: Path, tmp_path: Path) -> None:
    assert run(astronaut_path, "--no-detect", "--crops", tmp_path / "new")[0] != 0


def test_crops_that_would_have_one_name_are_refused(astronaut_path: Path, tmp_path: Path) -> None:
    for name in ("d1", "d2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(astronaut_path.read_bytes())
    folders = tmp_path / "d1", tmp_path / "d2"
    code, words = run(*folders, "--crops", tmp_path / "new")
    assert code == 2
    assert f"{folders[0] / 'a.png'} and {folders[1] / 'a.png'} would be written to one file" in words
    assert not (tmp_path / "new").exists()
    assert run(folders[0], "--crops", folders[0], "--force")[0] == 0
    crop = folders[0] / "a.png-1.png"
    before = crop.read_bytes()
    code, words = run(folders[0], "--crops", folders[0], "--force")
    assert code == 2
    assert f"would overwrite the input file {crop}" in words
    assert crop.read_bytes() == before
