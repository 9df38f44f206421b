"""How good is a model on your own faces? From a folder with labels to figures with intervals.

    python examples/own_labels.py labeled/

The folder holds pictures with one face each and labels.csv with the columns file,emotion. Faces are found first, as in
`mien photo`; one that is not found counts as wrong. The interval is Wilson's, 95%: with few faces it is wide.
"""

from __future__ import annotations

import csv
import sys
from math import sqrt
from pathlib import Path

import mien
from mien import Emotion


def main(folder: Path) -> None:
    """Print the share of right answers, overall and per emotion."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [(folder / row["file"], Emotion.parse(row["emotion"])) for row in csv.DictReader(file)]
    answers = mien.analyze_many([path for path, _ in rows])
    right: dict[str, list[bool]] = {}
    for (_, label), result in zip(rows, answers, strict=True):
        face = result.largest
        correct = face is not None and face.emotion is label
        for group in ("all", str(label)):
            right.setdefault(group, []).append(correct)
    for group, answered in right.items():
        low, high = wilson(sum(answered), len(answered))
        share = sum(answered) / len(answered)
        print(f"{group:9} {share:6.1%} of {len(answered):5}   95% interval {low:.1%} to {high:.1%}")


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share (E. B. Wilson 1927, Journal of the American Statistical Association 22)."""
    share, scale = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
