"""What it costs to find faces in every n-th frame of a video only, and to place them in between on straight lines.

    python benchmarks/search_between.py ../shared/media/group_walk_pexels.mp4 ../shared/media/woman2.mp4

Every frame is searched; then the faces of the frames in between are put where the lines would put them and read there.
Compared with what was found and read in these very frames: overlap of the boxes, difference of the head's tilt in
degrees, distance of the probabilities (half the sum of absolute differences), and how often the likeliest emotion is
the same. As a measure for these, the distance of the probabilities from one frame to the next.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mien.analyzer import Analyzer, load
from mien.detection.base import DetectedFace
from mien.emotions import LABELS
from mien.tracking.between import between, pair
from mien.tracking.stream import FrameDetections, StreamAnalyzer
from mien.video import open_video


def main(clips: Annotated[list[Path], typer.Argument(help="Videos.")]) -> None:
    """Print a line per clip and n."""
    analyzer = load()
    print(
        f"{'clip':24} {'n':>2} {'faces':>6} {'overlap':>8} {'tilt':>6} {'distance':>9} {'same':>6} {'next frame':>11}"
    )
    for clip in clips:
        stream = StreamAnalyzer(analyzer, full_search_s=0.25)
        with open_video(clip) as video:
            found = [stream.detect(frame.image, frame.time_s, frame.number) for frame in video]
        probabilities = [_read(analyzer, seen, [face for _, face in seen.people]) for seen in found]
        steps = [_distance(one[:1], other[:1]) for one, other in pairwise(probabilities) if len(one) == len(other) == 1]
        for every in (2, 3, 4):
            overlaps, tilts, distances, same = [], [], [], []
            for index, seen in enumerate(found):
                start = index - index % every
                if index == start or start + every >= len(found):
                    continue
                guessed = _guess(found[start], found[start + every], seen)
                if guessed is None:
                    continue
                read = _read(analyzer, seen, guessed)
                for place, (face, (_, real)) in enumerate(zip(guessed, seen.people, strict=True)):
                    overlaps.append(_overlap(face, real))
                    tilts.append(abs(math.degrees(face.roll - real.roll)))
                    distances.append(_distance(read[place], probabilities[index][place]))
                    same.append(read[place].argmax() == probabilities[index][place].argmax())
            print(
                f"{clip.name:24} {every:2} {len(same):6} {np.mean(overlaps):8.3f} {np.mean(tilts):6.2f} "
                f"{np.mean(distances):9.3f} {np.mean(same):6.1%} {np.mean(steps):11.3f}",
                flush=True,
            )


def _guess(before: FrameDetections, after: FrameDetections, seen: FrameDetections) -> list[DetectedFace] | None:
    """The faces of a frame between two; None where it would be searched."""
    first, last = [face for _, face in before.people], [face for _, face in after.people]
    pairs = pair(first, last)
    if pairs is None or before.shot != after.shot or [n for n, _ in before.people] != [n for n, _ in seen.people]:
        return None
    share = (seen.time_s - before.time_s) / (after.time_s - before.time_s)
    return [between(face, last[index], share) for face, index in zip(first, pairs, strict=True)]


def _read(analyzer: Analyzer, seen: FrameDetections, faces: list[DetectedFace]) -> np.ndarray:
    answers = analyzer.classify(seen.frame, faces, video=True)
    return np.array([answer.probabilities for answer in answers]).reshape(-1, len(LABELS))


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).sum() / 2)


def _overlap(one: DetectedFace, other: DetectedFace) -> float:
    """Intersection over union."""
    (left, top, width, height), (x, y, w, h) = one.box, other.box
    both = max(0.0, min(left + width, x + w) - max(left, x)) * max(0.0, min(top + height, y + h) - max(top, y))
    return both / (width * height + w * h - both)


if __name__ == "__main__":
    typer.run(main)
