"""A study of a folder of photos: a table, a summary, and the pictures to check by eye.

    python examples/folder_study.py examples/ study/

Writes study/faces.csv, a row per face, and study/check/, copies of up to twenty photos drawn at random with their boxes
and labels, so that a person can look at what the figures rest on.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

import cv2

import mien
from mien.tables import PHOTOS, TableWriter

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}


def main(folder: Path, out: Path) -> None:
    """Analyze a folder and write the study."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    out.mkdir(parents=True, exist_ok=True)
    results, damaged = [], []
    with TableWriter(out / "faces.csv", PHOTOS) as table:
        for answer in mien.analyze_many(paths, errors="return"):
            if isinstance(answer, mien.MienError):
                damaged.append(answer)
            else:
                table.write(answer)
                results.append(answer)
    faces = [face for result in results for face in result]
    certain = Counter(str(face.emotion) for face in faces if not face.uncertain)
    print(f"{len(results)} photos, {len(faces)} faces, {sum(face.uncertain for face in faces)} of them uncertain")
    print("certain:", ", ".join(f"{emotion} {count}" for emotion, count in certain.most_common()) or "none")
    for error in damaged:
        print(f"left out: {error}", file=sys.stderr)
    check = out / "check"
    check.mkdir(exist_ok=True)
    for number, result in enumerate(random.Random(0).sample(results, min(20, len(results)))):
        picture = mien.draw(mien.read_image(result.source), result)
        cv2.imwrite(str(check / f"{number:02}-{Path(result.source).stem}.jpg"), picture)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
