"""How well people are told apart over time, on composed clips whose truth is known.

    python benchmarks/tracking.py ../shared/data/wild
    python benchmarks/tracking.py ../shared/data/wild --scene leave --scene crowd8 --full-search 0

Per clip: IDF1 (Ristani et al. 2016, over people that are confirmed), identity switches, fragmentations, numbers shared
by several people, faces missed, rows and people that are nobody, cuts found wrongly or missed, and how often the label
changes per minute and person.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tracking_scenes import RATE, SCENES, Cast, Scene, Truth

from mien import FrameResult
from mien.analyzer import Analyzer, load
from mien.results import Face
from mien.tracking.assignment import assign
from mien.tracking.stream import StreamAnalyzer
from mien.video import VideoFrame
from mien.video.process import read_frames

MIN_IOU = 0.4
# Rows of a person among those of a number that make it a mixture of people.
_MIXED = 5


@dataclass
class Score:
    """What a clip was read as, against its truth."""

    truths: int = 0
    rows: int = 0
    matches: Counter[tuple[int, int]] = field(default_factory=Counter)
    switches: int = 0
    fragments: int = 0
    label_changes: int = 0
    false_rows: int = 0
    cuts: list[float] = field(default_factory=list)
    people: set[int] = field(default_factory=set)
    _last: dict[int, int] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)
    _labels: dict[int, object] = field(default_factory=dict)
    _frames: int = 0
    _shot: int = 1

    def add(self, truths: list[Truth], result: FrameResult) -> None:
        """Take in the next frame."""
        if result.shot is not None and result.shot != self._shot:
            self._shot = result.shot
            self.cuts.append(result.time_s or 0.0)
        faces = [face for face in result if face.confirmed]
        self.truths += len(truths)
        self.rows += len(faces)
        self.people |= {face.track for face in faces if face.track is not None}
        pairs = _pair(truths, faces)
        self.false_rows += len(faces) - len(pairs)
        for truth, face in pairs:
            track = face.track or 0
            self.matches[truth.person, track] += 1
            if truth.person in self._last:
                self.switches += self._last[truth.person] != track
                self.fragments += self._seen[truth.person] < self._frames - 1
                self.label_changes += face.emotion is not self._labels[truth.person]
            self._last[truth.person], self._seen[truth.person] = track, self._frames
            self._labels[truth.person] = face.emotion
        self._frames += 1

    @property
    def idf1(self) -> float:
        """IDF1: people matched with numbers once and for all, so that most rows agree."""
        people, tracks = sorted({key[0] for key in self.matches}), sorted({key[1] for key in self.matches})
        if not people:
            return 0.0
        counts = np.array([[self.matches[person, track] for track in tracks] for person in people], float)
        right = sum(counts[row, column] for row, column in assign(-counts))
        return float(2 * right / (self.truths + self.rows))

    @property
    def missed(self) -> float:
        """Share of the faces that were not found, or not confirmed."""
        return 1 - sum(self.matches.values()) / max(1, self.truths)

    @property
    def mixed(self) -> int:
        """Numbers shared by several people."""
        per_track: dict[int, int] = defaultdict(int)
        for (_, track), count in self.matches.items():
            per_track[track] += count >= _MIXED
        return sum(count > 1 for count in per_track.values())

    @property
    def false_people(self) -> int:
        """Confirmed numbers that are nobody's."""
        return len(self.people - {track for (_, track), count in self.matches.items() if count >= _MIXED})

    @property
    def changes_a_minute(self) -> float:
        """Label changes per minute and person."""
        return self.label_changes / max(1e-9, sum(self.matches.values()) / RATE / 60)

    def wrong_cuts(self, scene: Scene) -> int:
        """Cuts found where there is none, and cuts that were not found within 0.2 s."""
        if scene.cuts is None:
            return 0
        late = [min((found - cut for found in self.cuts if found - cut >= -0.02), default=9.9) for cut in scene.cuts]
        missed = sum(seconds > 0.2 for seconds in late)
        return missed + max(0, len(self.cuts) - (len(scene.cuts) - missed))


def _pair(truths: list[Truth], faces: list[Face]) -> list[tuple[Truth, Face]]:
    overlaps = np.array([[_iou(truth.box, face.box) for face in faces] for truth in truths])
    if not overlaps.size:
        return []
    return [(truths[i], faces[j]) for i, j in assign(-overlaps) if overlaps[i, j] >= MIN_IOU]


def _iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def read_scene(cast: Cast, scene: Scene, analyzer: Analyzer, full_search_s: float, live: bool = False) -> Score:
    """Read a clip as `mien video` reads files, or as a live camera is read, and score it."""
    score = Score()
    frames = cast.frames(scene)
    for truths, result in _read(frames, StreamAnalyzer(analyzer, full_search_s=full_search_s), live):
        score.add(truths, result)
    return score


def _read(
    frames: Iterable[tuple[np.ndarray, list[Truth]]], stream: StreamAnalyzer, live: bool
) -> Iterator[tuple[list[Truth], FrameResult]]:
    waiting: deque[list[Truth]] = deque()

    def images() -> Iterator[VideoFrame]:
        for number, (image, truths) in enumerate(frames):
            waiting.append(truths)
            yield VideoFrame(number, number / RATE, image)

    if live:
        results = (stream.analyze(frame.image, frame.time_s, frame.number) for frame in images())
    else:
        results = (result for _, result in read_frames(images(), stream))
    for result in results:
        yield waiting.popleft(), result


def main(
    faces: Annotated[Path, typer.Argument(help="Folder of photos named Person_0001.jpg.")],
    scene: Annotated[list[str] | None, typer.Option(help="Clips to read.  [default: all]")] = None,
    full_search: Annotated[float, typer.Option(help="Seconds between searches of the whole frame.")] = 0.25,
    live: Annotated[bool, typer.Option(help="Read as a live camera is read, without looking ahead.")] = False,
    reidentify: Annotated[bool, typer.Option(help="Know people again by their looks.")] = True,
) -> None:
    """Print a line per clip."""
    analyzer = load(reidentify=reidentify)
    cast = Cast(faces, analyzer)
    print("clip           IDF1  switches fragments mixed people missed false_rows false_people wrong_cuts changes/min")
    for name in scene or SCENES:
        score = read_scene(cast, SCENES[name], analyzer, full_search, live)
        print(
            f"{name:13} {score.idf1:.3f}  {score.switches:8} {score.fragments:9} {score.mixed:5} {len(score.people):6} "
            f"{100 * score.missed:5.1f}% {score.false_rows:10} {score.false_people:12} "
            f"{score.wrong_cuts(SCENES[name]):10} {score.changes_a_minute:11.1f}",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
