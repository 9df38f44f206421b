"""The pipeline over frames, with parts whose answers are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.detection.base import DetectedFace, Frame
from mien.emotions import Emotion
from mien.errors import OptionError
from mien.options import AnalyzerOptions
from mien.results import FrameResult
from mien.tracking.stream import LOOK_AGAIN_S, StreamAnalyzer

# Sharp, so that nothing makes an answer uncertain but its confidence.
FRAME = np.random.default_rng(0).integers(90, 160, (240, 320, 3)).astype(np.uint8)


class Script:
    """A detector and classifier that say what they were told to, frame by frame."""

    def __init__(self, boxes: list[list[float]], answers: list[list[Emotion]]) -> None:
        self.boxes, self.answers = iter(boxes), iter(answers)
        self.detections = 0
        self.config = SimpleNamespace(uncertain_below=0.5)
        self.input_size = 48

    def detect(self, frame: Frame) -> list[DetectedFace]:
        self.detections += 1
        return [DetectedFace((x, 50.0, 60.0, 60.0), 0.9) for x in next(self.boxes)]

    def predict_proba(self, crops: list[Any]) -> np.ndarray:
        rows = [0.1 / 6 + (0.9 - 0.1 / 6) * np.eye(7)[emotion.number] for emotion in next(self.answers)[: len(crops)]]
        return np.array(rows, np.float32).reshape(-1, 7)


def stream(script: Script, detect_every: int = 1, smoothing_s: float = 0.3) -> StreamAnalyzer:
    analyzer = Analyzer(script, None, script, AnalyzerOptions(smoothing_s=smoothing_s))  # type: ignore[arg-type]
    return StreamAnalyzer(analyzer, detect_every)


def test_raw_and_smoothed_are_both_kept() -> None:
    script = Script([[50.0]] * 2, [[Emotion.HAPPY], [Emotion.SAD]])
    reader = stream(script)
    reader.analyze(FRAME, 0.0, 0)
    result = reader.analyze(FRAME, 0.03, 1, "clip.mp4")
    (face,) = result
    assert (result.frame, result.time_s, result.source) == (1, 0.03, "clip.mp4")
    assert face.track == 1
    assert max(face.probabilities, key=lambda e: face.probabilities[e]) is Emotion.SAD
    assert face.emotion is Emotion.HAPPY
    assert face.smoothed is not None
    assert face.confidence == face.smoothed[Emotion.HAPPY] < 0.9
    assert face.ambiguity is None
    assert FrameResult.from_dict(result.to_dict()) == result


def test_emotions_stay_with_people_who_change_places() -> None:
    """Keyed by position, the smoother would exchange the emotions of two people who pass each other."""
    places = [[40.0 + 5 * i, 240.0 - 5 * i] for i in range(41)]
    # The classifier is asked from left to right, and they meet in the middle.
    answers = [[Emotion.HAPPY, Emotion.SAD]] * 21 + [[Emotion.SAD, Emotion.HAPPY]] * 20
    reader = stream(Script(places, answers))
    for frame in range(41):
        faces = reader.analyze(FRAME, frame / 25, frame).faces
        assert {face.track: face.emotion for face in faces} == {1: Emotion.HAPPY, 2: Emotion.SAD}
    assert [face.track for face in faces] == [2, 1]


def test_no_label_is_carried_after_the_face_is_gone() -> None:
    script = Script([[50.0], [], []], [[Emotion.HAPPY], [], []])
    reader = stream(script)
    reader.analyze(FRAME, 0.0, 0)
    assert reader.analyze(FRAME, 0.04, 1).faces == ()
    assert reader.analyze(FRAME, 0.08, 2).faces == ()


def test_between_detections_faces_move_on() -> None:
    boxes = [[50.0 + 20 * i] for i in range(10)]
    reader = stream(script := Script(boxes, [[Emotion.HAPPY]] * 20), detect_every=2)
    results = [reader.analyze(FRAME, i / 30, i) for i in range(20)]
    assert script.detections == 10
    assert {face.track for result in results for face in result} == {1}
    assert results[17].faces[0].box[0] == pytest.approx(50 + 20 * 8.5, abs=4)


def test_a_change_of_size_and_a_step_back_in_time_begin_a_new_scene() -> None:
    reader = stream(script := Script([[50.0]] * 4, [[Emotion.HAPPY]] * 4), detect_every=9)
    assert [face.track for face in reader.analyze(FRAME, 1.0, 0)] == [1]
    assert [face.track for face in reader.analyze(FRAME[:200], 1.1, 1)] == [2]
    assert [face.track for face in reader.analyze(FRAME[:200], 0.0, 0)] == [3]
    assert script.detections == 3


def test_stage_times_are_given() -> None:
    reader = stream(Script([[50.0]], [[Emotion.HAPPY]]))
    reader.analyze(FRAME, 0.0, 0)
    assert set(reader.stage_s) == {"detect", "track", "classify"}
    assert all(seconds >= 0 for seconds in reader.stage_s.values())


def test_uncertain_follows_the_smoothed_confidence() -> None:
    reader = stream(Script([[50.0]] * 2, [[Emotion.HAPPY], [Emotion.SAD]]), smoothing_s=0.1)
    assert not reader.analyze(FRAME, 0.0, 0).faces[0].uncertain
    # Half way between the two neither reaches 0.5.
    assert reader.analyze(FRAME, 0.0693, 1).faces[0].uncertain


class Looks(Script):
    """Nobody in the first look, a tilted face in the second from a frame on; and which frame got a second look."""

    def __init__(self, tilted_from: int, tilted_to: int) -> None:
        super().__init__([], [[Emotion.HAPPY]] * 10**4)
        self.tilted, self.frame, self.again = range(tilted_from, tilted_to), -1, []

    def detect(self, frame: Frame) -> list[DetectedFace]:
        self.detect_quickly(frame)
        self.again.append(self.frame)
        return [DetectedFace((50.0, 50.0, 60.0, 60.0), 0.9)] if self.frame in self.tilted else []

    def detect_quickly(self, frame: Frame) -> list[DetectedFace]:
        self.frame += 1
        return []


@pytest.mark.parametrize("rate", [10, 30, 120])
def test_while_nobody_is_about_second_looks_are_rare(rate: int) -> None:
    reader = stream(script := Looks(0, 0))
    for i in range(10 * rate):
        assert reader.analyze(FRAME, i / rate, i).faces == ()
    assert len(script.again) == pytest.approx(10 / LOOK_AGAIN_S, abs=1)


def test_a_tilted_face_is_found_soon_and_then_in_every_frame() -> None:
    reader = stream(script := Looks(40, 70))
    seen = [i for i in range(300) if reader.analyze(FRAME, i / 30, i).faces]
    assert 40 <= seen[0] <= 40 + LOOK_AGAIN_S * 30 + 1
    assert seen == list(range(seen[0], 70))
    # Looked for as long as it may come back, then rarely again.
    assert set(range(70, 70 + 44)) <= set(script.again)
    assert len([i for i in script.again if i >= 120]) == pytest.approx(180 / 30 / LOOK_AGAIN_S, abs=1)


def test_a_face_that_tilts_away_is_not_lost_for_a_frame() -> None:
    class Tilting(Looks):
        def detect_quickly(self, frame: Frame) -> list[DetectedFace]:
            self.frame += 1
            return [DetectedFace((50.0, 50.0, 60.0, 60.0), 0.9)] if self.frame < 20 else []

        def detect(self, frame: Frame) -> list[DetectedFace]:
            return self.detect_quickly(frame) or [DetectedFace((50.0, 50.0, 60.0, 60.0), 0.8)]

    reader = stream(Tilting(0, 0))
    tracks = [[face.track for face in reader.analyze(FRAME, i / 30, i)] for i in range(60)]
    assert tracks == [[1]] * 60


def test_finding_and_reading_apart_give_the_same() -> None:
    """As two threads do it, one of them frames ahead of the other."""

    def script() -> Script:
        boxes = [[40.0 + 3 * i] if (i % 7 < 5 and i < 60) or i > 120 else [] for i in range(140)]
        return Script(boxes, [[Emotion.HAPPY if i % 3 else Emotion.SAD] for i in range(140)])

    together, apart = stream(script()), stream(script())
    expected = [together.analyze(FRAME, i / 30, i, "a.mp4") for i in range(140)]
    seen = [apart.detect(FRAME, i / 30, i) for i in range(140)]
    assert [apart.classify(detections, "a.mp4") for detections in seen] == expected


def test_detect_every_must_be_positive() -> None:
    with pytest.raises(OptionError, match="at least 1"):
        stream(Script([], []), detect_every=0)


def test_what_is_kept_of_people_is_bounded() -> None:
    """Of those who have left nothing stays, however many there were."""
    # Someone new appears every two seconds, longer than a lost face is remembered.
    count = 100
    one = stream(Script([[20.0 + 200 * (k % 2)] for k in range(count)], [[Emotion.HAPPY]] * count))
    tracks = {face.track for k in range(count) for face in one.analyze(FRAME, 2.0 * k, k)}
    assert len(tracks) > count / 2
    assert len(one._smoother._states) <= 2
