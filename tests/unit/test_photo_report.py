"""The terminal table of photos: no figure is ever cut, however narrow the terminal."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from mien.cli import photo_report
from mien.cli.photo_report import PhotoReport
from mien.emotions import Emotion
from mien.results import Face, FrameResult

LONG = "/data/studies/2026/participants/session-03/写真/portraits/IMG_20261124_101112.jpg"
BOXES = [(4250, 2436, 802, 1057), (12, 3, 9, 12), (10512, 11887, 2760, 2985)]


def face(box: tuple[int, int, int, int], quality: tuple[str, ...]) -> Face:
    probabilities = dict.fromkeys(Emotion, 0.0) | {Emotion.SURPRISE: 1.0}
    return Face(box, 0.9, Emotion.SURPRISE, 1.0, probabilities, bool(quality), quality=quality)


def shown(monkeypatch: pytest.MonkeyPatch, width: int, results: list[FrameResult], show_all: bool = False) -> str:
    out = StringIO()
    monkeypatch.setattr(photo_report, "tables", Console(file=out, width=width, highlight=False, emoji=False))
    report = PhotoReport(show_all)
    for result in results:
        report.add(result)
    report.print()
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 70, 80, 100, 130, 300])
@pytest.mark.parametrize("quality", [(), ("too_small",), ("blurred", "turned_away", "dark")])
def test_no_figure_is_cut(monkeypatch: pytest.MonkeyPatch, width: int, quality: tuple[str, ...]) -> None:
    faces = tuple(face(box, quality if box[0] == 12 else ()) for box in BOXES)
    text = shown(monkeypatch, width, [FrameResult(LONG, 12000, 15000, faces), FrameResult("b.jpg", 9, 9, ())])
    head, _, *rows = text.splitlines()[:6]
    assert max(map(cell_len, text.splitlines())) <= width
    assert [len(re.findall("surprise", row)) for row in rows[:3]] == [1, 1, 1]
    assert all(row.count("100%") == 1 for row in rows[:3])
    if "x y w h" in head:
        assert all(" ".join(map(str, box)) in row for box, row in zip(BOXES, rows, strict=False))
    else:
        assert width < 90
    if "quality" in head:
        assert ", ".join(quality).replace("_", " ") in rows[1]
    elif quality:
        assert "surprise?" in rows[1]
    name = rows[0].split("  ")[0].split(" ")[0]
    assert name == LONG if width == 300 else name.startswith("…") and LONG.endswith(name[1:])
    assert re.search(r"b\.jpg +- +no face", rows[3]) or "face" not in head.split()
    if width >= 60:
        assert ("quality" in head) == (quality in [("too_small",)] or (bool(quality) and width >= 80))


def test_severe_flags_have_a_column_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, 80, [FrameResult("a.jpg", 99, 99, (face(BOXES[1], ("too_small",)),))])
    assert text.splitlines()[0].split() == [
        "picture",
        "face",
        "emotion",
        "confidence",
        "next",
        "x",
        "y",
        "w",
        "h",
        "quality",
    ]
    assert "too small" in text


def test_control_characters_do_not_break_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, 80, [FrameResult("a\n\x1b[31mb.jpg", 9, 9, ())])
    assert r"a\n\x1b[31mb.jpg" in text
