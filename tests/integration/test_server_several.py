"""`mien serve --processes`: several that clients take for one."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastapi", reason="needs the extra server")
pytest.importorskip("av", reason="needs the extra server")
httpx = pytest.importorskip("httpx", reason="needs the extra dev")
if sys.platform != "linux":
    pytest.skip("metrics of processes need Linux", allow_module_level=True)

import videos
from programs import is_running
from servers import Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--processes", "2", "--max-video", "20") as started:
        yield started


@pytest.fixture(scope="module")
def clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Some seconds of work."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    videos.write(path, videos.portrait(astronaut, 400, side=320))
    return path.read_bytes()


def processes(server: Server) -> list[int]:
    """Ids of those that serve, as the metrics tell them."""
    first, *others = (int(each) for each in re.findall(r'process_open_fds{pid="(\d+)"}', metrics(server)))
    assert first == server.process.pid
    return others


def metrics(server: Server) -> str:
    return str(httpx.get(f"{server.url}/metrics").text)


def figure(text: str, name: str) -> float:
    """A figure of the metrics; 0 if nothing was counted yet."""
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))


def wait(server: Server, place: str) -> dict[str, Any]:
    """The status of a video once it does not change any more; every question may reach another process."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        values: dict[str, Any] = httpx.get(server.url + place).json()
        assert "status" in values, values
        if values["status"] not in ("queued", "running"):
            return values
        time.sleep(0.05)
    raise AssertionError(f"still {values}")


def test_metrics_are_those_of_all(server: Server, astronaut: NDArray[np.uint8]) -> None:
    jpeg = cv2.imencode(".jpg", astronaut)[1].tobytes()
    # Connections of their own, held open: both processes get some.
    before = metrics(server)
    clients = [httpx.Client(base_url=server.url) for _ in range(16)]
    for client in clients:
        assert client.get("/readyz").status_code == 200
    for client in clients:
        assert len(client.post("/v1/analyze", files={"pictures": ("a.jpg", jpeg)}).json()["pictures"][0]["faces"]) == 1
    texts = [client.get("/metrics").text for client in clients]
    for text in texts:
        assert figure(text, "mien_faces_total") == figure(before, "mien_faces_total") + 16
        assert figure(text, 'mien_pictures_total{outcome="read"}') == 16
        assert text.count("mien_build_info{") == 1
    # Each process counts its own memory.
    assert len(processes(server)) == 2
    for client in clients:
        client.close()


def test_videos_are_those_of_all(server: Server, clip: bytes) -> None:
    sent = [httpx.post(f"{server.url}/v1/video", files={"video": ("clip.mp4", clip)}) for _ in range(3)]
    places = [answer.headers["Location"] for answer in sent]
    assert "mien_videos 3.0" in metrics(server)
    assert httpx.delete(server.url + places[2]).status_code == 204
    results = [wait(server, place) for place in places[:2]]
    assert [(values["status"], len(values["result"]["frames"])) for values in results] == [("done", 400)] * 2
    assert results[0]["result"] == results[1]["result"]
    for place in places[:2]:
        table = httpx.get(server.url + place, params={"format": "csv"})
        assert len(table.text.splitlines()) == 401
        assert httpx.delete(server.url + place).status_code == 204
    for place in places * 4:
        assert httpx.get(server.url + place).status_code == 404
    end = time.monotonic() + 30
    while "mien_videos 0.0" not in metrics(server):
        assert time.monotonic() < end, "the place of a deleted video was never given back"


def test_one_that_dies_is_replaced(clip: bytes, tmp_path: Path) -> None:
    with serving("--processes", "2", TMPDIR=str(tmp_path)) as server:
        before = processes(server)
        place = httpx.post(f"{server.url}/v1/video", files={"video": ("clip.mp4", clip)}).headers["Location"]
        for process in before:
            os.kill(process, signal.SIGKILL)
        end = time.monotonic() + 60
        # Who connects meanwhile may be dropped with the process, or waits for the next.
        while True:
            assert time.monotonic() < end, "nobody took their places"
            try:
                if len(now := processes(server)) == 2 and not set(now) & set(before):
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        values = wait(server, place)
        assert (values["status"], values["error"]["code"]) == ("failed", "internal")
        assert "send the video again" in values["error"]["detail"]
        code, said = server.stop()
    assert code == 0
    assert said.count("a process ended (exit code -9), another takes its place") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_of_them_end(number: int) -> None:
    with serving("--processes", "2") as server:
        numbers = processes(server)
        # As a terminal does, which kills nobody.
        if number == signal.SIGINT:
            os.killpg(server.process.pid, number)
        code, said = server.stop(number)
    assert code == (-number if number == signal.SIGKILL else 0)
    assert "Traceback" not in said
    end = time.monotonic() + 20
    while any(is_running(process) for process in numbers):
        assert time.monotonic() < end, f"{numbers} still run"
        time.sleep(0.05)


def test_they_end_on_sigint_where_a_shell_had_it_ignored() -> None:
    # So does a shell without job control for what it starts with `&`; programs inherit it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = Server("--processes", "2")
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        assert server.stop(signal.SIGINT)[0] == 0
    finally:
        server.process.kill()
