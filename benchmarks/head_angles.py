"""How far can head angles be relied on?

    python benchmarks/head_angles.py PHOTOS

PHOTOS is a folder of pictures with one face each. No true angles are known, so each photo is read as it is, mirrored,
tilted, smaller and noisier: roll and yaw of a mirrored head change their sign, a tilt adds to the roll, and nothing
else changes an angle. Prints a Markdown table of the errors against that, in degrees.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from alignment import turn

from mien import load, read_image
from mien.analyzer import Analyzer
from mien.detection import Frame
from mien.results import HeadAngles

SAME, NOTHING = HeadAngles(1, 1, 1), HeadAngles(0, 0, 0)
TILTS = (10, -10, 20, -20, 30, -30)


def main(
    photos: Annotated[Path, typer.Argument(help="Folder with pictures.")],
    every: Annotated[int, typer.Option(help="Read every n-th photo.")] = 4,
) -> None:
    """Print the table."""
    analyzer = load(mirror="off")
    frames = [read_image(path) for path in sorted(photos.glob("*.jpg"))[::every]]
    upright = [_angles(analyzer, frame) for frame in frames]
    known = np.array([angles for angles in upright if angles])
    middle, spread = np.median(known, axis=0), np.percentile(known, [5, 95], axis=0)
    print(f"{len(known)} photos. Median roll {middle[0]:.1f}, yaw {middle[1]:.1f}, pitch {middle[2]:.1f} degrees;")
    print(f"5% to 95%: yaw {spread[0, 1]:.0f} to {spread[1, 1]:.0f}, pitch {spread[0, 2]:.0f} to {spread[1, 2]:.0f}.\n")
    print("| copy | angle | median error | 95% below | photos |\n|---|---|---:|---:|---:|")
    flip = HeadAngles(-1, -1, 1)
    _print("mirrored", analyzer, frames, upright, lambda frame: np.ascontiguousarray(frame[:, ::-1]), flip)
    _print("half as large", analyzer, frames, upright, lambda frame: cv2.resize(frame, None, fx=0.5, fy=0.5))
    _print("noise of 10 gray levels", analyzer, frames, upright, _noisy)
    for tilt in TILTS:
        # OpenCV turns against the clock, roll is counted with it.
        added = HeadAngles(-tilt, 0, 0)
        _print(f"tilted by {-tilt:+d}°", analyzer, frames, upright, partial(turn, degrees=tilt), added=added)


def _print(
    name: str,
    analyzer: Analyzer,
    frames: list[Frame],
    upright: list[HeadAngles | None],
    change: Callable[[Frame], Frame],
    factor: HeadAngles = SAME,
    added: HeadAngles = NOTHING,
) -> None:
    errors = []
    for frame, known in zip(frames, upright, strict=True):
        found = known and _angles(analyzer, change(frame))
        if known and found:
            errors.append(np.abs(np.array(found) - np.array(known) * factor - added))
    for k, angle in enumerate(HeadAngles._fields):
        values = np.array(errors)[:, k]
        print(f"| {name} | {angle} | {np.median(values):.1f} | {np.percentile(values, 95):.1f} | {len(values)} |")


def _angles(analyzer: Analyzer, frame: Frame) -> HeadAngles | None:
    face = analyzer.analyze_frame(frame).largest
    return face and face.angles


def _noisy(frame: Frame) -> Frame:
    noise = np.random.default_rng(0).normal(0, 10, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    typer.run(main)
