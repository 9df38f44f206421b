"""What a live session leaves, and the files made of it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from mien.emotions import Emotion
from mien.live import session_log, session_report
from mien.live.session_log import Session, SessionLog

FRAME = np.full((100, 100, 3), 90, np.uint8)


@pytest.fixture
def session(result_at) -> Session:
    """Ten seconds: person 1 is happy and then sad, person 2 comes after six seconds; two markers."""
    log = SessionLog("camera 0")
    for tenth in range(100):
        people = {"p1": Emotion.HAPPY if tenth < 40 else Emotion.SAD}
        if tenth >= 60:
            people["p2"] = Emotion.FEAR
        log.add(FRAME, result_at(tenth / 10, **people))
        if tenth == 50:
            log.mark("the  door\nopens")
    log.mark()
    finished = log.finish()
    assert finished is not None
    return finished


def test_a_session_sums_up_who_showed_what(session: Session) -> None:
    one, two = session.summary.tracks[1], session.summary.tracks[2]
    assert one.seconds[Emotion.HAPPY] == pytest.approx(4.0)
    assert one.seconds[Emotion.SAD] == pytest.approx(6.0)
    assert two.seconds[Emotion.FEAR] == pytest.approx(4.0)
    assert session.duration_s == pytest.approx(9.9)
    assert set(session.portraits) == {1, 2}
    assert session.markers[0].note == "the door opens"
    assert session.markers[0].time_s == pytest.approx(5.0)


def test_results_come_back_as_they_were(session: Session, result_at) -> None:
    results = list(session.results())
    assert len(results) == 100
    assert results[70] == result_at(7.0, p1=Emotion.SAD, p2=Emotion.FEAR)


def test_a_log_stays_small(result_at) -> None:
    log = SessionLog("camera 0")
    for number in range(2000):
        log.add(FRAME, result_at(number / 20, p1=list(Emotion)[number // 40 % 7]))
    finished = log.finish()
    assert finished is not None
    assert sum(map(len, finished.compressed)) < 2000 * 200


def test_a_full_log_keeps_what_it_has(result_at, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_log, "MAX_FRAMES", 5)
    log = SessionLog("camera 0")
    for number in range(20):
        log.add(FRAME, result_at(number / 10, p1=Emotion.HAPPY))
    finished = log.finish()
    assert finished is not None
    assert len(list(finished.results())) == finished.summary.frames == 5


def test_pauses_count_for_nothing_whatever_is_looked_at(result_at) -> None:
    log = SessionLog("camera 0")
    for time_s in (7.0, 7.1, 7.2, 67.2, 67.3):
        log.add(FRAME, result_at(time_s, p1=Emotion.HAPPY))
    log.mark("at the end")
    # A clip that is played again begins anew.
    log.add(FRAME, result_at(0.0, p1=Emotion.HAPPY))
    finished = log.finish()
    assert finished is not None
    person = finished.summary.tracks[1]
    assert person.seconds[Emotion.HAPPY] == pytest.approx(0.6)
    assert (person.first_s, person.last_s) == (0.0, 0.5)
    assert finished.duration_s == 0.5
    assert finished.markers[0].time_s == 0.4
    assert [result.time_s for result in finished.results()] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    data = json.loads(session_report.json_of(finished))
    assert (data["duration_s"], data["frames"][3]["time_s"], data["markers"][0]["time_s"]) == (0.5, 0.3, 0.4)
    rows = csv.DictReader(io.StringIO(session_report.table_of(finished).decode()))
    assert [(row["time_s"], row["marker"]) for row in rows][3:] == [("0.3", ""), ("0.4", "at the end"), ("0.5", "")]


def test_without_a_frame_there_is_no_session(result_at) -> None:
    log = SessionLog("camera 0")
    assert log.mark("too early") is None
    assert log.finish() is None
    log.add(FRAME, result_at(0.0, p1=Emotion.HAPPY))
    assert log.finish() is None


def test_a_marker_gets_its_note_later(result_at) -> None:
    log = SessionLog("camera 0")
    log.add(FRAME, result_at(3.0))
    marker = log.mark()
    assert marker is not None
    log.annotate(marker, "laughs")
    assert [(marker.time_s, marker.note) for marker in log.markers] == [(0.0, "laughs")]


def test_the_table_has_every_frame_and_the_markers(session: Session) -> None:
    rows = list(csv.DictReader(io.StringIO(session_report.table_of(session).decode())))
    assert len(rows) == 140
    assert [(row["time_s"], row["marker"]) for row in rows if row["marker"]] == [
        ("5.0", "the door opens"),
        ("9.9", "marker"),
        ("9.9", "marker"),
    ]


def test_the_data_hold_the_whole_session(session: Session) -> None:
    data = json.loads(session_report.json_of(session))
    assert data["source"] == "camera 0"
    assert data["duration_s"] == pytest.approx(9.9)
    assert data["markers"][0] == {"time_s": 5.0, "note": "the door opens"}
    assert data["summary"]["tracks"][0]["seconds"]["sad"] == pytest.approx(6.0)
    assert len(data["frames"]) == 100


def test_the_report_is_one_page_that_needs_no_other_file(session: Session) -> None:
    pytest.importorskip("matplotlib", reason="not installed: pip install 'mien[app]'")
    page = session_report.html_of(session)
    for words in ("camera 0", "Person #2", "the door opens", "4.0 s", session_report.GUESS):
        assert words in page
    assert page.count("data:image/jpeg") == 2
    assert "http" not in page
    assert "data:image/jpeg" not in session_report.html_of(session, portraits=False)


def test_notes_cannot_bring_html(result_at) -> None:
    pytest.importorskip("matplotlib", reason="not installed: pip install 'mien[app]'")
    log = SessionLog("<b>camera</b>")
    log.add(FRAME, result_at(0.0))
    log.mark("<script>")
    finished = log.finish()
    assert finished is not None
    page = session_report.html_of(finished)
    assert "<script" not in page
    assert "<b>camera" not in page
    assert "No face was seen" in page


def test_strips_of_a_session_are_empty_where_a_person_was_not_seen(session: Session) -> None:
    strips = session_report.strips_of(session, 20)
    assert strips[1].shape == (20, 7)
    assert np.isnan(strips[2][:12]).all()
    assert np.nanargmax(strips[2][-1]) == Emotion.FEAR.number
    assert np.nanargmax(strips[1][0]) == Emotion.HAPPY.number


def test_files_are_written_whole_or_not_at_all(session: Session, tmp_path: Path) -> None:
    session_report.write_table(session, tmp_path / "session.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["session.csv"]
