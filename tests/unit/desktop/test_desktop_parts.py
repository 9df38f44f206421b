"""The small parts: meters, history, cards, keys, names, settings."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mien.apps.desktop.card_image import Size, beside, draw_panel
from mien.apps.desktop.cards import cards_of_faces, cards_of_people
from mien.apps.desktop.files import new_path
from mien.apps.desktop.keys import KEYS, action
from mien.apps.desktop.palette import DARK, choose_palette
from mien.apps.desktop.settings import Settings
from mien.apps.desktop.summary import draw_people
from mien.clock import clock
from mien.emotions import Emotion
from mien.live.history import SPAN_S, History
from mien.live.meter import Average, RateMeter
from mien.live.session_log import SessionLog
from mien.live.strips import draw_strip


def test_rate_meter_counts_only_the_last_moments() -> None:
    meter = RateMeter(window_s=1.0)
    assert meter.rate(0.0) == 0.0
    for number in range(31):
        meter.tick(number / 30)
    assert meter.rate(1.0) == pytest.approx(30.0)
    assert meter.rate(5.0) == 0.0


def test_average_follows_at_its_time_constant() -> None:
    average = Average(time_constant_s=1.0)
    assert average.update({"a": 10.0}, 0.0) == {"a": 10.0}
    assert average.update({"a": 0.0}, 1.0)["a"] == pytest.approx(10 * np.exp(-1))
    assert average.update({"b": 3.0}, 2.0) == {"b": 3.0}


def test_history_keeps_half_a_minute_and_forgets_who_left(result_at) -> None:
    history = History()
    for second in range(100):
        tracks = {"p1": Emotion.HAPPY} | ({"p2": Emotion.SAD} if second < 50 else {})
        history.add(result_at(float(second), **tracks))
        if second == 60:
            assert [(p.track, p.away_s) for p in history.people()] == [(1, 0.0), (2, 11.0)]
    assert [p.track for p in history.people()] == [1]
    assert len(history._samples[1]) <= SPAN_S + 1
    assert set(history._faces) == {1}


def test_history_columns_average_time_and_leave_gaps_open(result_at) -> None:
    history = History()
    for tenth in range(300):
        seen = tenth < 100 or tenth >= 200
        history.add(result_at(tenth / 10, **({"p1": Emotion.HAPPY if tenth < 100 else Emotion.SAD} if seen else {})))
    columns = history.columns(1, 30)
    assert columns.shape == (30, 7)
    assert np.nanargmax(columns[2]) == Emotion.HAPPY.number
    assert np.isnan(columns[12]).all()
    assert np.nanargmax(columns[-1]) == Emotion.SAD.number


def test_history_bridges_the_gaps_between_slow_frames(result_at) -> None:
    history = History()
    for third in range(90):
        history.add(result_at(third / 3, p1=Emotion.FEAR))
    columns = history.columns(1, 300)
    assert not np.isnan(columns[20:290, 0]).any()


def test_history_begins_anew_when_time_runs_backwards(result_at) -> None:
    history = History()
    history.add(result_at(8.0, p1=Emotion.FEAR))
    history.add(result_at(0.0, p2=Emotion.FEAR))
    assert [person.track for person in history.people()] == [2]


def test_columns_of_a_person_unknown_are_empty() -> None:
    assert np.isnan(History().columns(7, 5)).all()


def test_saved_pictures_have_the_cards_beside_the_frame(result_at) -> None:
    history, result = History(), result_at(1.0, p1=Emotion.HAPPY, p2=Emotion.SAD)
    history.add(result)
    frame = np.full((480, 640, 3), 200, np.uint8)
    with_bars, without, empty = (
        beside(frame, cards)
        for cards in (
            lambda columns: cards_of_people(history, result.faces, columns, True),
            lambda columns: cards_of_people(history, result.faces, columns, False),
            lambda columns: [],
        )
    )
    assert with_bars.shape == without.shape == empty.shape
    for picture in (with_bars, without, empty):
        np.testing.assert_array_equal(picture[:, :640], frame)
    happy = Emotion.HAPPY.color[::-1]
    counts = [int((picture == happy).all(axis=2).sum()) for picture in (with_bars, without, empty)]
    assert counts[0] > counts[1] > counts[2] == 0


@pytest.mark.parametrize("height", [1, 90, 360, 2160])
def test_cards_fit_beside_any_frame(result_at, height: int) -> None:
    faces = [face for _ in range(9) for face in result_at(0.0, p1=Emotion.ANGRY).faces]
    frame = np.zeros((height, 20, 3), np.uint8)
    picture = beside(frame, lambda columns: cards_of_faces(faces, True))
    assert picture.shape[0] == height
    assert picture.shape == beside(frame, lambda columns: []).shape
    grown = beside(frame, lambda columns: cards_of_faces(faces, True), grow=True)
    assert grown.shape[0] >= max(height, 9 * 18)


def test_cards_say_what_the_picture_says(result_at) -> None:
    """The frame that is shown may be older than the last one that was read."""
    history, shown = History(), result_at(1.0, p1=Emotion.HAPPY)
    history.add(shown)
    history.add(result_at(1.1, p1=Emotion.SAD, p2=Emotion.FEAR))
    first, second = cards_of_people(history, shown.faces, 10, True)
    assert (first.answer, second.answer) == ("happy 94%", "fear 94%")


def test_the_bar_that_stands_out_is_that_of_the_emotion_that_is_named(result_at) -> None:
    """It need not be the longest: names change more slowly than bars."""
    (card,) = cards_of_faces(result_at(0.0, p1=Emotion.HAPPY).faces, True)

    def bright(emotion: Emotion) -> list[int]:
        named = replace(card, emotion=emotion)
        picture = draw_panel([named], [Size.FULL], 330, 1.0, DARK).pixels[40:, :80]
        return [int((picture[19 * row : 19 * row + 19] > 200).all(axis=2).sum()) for row in range(len(card.bars))]

    for emotion in (Emotion.HAPPY, Emotion.FEAR):
        counts = bright(emotion)
        assert [row for row, pixels in enumerate(counts) if pixels > 5] == [list(card.bars).index(emotion)]


@pytest.mark.parametrize(
    ("name", "code", "told", "expected"),
    [
        ("", 0, "'prefer-dark'\n", "dark"),
        ("", 0, "'default'\n", "light"),
        ("", 1, "", "dark"),
        ("light", 0, "'prefer-dark'\n", "light"),
        ("dark", 0, "'default'\n", "dark"),
    ],
)
def test_colors_follow_the_system_until_they_are_chosen(
    monkeypatch: pytest.MonkeyPatch, name: str, code: int, told: str, expected: str
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: SimpleNamespace(returncode=code, stdout=told))
    assert choose_palette(name).name == expected


def test_strip_divides_every_column_between_the_emotions() -> None:
    columns = np.zeros((3, 7), np.float32)
    columns[0, Emotion.HAPPY.number] = 1.0
    columns[1, [Emotion.ANGRY.number, Emotion.SAD.number]] = 0.25, 0.75
    columns[2] = np.nan
    picture = draw_strip(columns, 8, (1, 2, 3))
    assert picture.shape == (8, 3, 3)
    assert (picture[:, 0] == Emotion.HAPPY.color).all()
    # In the order of the emotions from the foot, so that neutral is on top, as in the timeline.
    assert (picture[6:, 1] == Emotion.ANGRY.color).all()
    assert (picture[:6, 1] == Emotion.SAD.color).all()
    assert (picture[:, 2] == (1, 2, 3)).all()


@pytest.mark.parametrize(
    ("keysym", "state", "expected"),
    [
        ("q", 0, "quit"),
        ("Q", 1, "quit"),
        ("Escape", 0, "quit"),
        ("s", 2, "screenshot"),
        ("a", 0, "toggle_all"),
        ("space", 0, "toggle_pause"),
        ("R", 1, "toggle_recording"),
        ("Next", 0, "scroll_down"),
        ("c", 4, None),
        ("q", 8, None),
        ("m", 0, "mark"),
        ("x", 0, "toggle_mirror"),
        ("k", 0, None),
    ],
)
def test_keys(keysym: str, state: int, expected: str | None) -> None:
    assert action(keysym, state) == expected


def test_every_key_is_spelt_as_it_is_looked_up() -> None:
    assert all(key == key.lower() for key in KEYS)


def test_new_paths_never_name_a_file_that_exists(tmp_path: Path) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5)
    first = new_path(tmp_path, ".png", now)
    assert first.name == "mien-2026-01-02-030405.png"
    first.touch()
    assert new_path(tmp_path, ".png", now).name == "mien-2026-01-02-030405-2.png"
    assert new_path(tmp_path, ".mp4", now).name == "mien-2026-01-02-030405.mp4"


def test_settings_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "desktop.json"
    Settings("/a", "/b", "light", "2").save(path)
    assert Settings.load(path) == Settings("/a", "/b", "light", "2")
    assert [file.name for file in path.parent.iterdir()] == ["desktop.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "\x00"])
def test_damaged_settings_give_the_defaults_and_a_warning(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "desktop.json"
    path.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert Settings.load(path) == Settings()
    assert "settings cannot be read" in caplog.text


def test_settings_that_cannot_be_written_do_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    Settings("/a").save(tmp_path / "file" / "desktop.json")
    assert "settings cannot be written" in caplog.text


def test_clock() -> None:
    assert [clock(s) for s in (0, 59.9, 60, 3601)] == ["0:00", "0:59", "1:00", "1:00:01"]


def test_seconds_of_many_emotions_go_on_in_a_second_line(result_at) -> None:
    log = SessionLog("camera")
    for tenth in range(70):
        log.add(np.zeros((20, 20, 3), np.uint8), result_at(tenth / 10, p1=list(Emotion)[tenth // 10]))
    session = log.finish()
    assert session is not None
    for width in (440, 900):
        picture = draw_people(session, width, DARK, portraits=False)[72:]
        for emotion in Emotion:
            assert (picture == emotion.color).all(axis=2).sum() > 20, (width, emotion)
