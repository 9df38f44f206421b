"""Make the pictures of the gallery from one public-domain portrait.

    python docs/images/make.py

Writes astronaut.jpg, group.jpg, why.jpg and timeline.png beside this file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.drawing import draw

HERE = Path(__file__).parent
PORTRAIT = HERE.parents[1] / "examples" / "astronaut.jpg"
# Side in pixels, tilt in degrees and brightness of each copy, and where it is laid.
COPIES = (
    (360, 0, 1.0, (20, 20)),
    (240, 15, 0.9, (400, 60)),
    (240, -20, 1.0, (660, 40)),
    (160, 0, 0.35, (430, 320)),
    (110, 0, 1.0, (640, 340)),
    (70, 0, 1.0, (800, 350)),
)


def main() -> None:
    """Make all of them."""
    analyzer = mien.load()
    for name, picture in (("astronaut.jpg", cv2.imread(str(PORTRAIT))), ("group.jpg", group())):
        frame = np.asarray(picture, np.uint8)
        cv2.imwrite(str(HERE / name), draw(frame, analyzer.analyze_frame(frame)), [cv2.IMWRITE_JPEG_QUALITY, 88])
    mien.explain(PORTRAIT).save(HERE / "why.jpg")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip)
        mien.analyze_video(clip, timeline=HERE / "timeline.png")


def group() -> NDArray[np.uint8]:
    """The portrait at several sizes, tilts and brightnesses on one canvas: uint8 (520, 920, 3) BGR."""
    portrait = np.asarray(cv2.imread(str(PORTRAIT)), np.uint8)[10:310, 80:380]
    canvas = np.full((520, 920, 3), (196, 188, 180), np.uint8)
    for side, tilt, light, (x, y) in COPIES:
        middle = (portrait.shape[1] / 2, portrait.shape[0] / 2)
        turned = cv2.warpAffine(
            portrait, cv2.getRotationMatrix2D(middle, tilt, 1.0), (300, 300), borderMode=cv2.BORDER_REPLICATE
        )
        copy = cv2.convertScaleAbs(cv2.resize(turned, (side, side), interpolation=cv2.INTER_AREA), alpha=light)
        canvas[y : y + side, x : x + side] = copy
    return canvas


def make_clip(path: Path) -> None:
    """Eight seconds: the camera pans, the light fades and returns, a gray bar passes over the mouth."""
    portrait = np.asarray(cv2.imread(str(PORTRAIT)), np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuv420p"
        for k in range(120):
            left = round(60 + 50 * np.sin(k / 14))
            light = 0.6 + 0.4 * np.cos(k / 14)
            view = portrait[20:340, left : left + 320].copy()
            top = round(320 - 400 * np.sin(np.pi * k / 119))
            view[max(top, 98) : 320] = 128 if top < 320 else view[max(top, 98) : 320]
            view = cv2.convertScaleAbs(view, alpha=float(light))
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(view), format="bgr24")))
        file.mux(stream.encode())


if __name__ == "__main__":
    main()
