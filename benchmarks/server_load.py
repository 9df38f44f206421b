"""How much `mien serve` answers in a second, how long answers take, and whether its memory grows.

    python benchmarks/server_load.py
    python benchmarks/server_load.py photo.jpg --requests 10000
    python benchmarks/server_load.py --processes 2

Starts the service on this machine and asks it with 1, 4 and 16 clients at once. Each client sends one picture,
waits for the answer, and sends the next. Then 64 clients are more than the service has places for, to see that
nothing but 429 and 503 comes of it. In the end many requests show whether memory grows, and, with one process, a
picture as large as the service takes shows how much memory a pixel costs.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import typer

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
_BOUNDARY = "mien-benchmark"


class Run(NamedTuple):
    """What came of some requests.

    Attributes:
        statuses: How many answers of each status.
        milliseconds: Of each answer with 200.
        seconds: In all.
        computed: Milliseconds that the service computed for each picture, on all cores together: unlike the others this
            hardly depends on what else the machine does.
    """

    statuses: Counter[int]
    milliseconds: list[float]
    seconds: float
    computed: float


class Server(NamedTuple):
    """A running service."""

    process: subprocess.Popen[str]
    port: int

    def memory(self) -> float:
        """Resident memory of all its processes in MB."""
        statuses = [Path(f"/proc/{number}/status").read_text(encoding="utf-8") for number in self._processes()]
        return sum(int(status.split("VmRSS:")[1].split()[0]) for status in statuses) / 1024

    def computed(self) -> float:
        """Milliseconds of processor time of all its processes so far."""
        ticks = 0
        for number in self._processes():
            times = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            ticks += int(times[11]) + int(times[12])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> list[int]:
        first = self.process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="utf-8")
        return [first, *map(int, children.split())]


def main(
    picture: Annotated[Path, typer.Argument(help="What every request sends.")] = EXAMPLE,
    requests: Annotated[int, typer.Option(help="Requests to watch the memory over.")] = 10_000,
    each: Annotated[int, typer.Option(help="Requests of one measurement.")] = 200,
    rounds: Annotated[int, typer.Option(help="How often each measurement is repeated.")] = 3,
    processes: Annotated[int, typer.Option(help="Processes of the service.")] = 1,
) -> None:
    """Print throughput, latency and memory."""
    body = _form(picture.read_bytes())
    print(f"{picture.name}, {len(body) / 1000:.0f} kB, {os.cpu_count()} cores, processes: {processes}")
    statuses: Counter[int] = Counter()
    with _serve(processes) as server:
        _ask(server, body, clients=4, requests=50)
        for clients in (1, 4, 16):
            statuses.update(_report(f"{clients:2} clients", [_ask(server, body, clients, each) for _ in range(rounds)]))
        statuses.update(_report("64 clients", [_ask(server, body, 64, 4 * each)]))
        statuses.update(_watch_memory(server, body, requests))
        if processes == 1:
            statuses.update(_measure_pixels(server))
        others = sum(count for status, count in statuses.items() if status not in (200, 429, 503))
        print(f"answers other than 200, 429 and 503: {others} of {sum(statuses.values())}")
    if others:
        raise typer.Exit(1)


def _form(picture: bytes) -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="pictures"; filename="a.jpg"\r\n\r\n'
    return head.encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()


@contextmanager
def _serve(processes: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "mien", "serve", "--port", "0", "--processes", str(processes)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield Server(process, int(re.findall(r"http://[^:]+:(\d+)", process.stderr.readline())[0]))
    finally:
        process.terminate()
        process.wait()


def _ask(server: Server, body: bytes, clients: int, requests: int) -> Run:
    """Send a number of requests from so many clients at once."""
    todo = iter(range(requests))
    begun, computed = perf_counter(), server.computed()
    with ThreadPoolExecutor(clients) as threads:
        working = [threads.submit(_client, server.port, body, todo) for _ in range(clients)]
        answers = [answer for client in working for answer in client.result()]
    seconds, computed = perf_counter() - begun, server.computed() - computed
    taken = [milliseconds for status, milliseconds in answers if status == 200]
    return Run(Counter(status for status, _ in answers), taken, seconds, computed / max(1, len(taken)))


def _client(port: int, body: bytes, todo: Iterator[int]) -> list[tuple[int, float]]:
    """Status and milliseconds of each answer; status 0 where there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    answers = []
    for _ in todo:
        begun = perf_counter()
        try:
            connection.request("POST", "/v1/analyze", body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            status = 0
        answers.append((status, (perf_counter() - begun) * 1000))
        if status in (429, 503):
            sleep(0.05)
    connection.close()
    return answers


def _report(name: str, runs: list[Run]) -> Counter[int]:
    """Print the median of some runs; returns how many of each status there were."""
    statuses = sum((run.statuses for run in runs), Counter())
    rate = statistics.median(run.statuses[200] / run.seconds for run in runs)
    middle, slow = (
        statistics.median(statistics.quantiles(run.milliseconds, n=100)[percent - 1] for run in runs)
        for percent in (50, 95)
    )
    refused = f", {statuses[429]} times 429" if statuses[429] else ""
    computed = statistics.median(run.computed for run in runs)
    print(
        f"{name:24} {rate:6.1f} pictures/s   p50 {middle:6.0f} ms   p95 {slow:6.0f} ms   "
        f"{computed:5.1f} ms computed each{refused}",
        flush=True,
    )
    return statuses


def _watch_memory(server: Server, body: bytes, requests: int) -> Counter[int]:
    statuses: Counter[int] = Counter()
    for tenth in range(10):
        statuses.update(_ask(server, body, 16, requests // 10).statuses)
        if tenth in (0, 4, 9):
            print(f"memory after {requests * (tenth + 1) // 10:6} requests {server.memory():7.1f} MB", flush=True)
    return statuses


def _measure_pixels(server: Server) -> Counter[int]:
    before, side = server.memory(), 7071
    picture = cv2.imencode(".jpg", np.full((side, side, 3), 90, np.uint8))[1].tobytes()
    statuses = _ask(server, _form(picture), 1, 1).statuses
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(
        f"a JPEG of {side}x{side} pixels: peak {peak:.0f} MB, {(peak - before) * 2**20 / side**2:.1f} bytes per pixel"
    )
    return statuses


if __name__ == "__main__":
    typer.run(main)
