"""How many photos a second `mien batch` reads with one worker and with one for each core.

    python benchmarks/batch_speed.py photos/ --copies 4

Whole processes, from start to exit, taking turns; the best of each counts. Processor seconds tell, also on a busy
machine, how much work the workers cost each other.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer


def main(
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    copies: Annotated[int, typer.Option(help="Read each photo so often, so that starting matters less.")] = 4,
    rounds: Annotated[int, typer.Option(help="How often each is repeated.")] = 2,
) -> None:
    """Print the table."""
    pictures = [path for path in sorted(photos.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
    count = copies * len(pictures)
    best: dict[int, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, path in enumerate(pictures * copies):
            link = folder / f"photos/{number:06}{path.suffix}"
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(path.absolute())
        for turn in range(rounds):
            for workers in sorted({1, os.cpu_count() or 1}):
                measured = run(folder / "photos", folder / f"out-{workers}-{turn}", workers)
                best[workers] = min(measured, best.get(workers, measured))
    print("| workers | seconds | processor seconds | photos a second | times one worker |\n|---:|---:|---:|---:|---:|")
    for workers, (seconds, processor) in best.items():
        print(f"| {workers} | {seconds:.1f} | {processor:.1f} | {count / seconds:.0f} | {best[1][0] / seconds:.2f} |")


def run(photos: Path, out: Path, workers: int) -> tuple[float, float]:
    """Seconds and processor seconds of a whole run."""
    command = [sys.executable, "-m", "mien", "batch", str(photos), "--out", str(out), "--workers", str(workers)]
    begun, before = perf_counter(), processor_seconds()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return perf_counter() - begun, processor_seconds() - before


def processor_seconds() -> float:
    """What all programs started by this one took until now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    typer.run(main)
