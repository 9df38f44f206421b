"""`mien serve` as a program, with real clients."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastapi", reason="needs the extra server")
httpx = pytest.importorskip("httpx", reason="needs the extra dev")
pytest.importorskip("websockets", reason="needs the extra server")
from servers import Server, serving
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from mien.analyzer import Analyzer
from mien.cli.main import app
from mien.cli.serve import serve
from mien.errors import OptionError
from mien.options import AnalyzerOptions
from mien.results import FrameResult
from mien.server import ServerSettings


@pytest.fixture(scope="module")
def jpeg(astronaut: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", astronaut)[1].tobytes()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One with small limits, for tests that leave it running."""
    limits = ("--max-body", "1", "--max-images", "4", "--max-pixels", "1000000", "--timeout", "5")
    with serving(*limits, "--max-streams", "2", "--max-video", "1") as started:
        yield started


def test_pictures(server: Server, jpeg: bytes, analyzer: Analyzer) -> None:
    files = [("pictures", ("a.jpg", jpeg)), ("pictures", ("cut.jpg", jpeg[:9000]))]
    answer = httpx.post(f"{server.url}/v1/analyze", files=files)
    assert answer.status_code == 200
    good, bad = answer.json()["pictures"]
    assert good == analyzer.analyze(jpeg).to_dict() | {"source": "a.jpg"}
    assert bad["error"]["detail"].startswith("is damaged or incomplete")
    assert "server" not in answer.headers


def test_health_metrics_and_description(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").json()["status"] == "ok"
    assert "mien_requests_total" in httpx.get(f"{server.url}/metrics").text
    assert httpx.get(server.url, follow_redirects=True).headers["content-type"].startswith("text/html")
    assert "/v1/analyze" in httpx.get(f"{server.url}/openapi.json").json()["paths"]


def test_upload_is_refused_while_it_comes(server: Server) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
        for _ in range(40):
            sent += 50_000
            yield bytes(50_000)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{server.url}/v1/analyze", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    announced = httpx.post(f"{server.url}/v1/analyze", files={"pictures": bytes(2_000_000)})
    assert (announced.status_code, announced.json()["code"]) == (413, "body_too_large")


def test_slow_upload() -> None:
    with serving("--timeout", "0.5") as server:
        host, port = server.url.removeprefix("http://").split(":")
        head = (
            f"POST /v1/analyze HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(head.encode())
            assert b" 408 " in connection.recv(4096).split(b"\r\n")[0]


def test_stopping_does_not_wait_for_a_stalled_upload() -> None:
    with serving() as server:
        host, port = server.url.removeprefix("http://").split(":")
        head = f"POST /v1/analyze HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\nContent-Type: image/png\r\n\r\nx"
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(head.encode())
            time.sleep(0.3)
            begun = time.monotonic()
            assert server.stop()[0] == 0
            assert time.monotonic() - begun < 10
            assert b" 503 " in connection.recv(4096).split(b"\r\n")[0]


def test_running_out_of_descriptors_does_not_fill_the_log(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs limits of descriptors")
    command = [sys.executable, "-m", "mien", "serve", "--port", "0"]
    limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (60, 60))
    log = tmp_path / "log"
    with log.open("w") as stream, ExitStack() as stack:
        process = subprocess.Popen(command, stderr=stream, preexec_fn=limit)  # noqa: PLW1509
        stack.callback(process.kill)
        while not (found := re.findall(r"http://127.0.0.1:(\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", int(found[0])), timeout=20))
        time.sleep(2)
    said = log.read_text()
    assert len(said) < 10_000
    assert "Logging error" not in said


def test_client_that_hangs_up_while_uploading_leaves_no_trace(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        )
        time.sleep(0.2)
    for _ in range(200):
        if (
            'mien_requests_total{method="POST",route="/v1/analyze",status="400"}'
            in httpx.get(f"{server.url}/metrics").text
        ):
            break
        time.sleep(0.02)
    else:
        raise AssertionError("the request was not ended")
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_stream(server: Server, jpeg: bytes) -> None:
    with connect(server.live) as one:
        for number in range(3):
            one.send(jpeg if number != 1 else b"damaged")
            answer = json.loads(one.recv(timeout=20))
            assert answer["frame"] == number
            assert ("error" in answer) == (number == 1)
        (face,) = FrameResult.from_dict(answer)
        assert face.track == 1
        with connect(server.live) as two:
            two.send(jpeg)
            assert json.loads(two.recv(timeout=20))["faces"]
            with pytest.raises(InvalidStatus) as refused, connect(server.live):
                pass
            assert refused.value.response.status_code == 429
            assert int(refused.value.response.headers["Retry-After"]) >= 1


def test_stream_takes_the_newest_frame(server: Server, jpeg: bytes) -> None:
    with connect(server.live) as stream:
        for _ in range(50):
            stream.send(jpeg)
        answers = [json.loads(stream.recv(timeout=20))]
        while answers[-1]["frame"] < 49:
            answers.append(json.loads(stream.recv(timeout=20)))
    assert len(answers) + sum(answer["dropped"] for answer in answers) == 50
    assert [answer["frame"] for answer in answers] == sorted({answer["frame"] for answer in answers})


def test_far_too_large_a_frame_is_not_even_received(server: Server) -> None:
    with connect(server.live) as stream:
        stream.send(bytes(5_000_000))
        assert "more than the 4000000 allowed" in json.loads(stream.recv(timeout=20))["error"]["detail"]
        with pytest.raises(ConnectionClosed) as ended:
            stream.send(bytes(9_000_000))
            stream.recv(timeout=20)
        # The rest of the message, which nobody reads, may reset the connection before the reason has arrived.
        assert ended.value.rcvd is None or ended.value.rcvd.code == 1009
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_token_and_warning(jpeg: bytes) -> None:
    with serving("--host", "0.0.0.0", MIEN_TOKEN="secret") as server:
        assert "warning" not in server.said
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.post(f"{url}/v1/analyze", files={"pictures": jpeg}).status_code == 401
        right = {"Authorization": "Bearer secret"}
        assert httpx.post(f"{url}/v1/analyze", files={"pictures": jpeg}, headers=right).status_code == 200
        with connect(server.live.replace("0.0.0.0", "127.0.0.1")) as stream:
            stream.send('{"token": "secret"}')
            stream.send(jpeg)
            assert json.loads(stream.recv(timeout=20))["faces"]
        with connect(server.live.replace("0.0.0.0", "127.0.0.1")):
            pass  # Leaves without a word.
        with connect(server.live.replace("0.0.0.0", "127.0.0.1")) as stream:
            stream.send("[" * 100_000)
            assert json.loads(stream.recv(timeout=20))["error"]["code"] == "unauthorized"
        code, said = server.stop()
        assert code == 0
        # What was refused is told, but not who asked.
        lines = said.splitlines()
        assert [re.sub("[0-9.]+ ms", "ms", line.split(" ", 2)[2]).split(" request_id")[0] for line in lines] == [
            "POST /v1/analyze 401 in ms"
        ]


def test_warns_when_everybody_can_come_in() -> None:
    with serving("--host", "0.0.0.0") as server:
        assert "warning: other machines can reach the service without a token" in server.said
        assert server.stop(signal.SIGINT) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_finishes_what_runs(jpeg: bytes, number: int) -> None:
    with serving("--workers", "1") as server, ThreadPoolExecutor(4) as threads:
        files = [("pictures", (f"{k}.jpg", jpeg)) for k in range(8)]
        requests = [threads.submit(httpx.post, f"{server.url}/v1/analyze", files=files, timeout=60) for _ in range(3)]
        while "mien_busy_workers 1.0" not in httpx.get(f"{server.url}/metrics").text:
            pass
        with connect(server.live) as stream:
            stream.send(jpeg)
            code, said = server.stop(number)
            with pytest.raises(ConnectionClosed) as ended:
                while True:
                    stream.recv(timeout=20)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1012
        answers = [request.result() for request in requests]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(len(picture["faces"]) == 1 for answer in answers for picture in answer.json()["pictures"])
    assert (code, said) == (0, "")


def test_failures_are_one_line(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    for args, message in (
        (
            ("--port", port),
            f"cannot listen at 127.0.0.1, port {port}: Address already in use; choose another with --port",
        ),
        (("--port", "0", "--model", str(tmp_path)), f"{tmp_path}: is not a model folder, model.onnx is missing"),
    ):
        command = [sys.executable, "-m", "mien", "serve", *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (1, f"mien: {message}\n")


@pytest.mark.parametrize(
    "args",
    [
        ("--host", "no.such.host.invalid"),
        ("--queue", "-1"),
        ("--timeout", "0"),
        ("--token", "with space"),
        ("--cors-origin", "example.org"),
        ("--detector", "dlib"),
    ],
)
def test_wrong_usage(args: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["serve", "--port", "0", *args])
    assert isinstance(result.exception, OptionError), "which the program turns into one line and exit code 2"
    assert "\n" not in str(result.exception)


def test_every_option_is_a_setting_with_its_default() -> None:
    """Apart from where to listen, and what a service always does alike."""
    settings = ServerSettings(token=None)
    same = {"timeout": settings.timeout_s, "video_timeout": settings.video_timeout_s}
    same |= {name: getattr(settings, name) / 1e6 for name in ("max_body", "max_video", "max_uploads")}
    same |= {"cors_origin": None, "allowed_host": None, "formats": ",".join(settings.formats)}
    same |= {"grace": settings.grace_s, "smoothing": AnalyzerOptions().smoothing_s}
    analyzer = {field.name: field.default for field in fields(AnalyzerOptions)}
    for name, parameter in inspect.signature(serve).parameters.items():
        if name in ("host", "port", "processes", "root_path", "log_level", "log_format"):
            continue
        expected = same[name] if name in same else getattr(settings, name, analyzer.get(name))
        assert parameter.default == expected, name


def test_missing_extra_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no uvicorn')")
    command = [sys.executable, "-m", "mien", "serve", "--port", "0"]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"PYTHONPATH": path}
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "pip install 'mien[server]'" in done.stderr
