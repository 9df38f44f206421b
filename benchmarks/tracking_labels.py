"""How often the label of a person changes in real clips: frame by frame, smoothed live, and smoothed as files are.

    python benchmarks/tracking_labels.py ../shared/media

Each clip is read once; its raw answers are smoothed by the past alone, as live cameras are, and with a look ahead, as
files are. Changes are counted per minute that a face is in sight. The lag is the shift of the raw answers that agrees
best with the smoothed probabilities: positive where these come late.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mien.analyzer import Analyzer, load
from mien.emotions import Emotion
from mien.files import is_video
from mien.results import Face, FrameResult
from mien.tracking.lookahead import LookAhead
from mien.tracking.stream import FrameDetections, StreamAnalyzer
from mien.video import open_video
from mien.video.process import FULL_SEARCH_S

# Lags are looked for up to so many seconds either way; people seen for less than four times that tell nothing of them.
_MOST_LAG_S, _STEP_S = 0.8, 0.01


@dataclass
class Labels:
    """The answers of one kind for one clip."""

    labels: dict[int, list[Emotion]] = field(default_factory=lambda: defaultdict(list))
    probabilities: dict[int, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    times: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, face: Face, emotion: Emotion, time_s: float) -> None:
        """Take in a face of the next frame."""
        assert face.track is not None
        shown = face.smoothed or face.probabilities
        self.labels[face.track].append(emotion)
        self.probabilities[face.track].append([shown[emotion] for emotion in Emotion])
        self.times[face.track].append(time_s)

    @property
    def changes(self) -> int:
        """How often the label changed, all people together."""
        return sum(one is not other for labels in self.labels.values() for one, other in pairwise(labels))

    def lag_s(self, raw: Labels) -> float:
        """By how much these answers come after the raw ones."""
        shifts = np.arange(-_MOST_LAG_S, _MOST_LAG_S + 1e-9, _STEP_S)
        errors = np.zeros(len(shifts))
        for track, times in self.times.items():
            if times[-1] - times[0] < 4 * _MOST_LAG_S:
                continue
            at, shown = np.array(times), np.array(self.probabilities[track])
            inside = (at >= times[0] + _MOST_LAG_S) & (at <= times[-1] - _MOST_LAG_S)
            raw_times, raw_shown = np.array(raw.times[track]), np.array(raw.probabilities[track])
            for k, shift in enumerate(shifts):
                moved = [np.interp(at[inside] - shift, raw_times, column) for column in raw_shown.T]
                errors[k] += float(((shown[inside] - np.stack(moved, axis=1)) ** 2).sum())
        return float(shifts[int(errors.argmin())]) if errors.any() else math.nan


def read(path: Path, analyzer: Analyzer) -> tuple[Labels, Labels, Labels, float]:
    """Raw, live and file answers for a clip, and the minutes for which faces were in sight."""
    raw, live, file = Labels(), Labels(), Labels()
    stream = StreamAnalyzer(analyzer, full_search_s=FULL_SEARCH_S)
    causal = StreamAnalyzer(analyzer)
    ahead: LookAhead[None] = LookAhead(stream.smoothing_s, stream.uncertain_below, stream.is_confirmed, 10**6)

    def results() -> Iterator[tuple[FrameDetections, FrameResult]]:
        with open_video(path) as video:
            for frame in video:
                detections = stream.detect(frame.image, frame.time_s, frame.number)
                yield detections, stream.classify_raw(detections)

    done: list[FrameResult] = []
    for detections, result in results():
        for face in result:
            raw.add(face, face.emotion, detections.time_s)
        for face in causal.classify(detections):
            live.add(face, face.emotion, detections.time_s)
        done += [seen for _, seen in ahead.add(None, result, detections.renamed)]
    stream.close()
    done += [seen for _, seen in ahead.finish()]
    for result in done:
        for face in result:
            file.add(face, face.emotion, result.time_s or 0.0)
    minutes = sum(times[-1] - times[0] for times in raw.times.values()) / 60
    return raw, live, file, minutes


def main(folder: Annotated[Path, typer.Argument(help="Folder of clips.")]) -> None:
    """Print a line per clip, and one for all together."""
    analyzer = load()
    print(f"{'clip':24} {'minutes':>7} {'raw/min':>8} {'live/min':>8} {'file/min':>8} {'live lag':>9} {'file lag':>9}")
    total = np.zeros(4)
    for path in sorted(path for path in folder.iterdir() if is_video(path)):
        raw, live, file, minutes = read(path, analyzer)
        counts = np.array([minutes, raw.changes, live.changes, file.changes])
        total += counts
        _print(path.name, counts, f"{live.lag_s(raw):8.2f}s {file.lag_s(raw):8.2f}s")
    _print("all", total, "")
    print(f"files against live: {1 - total[3] / max(1.0, total[2]):.0%} fewer changes")


def _print(name: str, counts: np.ndarray, lags: str) -> None:
    rates = " ".join(f"{count / max(1e-9, counts[0]):8.1f}" for count in counts[1:])
    print(f"{name:24} {counts[0]:7.2f} {rates} {lags}", flush=True)


if __name__ == "__main__":
    typer.run(main)
