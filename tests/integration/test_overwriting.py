"""Nothing is overwritten unasked, by any command: what is there is refused before any work, unless --force is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
import videos
from programs import Run

from mien.cli.main import app

MINE = b"what somebody worked on for a year"

# Command, its input, the option that names what is written, what it is given, the file of that which exists already.
COMMANDS = [
    ("photo", "picture.png", "--table", "t.csv", "t.csv"),
    ("photo", "picture.png", "--table", "t.json", "t.json"),
    ("photo", "picture.png", "--annotate", "seen", "seen/picture.png"),
    ("video", "clip.mp4", "--table", "t.csv", "t.csv"),
    ("video", "clip.mp4", "--table", "{name}.csv", "clip.csv"),
    ("video", "clip.mp4", "--out", "seen.mp4", "seen.mp4"),
    ("video", "clip.mp4", "--timeline", "line.png", "line.png"),
    ("video", "clip.mp4", "--report", "report.html", "report.html"),
    ("video", "clip.mp4", "--summary", "people.csv", "people.csv"),
    ("video", "clip.mp4", "--episodes", "episodes.csv", "episodes.csv"),
    ("explain", "picture.png", "--out", "map.png", "map.png"),
    ("evaluate", "faces.csv", "--report", "report", "report/report.md"),
    ("evaluate", "faces.csv", "--report", "report", "report/classes.png"),
    ("data info", "faces.csv", "--picture", "bars.png", "bars.png"),
    ("data export", "faces.csv", "", "faces", "faces/train/happy/00000.png"),
    ("data balance", "faces.csv", "", "faces", "faces/train/happy/00000.png"),
    ("page", "", "--out", "page", "page/index.html"),
]
# Options that take a file or folder without writing to it, or that have a rule of their own against overwriting.
OTHERS = {
    ("photo", "--crops"): "a folder that has to be empty: see test_crops",
    ("export", "--out"): "a folder: see test_after_training",
    ("train", "--out"): "a folder, which --resume continues: see test_damaged_runs",
    ("batch", "--out"): "a folder, which the next run continues: see test_batch",
    ("live", "--folder"): "files are named after the time, and never after one that is there: see test_desktop_parts",
}


@pytest.fixture
def place(tmp_path: Path, astronaut_path: Path, drawn_csv: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with something to read for every command, as the current one."""
    (tmp_path / "picture.png").write_bytes(astronaut_path.read_bytes())
    (tmp_path / "faces.csv").write_bytes(drawn_csv.read_bytes())
    videos.write(tmp_path / "clip.mp4", videos.numbered(3, 64, 48))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("command", "source", "option", "value", "file"), COMMANDS)
def test_what_is_there_is_kept_unless_forced(
    run: Run,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    source: str,
    option: str,
    value: str,
    file: str,
) -> None:
    if command.startswith("data"):
        # The first of the drawn faces need not be a happy one.
        from mien.evaluation.datasets import load_faces
        from mien.training.class_folders import face_paths

        file = file.replace("train/happy/00000.png", str(face_paths(load_faces(place / "faces.csv"))[0]))
    target = place / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(MINE)
    before = sorted(place.rglob("*"))
    arguments = [*command.split(), *filter(None, (source, option, value))]
    with monkeypatch.context() as no_work:
        no_work.setattr("mien.analyzer.load", _fail)
        no_work.setattr("mien.analyzer.cached_analyzer", _fail)
        code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    name = value if command == "data info" else file
    assert f"{option or 'OUT'} {name}: exists already; choose another name, or add --force to replace it" in err
    assert target.read_bytes() == MINE
    assert sorted(place.rglob("*")) == before
    code, _, err = run(*arguments, "--force")
    assert code == 0, err
    assert target.read_bytes() != MINE


def _fail(*_: object, **__: object) -> None:
    raise AssertionError("work was begun")


@pytest.mark.parametrize(
    "arguments",
    [
        ("photo", "picture.png", "--annotate", "."),
        ("photo", "picture.png", "--table", "picture.csv"),
        ("video", "clip.mp4", "--out", "clip.mp4"),
        ("video", "clip.mp4", "--table", "clip.csv"),
        ("explain", "picture.png", "--out", "./picture.png"),
        ("data", "info", "faces.csv", "--picture", "faces.png"),
    ],
)
def test_what_is_read_is_not_overwritten_even_when_forced(run: Run, place: Path, arguments: tuple[str, ...]) -> None:
    for name, other in (("picture.csv", "picture.png"), ("clip.csv", "clip.mp4"), ("faces.png", "faces.csv")):
        (place / name).symlink_to(other)
    before = {path: path.read_bytes() for path in place.iterdir()}
    code, out, err = run(*arguments, "--force")
    assert (code, out) == (2, "")
    assert "would overwrite an input file; choose another name" in err
    assert {path: path.read_bytes() for path in place.iterdir()} == before


def test_an_earlier_page_is_replaced(run: Run, place: Path) -> None:
    assert run("page", "--out", "page")[0] == 0
    assert run("page", "--out", "page")[0] == 0


def test_pictures_of_the_same_are_exported_again(run: Run, place: Path) -> None:
    assert run("data", "export", "faces.csv", "faces")[0] == 0
    code, out, _ = run("data", "export", "faces.csv", "faces")
    assert code == 0
    assert " 0 of them written now" in out


def test_every_option_that_writes_is_tested_here() -> None:
    tested = {(command, option or "OUT") for command, _, option, _, _ in COMMANDS}
    assert _writing() == tested | set(OTHERS)


def _writing() -> set[tuple[str, str]]:
    """Command and option of everything that names a file or folder to write."""
    group = typer.main.get_group(app)
    commands = {name: command for name, command in group.commands.items() if name != "data"}
    commands |= {f"data {name}": command for name, command in vars(group.commands["data"])["commands"].items()}
    return {
        (name, next((text for text in parameter.opts if text.startswith("--")), "OUT"))
        for name, command in commands.items()
        for parameter in command.params
        if parameter.name in ("out", "folder")
        or (_help(parameter).startswith(("Write", "Draw", "Save")) and not getattr(parameter, "is_flag", False))
    }


def _help(parameter: object) -> str:
    return getattr(parameter, "help", None) or ""
