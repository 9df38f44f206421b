"""Whether the memory of `mien video` grows with the length of the video.

    python benchmarks/video_memory.py clip.mp4 --minutes 60

Repeats a clip without re-encoding until it is long enough, reads it with every output there is, and prints the
resident memory from 10% to 100%. ``--every`` shortens the run; the frames in between are decoded
all the same.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import av
import typer


def main(
    clip: Annotated[Path, typer.Argument(help="A clip to repeat.")],
    minutes: Annotated[float, typer.Option(help="Length to repeat it to.")] = 60.0,
    every: Annotated[int, typer.Option(help="Read every n-th frame.")] = 5,
) -> None:
    """Print resident memory in MB over the run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long = folder / "long.mp4"
        frames = _repeat(clip, long, minutes * 60)
        outputs = ["--table", f"{folder}/rows.csv", "--timeline", f"{folder}/line.png", "--out", f"{folder}/out.mp4"]
        outputs += ["--summary", f"{folder}/people.csv", "--episodes", f"{folder}/episodes.csv"]
        outputs += ["--report", f"{folder}/page.html"]
        command = [sys.executable, "-m", "mien.cli.main", "video", str(long), "--every", str(every), *outputs]
        samples = _watch(command, folder, frames // every)
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        print(f"{share:5.0%}  {next(rss for done, rss in samples if done >= min(share, samples[-1][0])):7.1f} MB")


def _repeat(clip: Path, target: Path, seconds: float) -> int:
    """Copy a clip's pictures over and over; returns the number of frames."""
    frames, offset = 0, 0
    with av.open(str(target), "w") as output, av.open(str(clip)) as source:
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream)
        while offset * stream.time_base < seconds:
            source.seek(0)
            end = 0
            for packet in source.demux(stream):
                if packet.pts is None or packet.dts is None:
                    continue
                end = max(end, packet.pts + (packet.duration or 1))
                packet.pts, packet.dts, packet.stream = packet.pts + offset, packet.dts + offset, copy
                output.mux(packet)
                frames += 1
            offset += end
    return frames


def _watch(command: list[str], folder: Path, rows: int) -> list[tuple[float, float]]:
    """Run a command; returns how much of the table was written at each moment, and the memory in MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        time.sleep(0.5)
        try:
            # The table has a temporary name until it is complete.
            table = next(folder.glob(".rows.*.partial.csv"))
            done = table.read_bytes().count(b"\n") / rows
            pages = Path(f"/proc/{process.pid}/status").read_text().split("VmRSS:")[1].split()[0]
        except (FileNotFoundError, IndexError, StopIteration):
            continue
        samples.append((done, int(pages) / 1024))
    if process.returncode:
        raise typer.Exit(process.returncode)
    return samples


if __name__ == "__main__":
    typer.run(main)
