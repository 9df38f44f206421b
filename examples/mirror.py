"""A mirror: the webcam with boxes and labels, in thirty lines. Q quits.

pip install 'opencv-python<5'  # in an environment of its own: the headless OpenCV has no windows
python examples/mirror.py
python examples/mirror.py clip.mp4
"""

from __future__ import annotations

import sys
from time import perf_counter

import cv2
import numpy as np

import mien


def main(source: str = "0") -> None:
    """Show what the camera sees until Q is pressed or the video ends."""
    camera = cv2.VideoCapture(int(source) if source.isdigit() else source)
    if not camera.isOpened():
        sys.exit(f"cannot open {source}; is it a camera's number or a video?")
    stream = mien.StreamAnalyzer(mien.load())
    begun, number = perf_counter(), 0
    while True:
        ok, picture = camera.read()
        if not ok or cv2.waitKey(1) & 0xFF == ord("q"):
            break
        frame = np.ascontiguousarray(picture[:, ::-1])  # as a mirror shows it
        result = stream.analyze(frame, perf_counter() - begun, number)
        cv2.imshow("mien", mien.draw(frame, result))
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
