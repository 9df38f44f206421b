"""`mien serve` under friends and enemies at once: what they are answered, and whether its memory grows.

    python benchmarks/soak.py --requests 20000
    make soak

Starts the service on the loopback and asks it with a bounded number of clients. Most send photos, whole and sound.
The others send what a service on a network meets: damaged pictures, bombs, malformed forms, lying lengths, foreign
pages, wrong addresses, uploads that break off or crawl, and frames of nonsense. Fails if an answer has a status of
500, if a good photo is answered otherwise than read (200) or put off (429, 503), or if memory grows by more than a
twentieth between the first tenth and the end. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Annotated

import httpx
import numpy as np
import typer
from PIL import Image

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
_Client = Callable[[httpx.Client, np.random.Generator], object]


def _encode(size: tuple[int, int], kind: str) -> bytes:
    stream = BytesIO()
    Image.new("RGB", size, (90, 80, 70)).save(stream, kind)
    return stream.getvalue()


PHOTO = EXAMPLE.read_bytes()
# Of few bytes and many pixels, the last two beyond the limits.
BOMBS = [_encode((3000, 3000), "PNG"), _encode((7100, 7100), "JPEG"), _encode((5000, 5000), "WEBP")]
JSON_TYPE = {"Content-Type": "application/json"}


def main(
    requests: Annotated[int, typer.Option(help="Stop after so many.")] = 20_000,
    minutes: Annotated[float, typer.Option(help="Or after so long.")] = 60.0,
    clients: Annotated[int, typer.Option(help="Clients at once.")] = 12,
    good: Annotated[float, typer.Option(help="Share of good requests.")] = 0.6,
) -> None:
    """Print requests, answers by kind, and memory."""
    command = [sys.executable, "-m", "mien", "serve", "--port", "0", "--pixel-rate", str(10**12)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    port = int(re.findall(r"http://[^:]+:(\d+)", process.stderr.readline())[0])
    threading.Thread(target=process.stderr.read, daemon=True).start()
    soak = Soak(port, process.pid, requests, monotonic() + 60 * minutes, good)
    try:
        with ThreadPoolExecutor(clients) as threads:
            for done in [threads.submit(soak.work, number) for number in range(clients)]:
                done.result()
        begun = monotonic()
        process.terminate()
        code = process.wait(timeout=60)
    finally:
        process.kill()
    soak.report()
    print(f"stopped in {monotonic() - begun:.1f} s, exit code {code}, load {os.getloadavg()[0]:.1f}")
    raise typer.Exit(1 if soak.failures() else 0)


class Soak:
    """Counts what is asked and answered."""

    def __init__(self, port: int, pid: int, requests: int, until: float, good: float) -> None:
        self.port, self.pid, self.requests, self.until, self.good = port, pid, requests, until, good
        self.counts: Counter[tuple[str, str]] = Counter()
        self.memory: list[tuple[int, float]] = []
        self.asked = 0
        self._lock = threading.Lock()

    def work(self, seed: int) -> None:
        """Be one client after another until there is nothing left to ask."""
        dice = np.random.default_rng(seed)
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120) as client:
            while self._next():
                kinds = FRIENDS if dice.random() < self.good else ENEMIES
                kind = str(dice.choice(sorted(kinds)))
                try:
                    answer = kinds[kind](client, dice)
                    said = str(answer.status_code) if isinstance(answer, httpx.Response) else str(answer)
                except httpx.HTTPError as error:
                    said = type(error).__name__
                with self._lock:
                    self.counts[kind, said] += 1

    def _next(self) -> bool:
        with self._lock:
            if self.asked >= self.requests or monotonic() > self.until:
                return False
            self.asked += 1
            if self.asked % 20 == 0:
                status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
                self.memory.append((self.asked, int(status.split("VmRSS:")[1].split()[0]) / 1024))
            return True

    def growth(self) -> tuple[float, float]:
        """Memory in MB after the first tenth and in the last: the median of what was seen."""
        early = [memory for asked, memory in self.memory if 0.1 * self.asked <= asked <= 0.2 * self.asked]
        late = [memory for asked, memory in self.memory if asked >= 0.9 * self.asked]
        return float(np.median(early)), float(np.median(late))

    def failures(self) -> list[str]:
        """What must not have happened."""
        wrong = [f"{kind}: {said}" for kind, said in self.counts if said.startswith("5") and said not in ("503", "507")]
        wrong += [f"{kind}: {said}" for kind, said in self.counts if kind in FRIENDS and said not in GOOD_ANSWERS]
        begin, end = self.growth()
        return wrong + ([f"memory grew from {begin:.0f} to {end:.0f} MB"] if end > 1.05 * begin else [])

    def report(self) -> None:
        """Print it all."""
        print(f"{self.asked} requests\n\n| what was sent | answers |\n|---|---|")
        for kind in sorted({kind for kind, _ in self.counts}):
            answers = sorted((said, count) for (other, said), count in self.counts.items() if other == kind)
            print(f"| {kind} | {', '.join(f'{count} x {said}' for said, count in answers)} |")
        begin, end = self.growth()
        print(f"\nmemory {begin:.1f} MB after a tenth, {end:.1f} MB at the end ({end / begin - 1:+.1%})")
        print(f"peak of samples {max(memory for _, memory in self.memory):.1f} MB")
        print("failures: " + ("; ".join(self.failures()) or "none"))


GOOD_ANSWERS = ("200", "429", "503")
FRIENDS: dict[str, _Client] = {
    "photo, form": lambda c, _: c.post("/v1/analyze", files={"pictures": PHOTO}),
    "photo, body": lambda c, _: c.post("/v1/analyze", content=PHOTO, headers={"Content-Type": "image/jpeg"}),
    "photo, base64": lambda c, _: c.post("/v1/analyze", json={"pictures": [base64.b64encode(PHOTO).decode()]}),
    "readiness": lambda c, _: c.get("/readyz"),
}


def _damaged(client: httpx.Client, dice: np.random.Generator) -> httpx.Response:
    content = bytearray(PHOTO[: int(dice.integers(1, len(PHOTO)))])
    content[int(dice.integers(len(content)))] ^= 255
    return client.post("/v1/analyze", files={"pictures": bytes(content)})


def _raw(client: httpx.Client, *parts: bytes) -> str:
    """Send bytes, hear what comes back at once, and hang up."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 80), timeout=2) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            line = connection.recv(64)
        except OSError:
            return "hung up"
    return line.split(b" ")[1].decode() if line.startswith(b"HTTP") else "hung up"


_HEAD = b"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\n"
ENEMIES: dict[str, _Client] = {
    "damaged photo": _damaged,
    "nonsense": lambda c, dice: c.post("/v1/analyze", files={"pictures": dice.bytes(2000)}),
    "bomb": lambda c, dice: c.post("/v1/analyze", files={"pictures": BOMBS[int(dice.integers(len(BOMBS)))]}),
    "malformed form": lambda c, dice: c.post(
        "/v1/analyze", content=b"--x\r\n" + dice.bytes(500), headers={"Content-Type": "multipart/form-data; boundary=x"}
    ),
    "malformed JSON": lambda c, _: c.post("/v1/analyze", content=b'{"pictures": [1,', headers=JSON_TYPE),
    "deep JSON": lambda c, _: c.post("/v1/analyze", content=b"[" * 50_000, headers=JSON_TYPE),
    "foreign page": lambda c, _: c.post(
        "/v1/analyze", files={"pictures": PHOTO}, headers={"Origin": "https://evil.example"}
    ),
    "foreign host": lambda c, _: c.get("/v1/model", headers={"Host": "evil.example"}),
    "wrong address": lambda c, dice: c.get("/" + dice.bytes(8).hex()),
    "wrong method": lambda c, _: c.delete("/v1/analyze"),
    "nonsense as a video": lambda c, dice: c.post("/v1/video", files={"video": dice.bytes(3000)}),
    "lying length": lambda c, _: _raw(c, _HEAD + b"Content-Length: -5\r\n\r\n"),
    "no end of headers": lambda c, _: _raw(c, _HEAD + b"X-A: " + b"a" * 70_000),
    "breaks off": lambda c, _: _raw(
        c, _HEAD + b"Content-Type: image/jpeg\r\nContent-Length: 9999999\r\n\r\n" + PHOTO[:999]
    ),
    "stream of nonsense": lambda c, _: _raw(
        c,
        b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + b"\x82\x05abcde" * 20,
    ),
}


if __name__ == "__main__":
    typer.run(main)
