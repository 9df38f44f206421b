"""How many photos a second `mien batch` reads with one worker and with one for each core.

    python benchmarks/batch_speed.py photos/

Whole processes, from start to exit, taking turns; the best of each counts.
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


def main(
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    rounds: Annotated[int, typer.Option(help="How often each is repeated.")] = 2,
) -> None:
    """Print the table."""
    count = sum(path.suffix.lower() in (".jpg", ".jpeg", ".png") for path in photos.rglob("*"))
    best: dict[int, float] = {}
    for _ in range(rounds):
        for workers in sorted({1, os.cpu_count() or 1}):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "mien", "batch", str(photos), "--out", f"{folder}/out"]
                begun = perf_counter()
                subprocess.run([*command, "--workers", str(workers)], check=True, capture_output=True)
                best[workers] = min(best.get(workers, float("inf")), perf_counter() - begun)
    print("| workers | seconds | photos a second |\n|---:|---:|---:|")
    for workers, seconds in best.items():
        print(f"| {workers} | {seconds:.1f} | {count / seconds:.0f} |")


if __name__ == "__main__":
    typer.run(main)
