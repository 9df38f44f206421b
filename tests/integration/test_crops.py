"""``mien photo --crops`` and ``--no-detect``: faces cut out, and read again."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
from typer.testing import CliRunner

from mien.cli.main import app


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["photo", *map(str, words)])
    return done.exit_code, done.output


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


def test_crops_of_crops_are_refused(astronaut_path: Path, tmp_path: Path) -> None:
    assert run(astronaut_path, "--no-detect", "--crops", tmp_path / "new")[0] != 0
