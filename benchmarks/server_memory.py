"""How much memory `mien serve` needs, by the number of its workers, as a Markdown table.

    python benchmarks/server_memory.py

For each number of workers a service is started and its resident memory read: when it is ready; the highest while it
reads 200 photos of 512 x 512 pixels with four clients per worker; the highest while every worker reads pictures of 12
megapixels; and of the largest picture that it takes, 50 megapixels, of which it reads one at a time. Linux only.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import cv2
import httpx
import typer

from mien import read_image

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
JPEG = {"Content-Type": "image/jpeg"}


def main(
    workers: Annotated[list[int], typer.Option(help="Numbers of workers.")] = [1, 2, 4],  # noqa: B006
) -> None:
    """Print the table."""
    photo = EXAMPLE.read_bytes()
    usual, largest = enlarged(photo, 3464), enlarged(photo, 7071)
    print("| workers | ready | photos | 12 megapixels | 50 megapixels |\n|---:|---:|---:|---:|---:|")
    for count in workers:
        with serve(count) as (process, port):
            cells = [memory(process, "VmRSS")]
            for content, requests in ((photo, 200), (usual, 4 * count), (largest, 2)):
                ask(port, content, requests, 4 * count)
                cells.append(memory(process, "VmHWM"))
            print(f"| {count} | " + " | ".join(f"{cell:.0f} MB" for cell in cells) + " |", flush=True)


def enlarged(photo: bytes, side: int) -> bytes:
    """A photo as a square JPEG of another size."""
    larger = cv2.resize(read_image(photo), (side, side), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", larger)[1].tobytes()


@contextmanager
def serve(workers: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service and its port."""
    limits = ("--pixel-rate", str(10**12), "--timeout", "300", "--max-uploads", "1000", "--queue", "100")
    command = [sys.executable, "-m", "mien", "serve", "--port", "0", "--workers", str(workers), *limits]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield process, int(re.findall(r"http://[^:]+:(\d+)", process.stderr.readline())[0])
    finally:
        process.terminate()
        process.wait()


def memory(process: subprocess.Popen[str], kind: str) -> float:
    """Memory of a process in MB: ``VmRSS`` for now, ``VmHWM`` for the highest so far."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(status.split(f"{kind}:")[1].split()[0]) / 1024


def ask(port: int, content: bytes, requests: int, clients: int) -> None:
    """Send a picture so many times."""

    def send(_: int) -> None:
        url = f"http://127.0.0.1:{port}/v1/analyze"
        httpx.post(url, content=content, headers=JPEG, timeout=600).raise_for_status()

    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(send, range(requests)))


if __name__ == "__main__":
    typer.run(main)
