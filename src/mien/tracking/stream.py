"""The pipeline for frames that follow one another: every face keeps its id, and its emotion does not flicker."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from time import perf_counter

from mien.analyzer import Analyzer, by_emotion
from mien.arguments import expect
from mien.classification.base import Answer
from mien.classification.quality import is_severe
from mien.detection.base import DetectedFace, Frame, TwoLookDetector, check_frame
from mien.emotions import Emotion
from mien.errors import OptionError
from mien.results import Face, FrameResult
from mien.tracking.appearance import Descriptor, describe
from mien.tracking.between import SEARCH_S, between, pair
from mien.tracking.confirmation import Confirmation
from mien.tracking.search import search_near
from mien.tracking.shots import ShotDetector
from mien.tracking.smoothing import EmotionSmoother
from mien.tracking.tracker import FaceTracker

LOOK_AGAIN_S = 0.5
"""While no one is in sight, seconds between the second looks of a `TwoLookDetector`, which cost more than the first."""


@dataclass(frozen=True, slots=True)
class FrameDetections:
    """A frame and where people were seen in it: what `StreamAnalyzer.detect` hands to `StreamAnalyzer.classify`.

    Attributes:
        frame: uint8 (H, W, 3) BGR.
        time_s: Its time in seconds.
        number: Its number.
        shot: Number of its shot, from 1.
        people: The faces with the id of each, from left to right, with landmarks if the analyzer finds any.
        alive: Ids of those in sight and those lost a moment ago.
        renamed: Ids that faces had until the frame before, each with the id of the person they turned out to be.
        stage_s: Seconds that the stages took.
    """

    frame: Frame
    time_s: float
    number: int
    shot: int
    people: tuple[tuple[int, DetectedFace], ...]
    alive: frozenset[int]
    renamed: tuple[tuple[int, int], ...]
    stage_s: Mapping[str, float]


class StreamAnalyzer:
    """Reads the frames of one video or camera in order. Holds state: use one per stream.

    `analyze` does everything at once. It consists of `detect` and `classify`, which share no state, so that one thread
    may find the faces of the next frame while another reads those of the last. Each is for one thread at a time.

    Args:
        analyzer: Detector, classifier and options.
        detect_every: Detect in every n-th frame; in those between the faces are moved on as they moved before.
        full_search_s: Search the whole frame this often, in seconds, and at every cut, and whenever a face is not where
            it is expected; in between only around the faces, which is quicker and notices newcomers that much later.
            0 searches the whole of every frame.

    Raises:
        OptionError: If ``detect_every`` is not at least 1, ``full_search_s`` is negative, or a type is wrong.
    """

    def __init__(self, analyzer: Analyzer, detect_every: int = 1, full_search_s: float = 0.0) -> None:
        expect(Analyzer, analyzer=analyzer)
        expect(Integral, detect_every=detect_every)
        expect(Real, full_search_s=full_search_s)
        if detect_every < 1:
            raise OptionError(f"must be at least 1, found {detect_every}", field="detect_every")
        if not full_search_s >= 0:
            raise OptionError(f"must be 0 seconds or more, found {full_search_s}", field="full_search_s")
        self._analyzer = analyzer
        self._detect_every = detect_every
        self._full_search_s = full_search_s
        self._tracker = FaceTracker()
        self._shots = ShotDetector()
        self._shot = 1
        self._size: tuple[int, ...] = ()
        self._time_s = -math.inf
        self._since_detection = 0
        self._looked_again_s = self._searched_s = -math.inf
        # What follows belongs to `classify`.
        self._smoother = EmotionSmoother(analyzer.options.smoothing_s)
        self._confirmation = Confirmation()
        self._classified_shot = 1
        self._last_faces: list[Face] = []
        self._stage_s: Mapping[str, float] = {}

    @property
    def stage_s(self) -> Mapping[str, float]:
        """Seconds that the stages of the last frame took: ``detect``, ``track`` and ``classify``."""
        return self._stage_s

    def analyze(self, frame: Frame, time_s: float, number: int, source: str = "") -> FrameResult:
        """Read the next frame.

        Args:
            frame: uint8 (H, W, 3) BGR. A change of size begins a new shot.
            time_s: Its time in seconds; if before that of the last frame, a new shot begins, with new ids.
            number: Its number.
            source: Where it comes from; carried into the result.

        Returns:
            The faces, each with ``track``, ``smoothed`` and ``confirmed``; ``frame`` and ``time_s`` as given.

        Raises:
            ImageError: If the frame is not such an array.
            OptionError: If the time or the number is not possible.
        """
        return self.classify(self.detect(frame, time_s, number), source)

    def detect(self, frame: Frame, time_s: float, number: int) -> FrameDetections:
        """Find out who is where in the next frame; arguments and errors as for `analyze`."""
        check_frame(frame)
        expect(Real, time_s=time_s)
        expect(Integral, number=number)
        if not math.isfinite(time_s):
            raise OptionError(f"must be a time in seconds, found {time_s}", field="time_s")
        # NumPy's numbers would go on into results, and JSON knows only Python's.
        time_s, number = float(time_s), int(number)
        start = perf_counter()
        if self._is_cut(frame, time_s):
            self._begin_shot(time_s)
        self._size, self._time_s = frame.shape[:2], time_s
        if self._since_detection % self._detect_every == 0:
            return self._follow(self._detect(frame, time_s), frame, time_s, number, start)
        moved = self._tracker.predict(time_s)
        faces = self._analyzer.align(frame, [face for _, face in moved])
        people = [(track, face) for (track, _), face in zip(moved, faces, strict=True)]
        return self._found(people, frame, time_s, number, start, perf_counter())

    def detect_ahead(self, frames: Iterable[tuple[Frame, float, int]]) -> Iterator[FrameDetections]:
        """As `detect`, for the frames of a file, of which not every one is searched.

        Where two searches `SEARCH_S` apart find the same people at nearly the same places, these were in between on
        the way from one to the other; where not, the frames in between are searched as well.

        Args:
            frames: Frame, time and number of each, as for `analyze`.

        Yields:
            What `detect` gives, of each frame, up to `SEARCH_S` later.
        """
        if self._detect_every > 1:
            yield from (self.detect(*one) for one in frames)
            return
        waiting: list[tuple[Frame, float, int]] = []
        last: FrameDetections | None = None
        for frame, time_s, number in frames:
            start = perf_counter()
            if self._is_cut(frame, time_s):
                yield from map(self._search, waiting)
                waiting, last = [], None
                self._begin_shot(time_s)
            next_s = 2 * time_s - self._time_s
            self._size, self._time_s = frame.shape[:2], time_s
            if last is not None and not self._tracker.lost and next_s - last.time_s <= SEARCH_S:
                waiting.append((frame, time_s, number))
                continue
            faces = self._detect(frame, time_s)
            is_plain = last is not None and pair([face for _, face in last.people], faces) is not None
            for one in waiting if not is_plain else ():
                if last is not None and len(last.people) != len(faces):
                    # Whoever came or left is nowhere expected.
                    self._searched_s = -math.inf
                yield self._search(one)
            found = self._follow(faces, frame, time_s, number, start)
            if last is not None and is_plain:
                yield from (_between(last, found, one) for one in waiting)
            yield found
            waiting, last = [], found
        yield from map(self._search, waiting)

    def _search(self, one: tuple[Frame, float, int]) -> FrameDetections:
        start = perf_counter()
        frame, time_s, number = one
        return self._follow(self._detect(frame, time_s), frame, time_s, number, start)

    def _follow(
        self, faces: Sequence[DetectedFace], frame: Frame, time_s: float, number: int, start: float
    ) -> FrameDetections:
        """Say who the faces of a frame are."""
        aligned = self._analyzer.align(frame, faces)
        found = perf_counter()
        people = self._tracker.update(aligned, time_s, self._look(frame))
        return self._found(people, frame, time_s, number, start, found)

    def _found(
        self,
        people: list[tuple[int, DetectedFace]],
        frame: Frame,
        time_s: float,
        number: int,
        start: float,
        found: float,
    ) -> FrameDetections:
        self._since_detection += 1
        # Left to right, as results number them.
        people.sort(key=lambda person: person[1].box[0] + person[1].box[2] / 2)
        stages = {"detect": found - start, "track": perf_counter() - found}
        renamed = self._tracker.renamed()
        return FrameDetections(frame, time_s, number, self._shot, tuple(people), self._tracker.alive, renamed, stages)

    def classify(self, detections: FrameDetections, source: str = "") -> FrameResult:
        """Read the faces of the next frame that `detect` has been through, and smooth what was read.

        Args:
            detections: As `detect` gave them.
            source: As for `analyze`.
        """
        raw = self.classify_raw(detections, source)
        start = perf_counter()
        if detections.shot != self._classified_shot:
            self._smoother.keep(())
            self._classified_shot = detections.shot
        for old, new in detections.renamed:
            self._smoother.rename(old, new)
        self._smoother.keep(detections.alive)
        faces = tuple(self._smooth(face, detections.time_s) for face in raw)
        self._stage_s = {**self._stage_s, "classify": self._stage_s["classify"] + perf_counter() - start}
        return replace(raw, faces=faces)

    def classify_raw(self, detections: FrameDetections, source: str = "") -> FrameResult:
        """As `classify`, without smoothing: every face has the emotion that is likeliest in this frame alone."""
        start = perf_counter()
        (result,) = self.classify_together([detections], source)
        self._stage_s = {**detections.stage_s, "classify": perf_counter() - start}
        return result

    def classify_together(self, batch: Sequence[FrameDetections], source: str = "") -> list[FrameResult]:
        """As `classify_raw`, for the next frames at once, which is quicker and says the same."""
        faces = [(seen.frame, face) for seen in batch for _, face in seen.people]
        answers = iter(self._analyzer.classify_from(faces, video=True))
        return [self._result(seen, answers, source) for seen in batch]

    def _result(self, seen: FrameDetections, answers: Iterator[Answer], source: str) -> FrameResult:
        frame = seen.frame
        height, width = frame.shape[:2]
        faces = [self._analyzer.make_face(frame, face, next(answers), track) for track, face in seen.people]
        self._confirm(faces, seen)
        return FrameResult(source, width, height, tuple(self._mark(faces)), seen.number, seen.time_s, seen.shot)

    def is_confirmed(self, track: int) -> bool:
        """Whether what was classified so far of a track shows that it is a person."""
        return self._confirmation.is_confirmed(track)

    @property
    def uncertain_below(self) -> float:
        """Confidence below which an answer is uncertain."""
        return self._analyzer.uncertain_below

    @property
    def smoothing_s(self) -> float:
        """Time constant of the smoothing in seconds."""
        return self._analyzer.options.smoothing_s

    def close(self) -> None:
        """The video is over: faces seen well in its last frame are people, however short it was."""
        self._confirmation.close(self._last_faces)

    def _confirm(self, faces: list[Face], detections: FrameDetections) -> None:
        for old, new in detections.renamed:
            self._confirmation.rename(old, new)
        self._confirmation.keep(detections.alive)
        self._confirmation.update(faces, detections.time_s)
        self._last_faces = faces

    def _mark(self, faces: list[Face]) -> list[Face]:
        return [replace(face, confirmed=face.track is None or self.is_confirmed(face.track)) for face in faces]

    def _smooth(self, face: Face, time_s: float) -> Face:
        assert face.track is not None
        answer = [face.probabilities[emotion] for emotion in Emotion]
        smoothed, emotion = self._smoother.update(face.track, answer, time_s)
        return with_smoothed(face, by_emotion(smoothed), emotion, self._analyzer.uncertain_below)

    def _is_cut(self, frame: Frame, time_s: float) -> bool:
        """Whether there is a cut before the next frame, the size of the picture changes, or time runs backwards."""
        is_other = time_s < self._time_s or (bool(self._size) and frame.shape[:2] != self._size)
        if is_other:
            self._shots.reset()
        return self._shots.update(frame, time_s) or is_other

    def _begin_shot(self, time_s: float) -> None:
        if time_s < self._time_s:
            self._tracker.forget()
        self._tracker.cut()
        self._shot += 1
        self._since_detection = 0
        self._looked_again_s = self._searched_s = -math.inf

    def _look(self, frame: Frame) -> Callable[[DetectedFace], Descriptor | None] | None:
        """What tells the tracker how a face looks, if it may know."""
        return (lambda face: describe(frame, face)) if self._analyzer.options.reidentify else None

    def _detect(self, frame: Frame, time_s: float) -> list[DetectedFace]:
        """Find faces: near those of the last frame where that will do, else everywhere.

        Everywhere with a second look while a person is in sight who may have tilted the head, else now and then.
        """
        # Frames that waited come after a later one.
        if abs(time_s - self._searched_s) < self._full_search_s and not self._tracker.lost:
            near = search_near(self._analyzer.detector, frame, self._tracker.expected(time_s))
            if near is not None:
                return near
        self._searched_s = time_s
        detector = self._analyzer.detector
        due = time_s - self._looked_again_s >= LOOK_AGAIN_S
        if not isinstance(detector, TwoLookDetector) or due or self._tracker.alive:
            self._looked_again_s = time_s
            return detector.detect(frame)
        return detector.detect_quickly(frame)


def _between(before: FrameDetections, after: FrameDetections, one: tuple[Frame, float, int]) -> FrameDetections:
    """Who is where in a frame between two that were searched, in which `pair` finds the same people."""
    frame, time_s, number = one
    share = (time_s - before.time_s) / (after.time_s - before.time_s)
    faces = [face for _, face in after.people]
    pairs = pair([face for _, face in before.people], faces) or []
    people = tuple(
        (track, between(face, faces[index], share)) for (track, face), index in zip(before.people, pairs, strict=True)
    )
    stages = {"detect": 0.0, "track": 0.0}
    return FrameDetections(frame, time_s, number, before.shot, people, before.alive, (), stages)


def with_smoothed(face: Face, smoothed: Mapping[Emotion, float], emotion: Emotion, uncertain_below: float) -> Face:
    """A face with smoothed probabilities, and the emotion that they have settled on."""
    confidence = smoothed[emotion]
    uncertain = confidence < uncertain_below or is_severe(face.quality)
    return replace(face, emotion=emotion, confidence=confidence, uncertain=uncertain, smoothed=smoothed)
