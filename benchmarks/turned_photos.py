"""Are photos on their side and on their head read as upright ones?

    python benchmarks/turned_photos.py PHOTOS

PHOTOS is a folder of upright pictures. Each is read as it is and turned by 90, 180 and 270 degrees, with ``rotate``
``auto`` and, for comparison, ``0``. What ``0`` says of the upright photo counts as the truth. Prints a Markdown table:
in how many photos the largest face was found (intersection over union above 0.3), with the same emotion, and with its
eyes where its mouth is or beside (a roll that is off by more than 45 degrees); and what ``auto`` costs upright photos.
"""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Annotated

import typer

from mien import Face, FrameResult, load, read_image
from mien.detection.base import DetectedFace
from mien.detection.tiles import is_same
from mien.detection.turns import turned, turned_back


def main(
    photos: Annotated[Path, typer.Argument(help="Folder with pictures.")],
    every: Annotated[int, typer.Option(help="Read every n-th photo.")] = 1,
) -> None:
    """Print the table."""
    analyzers = {"auto": load(threads=1), "0": load(threads=1, rotate=0)}
    counts = {(quarters, name): [0, 0, 0] for quarters in range(4) for name in analyzers}
    spent, count = dict.fromkeys(analyzers, 0.0), 0
    for path in sorted(photos.glob("*.jpg"))[::every]:
        frame = read_image(path)
        truth = analyzers["0"].analyze_frame(frame).largest
        if truth is None:
            continue
        count += 1
        for (quarters, name), row in counts.items():
            shown = turned(frame, quarters)
            start = process_time()
            result = analyzers[name].analyze_frame(shown)
            spent[name] += process_time() - start if not quarters else 0.0
            face = _same_face(truth, result, quarters, frame.shape[1], frame.shape[0])
            if face is not None:
                row[0] += 1
                row[1] += face.emotion == truth.emotion
                row[2] += _is_wrong(face, truth, quarters)
    print(f"| {count} photos, turned by | rotate | face found | same emotion | read at a wrong turn |")
    print("|---|---|---:|---:|---:|")
    for (quarters, name), (found, same, wrong) in counts.items():
        print(f"| {90 * quarters}° | {name} | {found / count:.1%} | {same / count:.1%} | {wrong} |")
    print(f"\nUpright photos took {spent['auto'] / spent['0']:.3f} times as long with auto as with 0.")


def _same_face(wanted: Face, result: FrameResult, quarters: int, width: int, height: int) -> Face | None:
    for face in result:
        back = turned_back(DetectedFace(face.box, face.score), quarters, width, height)
        if is_same(back.box, wanted.box):
            return face
    return None


def _is_wrong(face: Face, truth: Face, quarters: int) -> bool:
    assert face.angles
    assert truth.angles
    off = (face.angles.roll - truth.angles.roll - 90 * quarters + 180) % 360 - 180
    return abs(off) > 45


if __name__ == "__main__":
    typer.run(main)
