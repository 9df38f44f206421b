"""mien, with either model, and the `fer` package side by side: accuracy, speed, first answer and memory.

    python benchmarks/peers.py fer2013.csv photos/ --fer-python other-env/bin/python

Each has its own defaults otherwise. Every figure is taken from a process of its own, one package after the other, on
one thread. `fer` needs an environment of its own (`pip install fer`), whose Python is named with ``--fer-python``.
Faces are FER-2013's PublicTest crops, each read once, without its mirror image; photos are those of a folder with
``labels.csv``, of which each has one label: the largest face that is found answers, and a photo without a face found
counts as wrong.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from mien.emotions import LABELS, Emotion
from mien.evaluation.datasets import read_fer2013

# Both programs read (faces.npy, list of photos as JSON, mien's model) and print one JSON object. The clock starts
# before the import.
_COMMON = """
import json, resource, sys, time
started = time.perf_counter()
def report(first_s, faces, ms_face, photos, ms_photo):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("JSON" + json.dumps({"first_s": first_s, "faces": faces, "ms_face": ms_face,
          "photos": photos, "ms_photo": ms_photo, "peak_mb": peak}))
def clock(answer, items):
    answers, times = [], []
    for item in items:
        begin = time.perf_counter()
        answers.append(answer(item))
        times.append(time.perf_counter() - begin)
    return answers, 1000 * sorted(times)[len(times) // 2]
"""
_MIEN = """
import numpy as np, cv2, mien
cv2.setNumThreads(1)
analyzer = mien.load(mien.AnalyzerOptions(sys.argv[3], threads=1))
paths = json.load(open(sys.argv[2]))
analyzer.analyze(paths[0])
first = time.perf_counter() - started
faces, ms_face = clock(
    lambda face: analyzer.classifier.predict_proba(face[None], head="fer2013")[0].tolist(), np.load(sys.argv[1]))
def read(frame):
    found = analyzer.analyze(frame)
    return max(found, key=lambda face: face.box[2] * face.box[3]).emotion.value if found else None
photos, ms_photo = clock(read, (cv2.imread(path) for path in paths))
report(first, faces, ms_face, photos, ms_photo)
"""
_FER = """
import numpy as np, cv2
try:
    from fer.fer import FER
except ImportError:
    from fer import FER
cv2.setNumThreads(1)
detector = FER()
paths = json.load(open(sys.argv[2]))
detector.detect_emotions(cv2.imread(paths[0]))
first = time.perf_counter() - started
def classify(face):  # as in its detect_emotions, from the cropped face on
    face = (cv2.resize(face, (64, 64)).astype("float32") / 255 - 0.5) * 2
    return np.asarray(detector._classify_emotions(face[None]))[0].tolist()
faces, ms_face = clock(classify, np.load(sys.argv[1]))
def read(frame):
    found = detector.detect_emotions(frame)
    if not found:
        return None
    emotions = max(found, key=lambda face: face["box"][2] * face["box"][3])["emotions"]
    return max(emotions, key=emotions.get)
photos, ms_photo = clock(read, (cv2.imread(path) for path in paths))
report(first, faces, ms_face, photos, ms_photo)
"""


def main(
    data: Annotated[Path, typer.Argument(help="fer2013.csv")],
    photos: Annotated[Path, typer.Argument(help="Folder of photos with labels.csv.")],
    fer_python: Annotated[Path, typer.Option(help="Python of an environment with fer.")],
) -> None:
    """Print the table."""
    test = read_fer2013(data).of_usage("PublicTest")
    with (photos / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    truth = [Emotion.parse(row["emotion"]).value for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        faces, paths = Path(folder, "faces.npy"), Path(folder, "photos.json")
        np.save(faces, test.pixels)
        paths.write_text(json.dumps([str(photos / row["file"]) for row in rows]), encoding="utf-8")
        answers = {
            "mien": run(Path(sys.executable), _MIEN, faces, paths, "mien-2"),
            "mien-2-tiny": run(Path(sys.executable), _MIEN, faces, paths, "mien-2-tiny"),
            "fer": run(fer_python, _FER, faces, paths),
        }
    print(f"| {len(test)} faces, {len(rows)} photos | {' | '.join(answers)} |\n|---|---:|---:|---:|")
    measured = [measure(answer, test.labels, truth) for answer in answers.values()]
    for name in measured[0]:
        print(f"| {name} | " + " | ".join(figures[name] for figures in measured) + " |")


def run(python: Path, program: str, *arguments: Path | str) -> dict[str, Any]:
    """What one package's program reports."""
    command = [str(python), "-c", _COMMON + program, *map(str, arguments)]
    threads = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads})
    report: dict[str, Any] = json.loads(done.stdout.rpartition("JSON")[2])
    return report


def measure(answer: dict[str, Any], labels: np.ndarray[Any, Any], truth: list[str]) -> dict[str, str]:
    """The rows of the table for one package."""
    guesses = np.asarray(answer["faces"]).argmax(axis=1)
    recalls = [
        np.mean([guess == label for guess, label in zip(answer["photos"], truth, strict=True) if label == emotion])
        for emotion in LABELS
        if emotion in truth and emotion != "fear"
    ]
    return {
        "PublicTest, accuracy on the crops, read once": f"{np.mean(guesses == labels):.3f}",
        "photos, a face found": f"{np.mean([guess is not None for guess in answer['photos']]):.1%}",
        "photos, balanced accuracy without fear": f"{np.mean(recalls):.3f}",
        "a face, classified (median)": f"{answer['ms_face']:.2f} ms",
        "a photo, found and classified (median)": f"{answer['ms_photo']:.1f} ms",
        "from import to the first answer": f"{answer['first_s']:.1f} s",
        "peak memory": f"{answer['peak_mb']:.0f} MB",
    }


if __name__ == "__main__":
    typer.run(main)
