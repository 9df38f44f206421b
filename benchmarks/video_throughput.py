"""How fast `mien video` is, in multiples of real time, and how fast the `fer` package is on the same clip.

    python benchmarks/video_throughput.py clip.mp4
    python benchmarks/video_throughput.py clip.mp4 --fer-python other-env/bin/python

Measures whole processes, from start to exit, every frame read. The runs take turns, so that whatever
else the machine does touches all of them; the best of each counts. The seconds of processor time beside it hardly
depend on what else the machine does: divided by the cores they are the least a run can take. `fer` needs an
environment of its own (`pip install fer`), whose Python is named with ``--fer-python``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

_FER = """
import sys, cv2
try:
    from fer.fer import FER
except ImportError:
    from fer import FER
detector, capture = FER(), cv2.VideoCapture(sys.argv[1])
frames = found = 0
while True:
    ok, frame = capture.read()
    if not ok:
        break
    frames += 1
    found += bool(detector.detect_emotions(frame))
print(f"{found} of {frames} frames with a face")
"""


def main(
    clip: Annotated[Path, typer.Argument(help="A 640x360 clip of one person.")],
    rounds: Annotated[int, typer.Option(help="How often each run is repeated.")] = 3,
    fer_python: Annotated[Path | None, typer.Option(help="Python of an environment with fer.")] = None,
) -> None:
    """Print seconds and multiples of real time."""
    from mien.video import open_video

    with open_video(clip) as video:
        seconds, size, rate = video.end_s, f"{video.width}x{video.height}", float(video.rate or 0)
    print(f"{clip.name}: {size}, {rate:.2f} frames/s, {seconds:.2f} s; {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        mien = [sys.executable, "-m", "mien.cli.main", "video", str(clip), "--force"]
        table = ["--table", f"{folder}/rows.csv"]
        runs = {"mien, table": [*mien, *table], "mien, table and video": [*mien, *table, "--out", f"{folder}/out.mp4"]}
        if fer_python is not None:
            runs["fer"] = [str(fer_python), "-c", _FER, str(clip)]
        best = {name: min(times) for name, times in _take_turns(runs, rounds).items()}
    for name, (taken, busy) in best.items():
        print(f"{name:22} {taken:6.2f} s   {seconds / taken:5.2f} x real time   {busy:6.2f} s of processor", end="")
        print(f"   {best['fer'][0] / taken:5.1f} x fer" if "fer" in best else "")


def _take_turns(runs: dict[str, list[str]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds from start to exit, and seconds of processor time, of each round of each run."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, command in runs.items():
            begun, before = perf_counter(), _processor_s()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times[name].append((perf_counter() - begun, _processor_s() - before))
    return times


def _processor_s() -> float:
    """Processor time of all child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    typer.run(main)
