"""The session: what the app does, without a window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.apps.desktop.session import Session
from mien.drawing import draw
from mien.emotions import Emotion
from mien.errors import CameraError, MienError
from mien.images import read_image

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def make(analyzer: Analyzer, tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Builds sessions whose sources come from a list, one after the other."""
    made = []

    def build(*opened: object) -> Session:
        queue = list(opened)

        def opener(_: str) -> object:
            source = queue.pop(0)
            if isinstance(source, Exception):
                raise source
            return source

        session = Session(analyzer, tmp_path / "saved", tmp_path / "desktop.json", opener)  # type: ignore[arg-type]
        made.append(session)
        return session

    yield build
    for session in made:
        session.close()


@pytest.fixture
def explanations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explanations without networks."""
    monkeypatch.setattr("mien.apps.desktop.explainer.explain", lambda *_, **__: None)
    monkeypatch.setattr("mien.apps.desktop.explainer.draw_explanation", lambda _: np.full((30, 40, 3), 255, np.uint8))


def _seen(session: Session) -> Callable[[], bool]:
    return lambda: session.update() or session.shown is not None


def _when(session: Session, holds: Callable[[], object]) -> Callable[[], object]:
    """Whether something holds, asked again each time after what the threads did is taken over."""

    def now() -> object:
        session.update()
        return holds()

    return now


def _refused(session: Session) -> Callable[[], object]:
    return _when(session, lambda: session.notice is not None and session.notice.retry)


def test_a_camera_is_shown_and_let_go(make, fake_source, until: Until) -> None:
    source = fake_source()
    session = make(source)
    session.open_live("0")
    assert session.notice is not None
    assert session.notice.title == "Opening camera 0 …"
    until(_seen(session))
    assert session.notice is None
    assert session.title == "camera 0"
    (face,) = session.shown.result.faces
    assert face.emotion is Emotion.HAPPY
    assert set(session.shown.stage_s) >= {"detect", "classify"}
    session.close()
    assert source.closed


def test_a_missing_camera_says_so_and_can_be_tried_again(make, fake_source, until: Until) -> None:
    session = make(CameraError("camera 0 was not found"), fake_source())
    session.open_live("0")
    until(_refused(session))
    assert session.notice.title == "No picture from camera 0"
    assert session.notice.text == "camera 0 was not found"
    session.retry()
    until(_seen(session))
    assert session.notice is None


def test_a_camera_unplugged_half_way(make, fake_source, until: Until) -> None:
    session = make(fake_source(count=5, fails=True), fake_source())
    session.open_live("0")
    until(_refused(session))
    assert "sends no more pictures" in session.notice.text
    session.toggle_pause()
    session.retry()
    until(_when(session, lambda: session.notice is None))


def test_a_defect_while_reading_faces_is_shown(make, fake_source, until: Until, monkeypatch) -> None:
    session = make(fake_source())
    monkeypatch.setattr(session._analyzer, "detector", None)
    session.open_live("0")
    until(lambda: session.notice is not None and session.notice.retry)
    assert "reading faces failed" in session.notice.text


def test_pause_stands_still(make, fake_source, until: Until) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    session.toggle_pause()
    session.update()
    shown = session.shown
    for _ in range(20):
        assert not session.update()
    assert session.shown is shown
    assert session.paused
    session.toggle_pause()
    until(session.update)
    assert not session.paused


def test_a_clip_ends_with_its_last_frame_and_plays_again(make, fake_source, until: Until) -> None:
    session = make(fake_source(count=5, waits=True), fake_source(count=5, waits=True))
    session.open_live("clip.mp4")
    until(_when(session, lambda: session.ended))
    session.update()
    assert session.notice is None
    assert session.shown.result.time_s == pytest.approx(0.05)
    assert session.title == "clip.mp4   0:00 / 0:00"
    session.toggle_pause()
    assert not session.ended
    until(_seen(session))


def test_screenshot_has_what_the_window_shows_at_full_size(make, fake_source, until: Until) -> None:
    session = make(fake_source())
    session.open_live("0")
    assert session.screenshot() is None
    assert "Nothing to save" in session.saver.note_text
    until(_seen(session))
    path = session.screenshot()
    assert path is not None
    assert path.parent.name == "saved"
    assert session.saver.note_text == f"Saved {path}"
    picture = read_image(path)
    height, width = session.shown.frame.shape[:2]
    np.testing.assert_array_equal(picture[:, :width], draw(session.shown.frame, session.shown.result))
    assert picture.shape[0] == height
    yellow = (picture == Emotion.HAPPY.color[::-1]).all(axis=2)
    assert yellow[:, :width].sum() > 50, "the box"
    assert yellow[:, width:].sum() > 50, "the card"
    assert session.screenshot() != path


@pytest.mark.skipif(os.name == "nt", reason="a file in the way is reported otherwise on Windows")
def test_saving_where_it_is_impossible_says_so(make, fake_source, until: Until, tmp_path: Path) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    (tmp_path / "file").touch()
    session.choose_save_folder(tmp_path / "file")
    assert session.screenshot() is None
    assert "cannot be written" in session.saver.note_text
    session.toggle_recording()
    assert "cannot be written" in session.saver.note_text
    assert session.saver.recording_s is None


def test_recording_is_a_playable_video(make, fake_source, until: Until) -> None:
    from mien.video import open_video

    session = make(fake_source())
    session.toggle_recording()
    assert "Nothing to record" in session.saver.note_text
    session.open_live("0")
    until(_seen(session))
    session.toggle_recording()
    until(lambda: session.update() and session.saver.recording_s > 0.3)
    session.toggle_recording()
    assert session.saver.recording_s is None
    (path,) = (session.settings.save_path).glob("*.mp4")
    assert session.saver.note_text == f"Saved {path}"
    with open_video(path) as video:
        frames = list(video)
    assert len(frames) >= 5
    assert frames[-1].time_s > 0.2
    yellow = np.array(Emotion.HAPPY.color[::-1], int)
    assert (abs(frames[2].image.astype(int) - yellow).max(axis=2) < 60).sum() > 50


def test_recording_ends_with_the_camera_and_is_kept(make, fake_source, until: Until) -> None:
    session = make(fake_source(count=60, fails=True))
    session.open_live("0")
    until(_seen(session))
    session.toggle_recording()
    until(_when(session, lambda: session.saver.recording_s is None))
    assert session.saver.note_text.startswith("Saved ")
    assert len(list(session.settings.save_path.glob("*.mp4"))) == 1


def test_closing_finishes_the_recording(make, fake_source, until: Until) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    session.toggle_recording()
    until(lambda: session.update() and session.saver.recording_s > 0.1)
    session.close()
    names = [path.name for path in session.settings.save_path.iterdir()]
    assert [name.endswith(".mp4") and not name.startswith(".") for name in names] == [True]


def test_pictures_one_after_the_other(make, until: Until, tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "none.png"]
    cv2.imwrite(str(paths[0]), np.full((90, 120, 3), 99, np.uint8))
    cv2.imwrite(str(paths[1]), np.zeros((50, 60, 3), np.uint8))
    session = make()
    session.open_pictures(paths)
    until(session.update)
    assert session.title == "a.png   1 of 3"
    assert [card.title for card in session.cards(10)] == ["Face 1"]
    session.step(1)
    until(session.update)
    assert session.shown.frame.shape == (50, 60, 3)
    assert session.cards(10) == []
    session.step(1)
    until(_when(session, lambda: session.notice is not None and "cannot be shown" in session.notice.title))
    assert "no such file" in session.notice.text
    session.step(1)
    until(session.update)
    assert session.title == "a.png   1 of 3"
    session.step(-1)
    assert session.title == "none.png   3 of 3"


def test_cards_follow_the_toggle_and_the_face(make, fake_source, until: Until) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    (card,) = session.cards(60)
    assert card.title == "Person #1"
    assert card.answer == "happy? 80%"
    assert set(card.bars) == set(Emotion)
    assert card.columns.shape == (60, 7)
    session.toggle_all()
    (card,) = session.cards(60)
    assert card.bars == {}
    assert card.answer == "happy? 80%"


def test_no_emotion_is_claimed_for_somebody_who_left(make, fake_source, until: Until, analyzer) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    analyzer.detector.detect = lambda frame: []
    until(_when(session, lambda: session.cards(60)[0].emotion is None))
    (card,) = session.cards(60)
    assert card.answer.startswith("left ")
    assert card.bars == {}


def test_folders_are_remembered(make, fake_source, analyzer, tmp_path: Path) -> None:
    session = make(fake_source())
    session.open_video(tmp_path / "clips" / "a.mp4")
    session.choose_save_folder(tmp_path / "elsewhere")
    again = Session(analyzer, settings_file=tmp_path / "desktop.json")
    assert again.settings.open_folder == str(tmp_path / "clips")
    assert again.settings.save_path == tmp_path / "elsewhere"


def test_cameras_are_mirrored_until_told_otherwise_and_files_never(make, fake_source, analyzer, tmp_path: Path) -> None:
    session = make(fake_source(), fake_source(), fake_source())
    session.open_live("0")
    assert session.mirrored
    session.open_video(tmp_path / "a.mp4")
    assert not session.mirrored
    session.open_live("0")
    session.toggle_mirror()
    assert not session.mirrored
    again = Session(analyzer, settings_file=tmp_path / "desktop.json")
    assert again.settings.mirror == "off"
    session.toggle_mirror()
    assert session.mirrored


def _explained(session: Session) -> Callable[[], object]:
    return _when(session, lambda: session.explanation is not None)


def _goes_on(session: Session) -> Callable[[], object]:
    before = session.shown
    return _when(session, lambda: session.shown is not before)


def test_after_an_explanation_the_camera_goes_on(make, fake_source, until: Until, explanations) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    session.explain()
    assert session.paused
    until(_explained(session))
    session.explain()
    assert session.explanation is None
    until(_goes_on(session))


def test_what_was_paused_before_an_explanation_stays_so(make, fake_source, until: Until, explanations) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    session.toggle_pause()
    session.explain()
    until(_explained(session))
    session.explain()
    assert session.paused


def test_an_explanation_that_fails_lets_the_camera_go_on(make, fake_source, until: Until, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MienError("no face")

    monkeypatch.setattr("mien.apps.desktop.explainer.explain", fail)
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    session.explain()
    until(_goes_on(session))
    assert session.saver.note_text == "Nothing to explain: no face"


def test_blurring_hides_an_explanation(make, fake_source, until: Until, explanations) -> None:
    session = make(fake_source())
    session.open_live("0")
    until(_seen(session))
    session.explain()
    until(_explained(session))
    session.toggle_blur()
    assert session.explanation is None
    until(_goes_on(session))
    session.explain()
    assert session.saver.note_text.startswith("An explanation shows the face")
