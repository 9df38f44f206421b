"""How long one photo takes, and which stage takes it.

    python benchmarks/photo_speed.py

A 640x480 picture with one face (scikit-image's astronaut, public domain), warm, one thread. Prints the median of
each stage and of the whole; beside it the same detector weights run by OpenCV, in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import cv2
import numpy as np
import typer
from skimage import data

from mien.analyzer import load
from mien.detection.yunet import WEIGHTS
from mien.options import AnalyzerOptions
from mien.preprocessing import crop


def main(rounds: Annotated[int, typer.Option(help="Rounds; the median is printed.")] = 200) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    analyzer = load(AnalyzerOptions(threads=1))
    photo = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    frame = np.asarray(cv2.copyMakeBorder(photo[:480], 0, 0, 64, 64, cv2.BORDER_REPLICATE), np.uint8)
    detected = analyzer.detector.detect(frame)
    faces = analyzer.detect_faces(frame)
    crops = [crop(frame, face, analyzer.classifier.input_size) for face in faces]
    assert frame.shape == (480, 640, 3) and len(faces) == 1 and analyzer.aligner is not None
    aligner = analyzer.aligner
    weights = WEIGHTS
    opencv = cv2.FaceDetectorYN.create(str(weights), "", (640, 480), 0.7, 0.3)
    stages: dict[str, Callable[[], object]] = {
        "detect": lambda: analyzer.detector.detect(frame),
        "align": lambda: aligner.align(frame, detected),
        "crop": lambda: crop(frame, faces[0], analyzer.classifier.input_size),
        "classify": lambda: analyzer.classifier.predict_proba(crops),
        "whole photo": lambda: analyzer.analyze_frame(frame),
        "(detect by OpenCV)": lambda: opencv.detect(frame),
    }
    times: dict[str, list[float]] = {name: [] for name in stages}
    for number in range(rounds + 10):
        for name, run in stages.items():
            start = time.perf_counter()
            run()
            if number >= 10:
                times[name].append(time.perf_counter() - start)
    whole = np.median(times["whole photo"])
    print("| stage | median ms | share |\n|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {1e3 * np.median(values):.2f} | {np.median(values) / whole:.0%} |")


if __name__ == "__main__":
    typer.run(main)
