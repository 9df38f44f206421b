"""Whether the memory of `mien batch` grows with the number of files.

    python benchmarks/batch_memory.py --photos 100000

Reads small pictures, hard links to 200 different ones, with two workers, and prints the resident memory of the
process that hands out the tasks and of the larger worker. Linux only.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path
from typing import Annotated

import cv2
import typer

from mien.batch import BatchReport, FaceReader, run_batch

PORTRAIT = Path(__file__).parents[1] / "examples/astronaut.jpg"
SIDE, DIFFERENT, IN_A_FOLDER = 64, 200, 1000


def main(
    photos: Annotated[int, typer.Option(help="How many pictures.")] = 100_000,
    workers: Annotated[int, typer.Option(help="Pictures read at a time.")] = 2,
) -> None:
    """Print resident memory in MB over the run."""
    samples: list[tuple[int, float, float]] = []

    def sample(report: BatchReport) -> None:
        read = [resident(child.pid) for child in multiprocessing.active_children()]
        samples.append((report.photos, resident("self"), max(read, default=0.0)))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder / "photos", photos)
        # What is quickest: memory is measured here, and many pictures are to be read.
        reader = FaceReader(model="mien-2-tiny", detect_size=128, mirror="off", threads=1)
        report = run_batch([folder / "photos"], folder / "out", reader=reader, workers=workers, on_progress=sample)
    print(f"{report.photos} photos, {report.faces} faces, {report.failed} failed\n")
    print("| photos read | main process, MB | worker, MB |\n|---:|---:|---:|")
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        count, own, worker = next(values for values in samples if values[0] >= share * report.photos)
        print(f"| {count} | {own:.0f} | {worker:.0f} |")


def write_pictures(folder: Path, count: int) -> None:
    """Write small portraits of different brightness."""
    image = cv2.imread(str(PORTRAIT))
    side = min(image.shape[:2])
    small = cv2.resize(image[:side, :side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    originals = [
        cv2.imencode(".jpg", cv2.convertScaleAbs(small, alpha=0.8 + 0.4 * number / DIFFERENT))[1].tobytes()
        for number in range(DIFFERENT)
    ]
    first: list[Path] = []
    for number in range(count):
        path = folder / f"{number // IN_A_FOLDER:04}/{number:07}.jpg"
        if number % IN_A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        if number < DIFFERENT:
            path.write_bytes(originals[number])
            first.append(path)
        else:
            path.hardlink_to(first[number % DIFFERENT])


def resident(process: int | str | None) -> float:
    """Resident memory of a process in MB; 0 if it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return int(status.split("VmRSS:")[1].split()[0]) / 1024 if "VmRSS:" in status else 0.0


if __name__ == "__main__":
    typer.run(main)
