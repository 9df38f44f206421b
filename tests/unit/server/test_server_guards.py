"""What keeps the service from strangers, from overload, and its operators informed."""

from __future__ import annotations

import base64
import json
import logging
import tempfile
import threading
import zlib
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="needs the extra server")
from starlette.testclient import WebSocketDenialResponse

from mien.analyzer import Analyzer
from mien.errors import OptionError
from mien.results import Face as ResultFace
from mien.server import ServerSettings
from mien.server.limits import Limiter, PixelBudget
from mien.server.logs import SeldomFilter, configure
from mien.server.problems import ProblemError
from mien.server.schemas import Face


def send(client: Any, *contents: bytes, **options: Any) -> Any:
    files = [("pictures", (f"{number}.jpg", content)) for number, content in enumerate(contents)]
    return client.post("/v1/analyze", files=files, **options)


def png(width: int, height: int) -> bytes:
    return cv2.imencode(".png", np.zeros((height, width), np.uint8))[1].tobytes()


def test_a_picture_as_it_is_and_in_base64(serve: Any, jpeg: bytes, analyzer: Analyzer) -> None:
    client, expected = serve(), analyzer.analyze(jpeg).to_dict()
    raw = client.post("/v1/analyze", content=jpeg, headers={"Content-Type": "image/jpeg"})
    assert raw.json() == {"pictures": [expected]}
    text = base64.b64encode(jpeg).decode()
    pictures = [text, f"data:image/jpeg;base64,{text}", {"source": "b.jpg", "data": text}]
    answers = client.post("/v1/analyze", json={"pictures": pictures}).json()["pictures"]
    assert answers == [expected, expected, expected | {"source": "b.jpg"}]


def test_base64_may_have_line_breaks(serve: Any, jpeg: bytes, analyzer: Analyzer) -> None:
    lines = base64.encodebytes(jpeg).decode()
    pictures = [lines, f"data:image/jpeg;base64,{lines}", lines.replace("\n", " \r\n\t")]
    answer = serve().post("/v1/analyze", json={"pictures": pictures})
    assert answer.json() == {"pictures": [analyzer.analyze(jpeg).to_dict()] * 3}


def test_bad_pictures_in_json_keep_their_places(serve: Any, jpeg: bytes) -> None:
    good = base64.b64encode(jpeg).decode()
    empty, not_base64 = "is empty (0 bytes)", "is not base64; send the bytes of the file in base64, or a data URL"
    bad = {"": empty, "data:image/png;base64,": empty, "?": not_base64, good[:-1]: not_base64, "é": not_base64}
    pictures = [*bad, good, {"data": "", "source": "e.jpg"}, {"data": "?", "source": "q.jpg"}]
    client = serve()
    answer = client.post("/v1/analyze", json={"pictures": pictures})
    assert answer.status_code == 200
    *nameless, read, named_empty, named_bad = answer.json()["pictures"]
    assert [each["error"]["detail"] for each in nameless] == list(bad.values())
    assert {each["source"] for each in nameless} == {""}
    assert len(read["faces"]) == 1
    assert named_empty == {"source": "e.jpg", "error": {"code": "unreadable", "detail": empty}}
    assert named_bad == {"source": "q.jpg", "error": {"code": "unreadable", "detail": not_base64}}
    refused = client.post("/v1/analyze", json={"pictures": ["?", ""]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unreadable")
    assert [each["error"]["detail"] for each in refused.json()["pictures"]] == [not_base64, empty]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[" * 100_000, b'{"pictures": []}', b'{"pictures": [7]}', b'{"pictures": [{"url": "x"}]}']
)
def test_other_json(serve: Any, body: bytes) -> None:
    answer = serve().post("/v1/analyze", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_unknown_parameters_are_refused(serve: Any, jpeg: bytes) -> None:
    answer = send(serve(), jpeg, params={"detector": "haar"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("host", "token", "allowed", "status"),
    [
        ("localhost:8000", None, (), 200),
        ("127.0.0.1:8000", None, (), 200),
        ("[::1]:8000", None, (), 200),
        ("192.168.1.5", None, (), 200),
        ("evil.example", None, (), 403),
        ("localhost.evil.example:8000", None, (), 403),
        ("", None, (), 403),
        ("evil.example", "secret", (), 200),
        ("mien.example:80", None, ("mien.example",), 200),
        ("localhost", None, ("mien.example",), 403),
        ("other.example", "secret", ("mien.example",), 403),
    ],
)
def test_names_of_the_service(serve: Any, host: str, token: Any, allowed: Any, status: int) -> None:
    client = serve(token=token, allowed_hosts=allowed)
    headers = {"Host": host, "Authorization": f"Bearer {token}"}
    for path in ("/healthz", "/metrics", "/v1/model"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, path
    if status == 403:
        assert answer.json()["code"] == "host_not_allowed"
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream", headers=headers):
            pass
        assert refused.value.status_code == 403


def test_pages_from_elsewhere_may_send_nothing(serve: Any, slow: Any, jpeg: bytes) -> None:
    client = serve(slow)
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        refused = send(client, jpeg, headers={"Origin": origin})
        assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
        assert client.post("/v1/video", headers={"Origin": origin}).status_code == 403
        assert client.delete("/v1/video/x", headers={"Origin": origin}).status_code == 403
    assert slow.begun == 0
    slow.go.set()
    assert send(client, jpeg, headers={"Origin": "http://testserver"}).status_code == 200


def test_limit_on_the_pixels_of_a_request(serve: Any, slow: Any) -> None:
    client = serve(slow, max_request_pixels=10_000)
    answer = send(client, png(100, 60), png(100, 60))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pixels")
    assert "0.012 megapixels together, more than the 0.01 allowed" in answer.json()["detail"]
    assert slow.begun == 0
    slow.go.set()
    assert send(client, png(100, 60)).status_code == 200


def test_limit_on_the_pixels_of_a_client_over_time(serve: Any) -> None:
    client = serve(max_request_pixels=10_000, pixel_rate=1000)
    assert send(client, png(100, 100)).status_code == 200
    refused = send(client, png(100, 100))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_pixels")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10


def test_pixel_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("mien.server.limits.monotonic", lambda: now[0])
    budget = PixelBudget(rate=10, most=100)
    assert budget.spend("a", 100) == 0
    assert budget.spend("a", 50) == pytest.approx(5)
    assert budget.spend("b", 100) == 0, "clients do not share"
    now[0] = 5.0
    assert budget.spend("a", 50) == 0
    # More than there is at best is let through after a rest, rather than never.
    assert budget.spend("c", 1000) == 0
    assert budget.spend("c", 1) > 0


def test_message_names_the_limit_in_force(serve: Any) -> None:
    client = serve(max_pixels=1_000_000)
    answer = send(client, png(1200, 1000))
    assert "1200x1000 pixels, more than the limit of 1 megapixels" in answer.json()["detail"]
    # So large that Pillow does not even tell its size.
    header = cv2.imencode(".png", np.zeros((1, 1), np.uint8))[1].tobytes()
    huge = header[:16] + (20_000).to_bytes(4, "big") * 2 + header[24:29]
    huge += zlib.crc32(huge[12:29]).to_bytes(4, "big") + header[33:]
    assert "limit of 1 megapixels" in send(client, huge).json()["detail"]


def test_formats_that_are_not_read(serve: Any) -> None:
    stream = BytesIO()
    Image.new("RGB", (20, 20)).save(stream, "JPEG2000")
    jp2 = stream.getvalue()
    answer = send(serve(), jp2)
    assert "is a JPEG2000 picture, which this service does not read" in answer.json()["detail"]
    assert send(serve(formats=("jpeg2000",)), jp2).status_code == 200
    description = serve(formats=("png",)).get("/openapi.json").json()
    content = description["paths"]["/v1/analyze"]["post"]["requestBody"]["content"]
    assert [kind for kind in content if kind.startswith("image/")] == ["image/png"]
    with pytest.raises(OptionError, match="formats must be some of jpeg"):
        ServerSettings(formats=("eps",))


def test_large_pictures_go_one_at_a_time(serve: Any, slow: Any) -> None:
    client = serve(slow, workers=4, max_pixels=40_000, timeout_s=20)
    large = [threading.Thread(target=send, args=(client, png(200, 199))) for _ in range(3)]
    for thread in large:
        thread.start()
    slow.wait_until_begun()
    small = threading.Thread(target=send, args=(client, png(20, 20)))
    small.start()
    for _ in range(500):
        if slow.begun == 2:
            break
        threading.Event().wait(0.01)
    threading.Event().wait(0.2)
    assert slow.begun == 2, "one large picture and the small one"
    slow.go.set()
    for thread in (*large, small):
        thread.join()
    assert slow.begun == 4


def test_limit_on_what_is_held_in_memory(serve: Any, jpeg: bytes) -> None:
    client = serve(max_body=200_000, max_uploads=200_000)
    for _ in range(4):
        assert send(client, jpeg).status_code == 200, "what was held is given back"
    service = client.app.state.service
    with service.pictures._room.take(190_000):
        assert send(client, jpeg).json()["code"] == "busy"
    assert service.pictures._room.taken == 0


def test_limiter_counts_amounts() -> None:
    limiter = Limiter(10)
    with pytest.raises(ProblemError), limiter.take(0) as more:
        more(4)
        more(6)
        assert limiter.taken == 10
        more(1)
    assert limiter.taken == 0


def test_disk_without_room(serve: Any, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No inodes left is as good as no bytes left."""

    def full(*args: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    client = serve()
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    answer = client.post("/v1/video", files={"video": ("a.mp4", clip.read_bytes() + bytes(2_000_000))})
    assert (answer.status_code, answer.json()["code"]) == (507, "no_room")
    assert client.app.state.service.clips._room.taken == 0


def test_probes_and_model(serve: Any, analyzer: Analyzer) -> None:
    client = serve(token="secret")
    for path in ("/livez", "/readyz", "/healthz"):
        assert client.get(path).json()["status"] == "ok"
    assert client.get("/v1/model").status_code == 401
    model = client.get("/v1/model", headers={"Authorization": "Bearer secret"}).json()
    assert (model["name"], model["precision"]) == ("mien-2", analyzer.classifier.precision)
    assert model["digest"].startswith("sha256:")
    assert model["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    client.__exit__()
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_metrics_of_process_and_build(serve: Any) -> None:
    text = serve().get("/metrics").text
    assert 'mien_build_info{digest="' in text
    assert "process_resident_memory_bytes" in text


def test_request_ids(serve: Any) -> None:
    client = serve()
    assert client.get("/healthz", headers={"X-Request-ID": "from-proxy.1"}).headers["X-Request-ID"] == "from-proxy.1"
    own = [
        client.get("/healthz", headers={"X-Request-ID": bad}).headers["X-Request-ID"] for bad in ("", "a b", "x" * 65)
    ]
    assert all(len(each) == 32 for each in own)
    assert len(set(own)) == 3


def test_long_answers_are_compressed(serve: Any) -> None:
    answer = serve().get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json()["info"]["title"] == "mien"


def test_log_in_json(serve: Any, jpeg: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure("info", "json")
        client = serve()
        send(client, jpeg, headers={"X-Request-ID": "abc"})
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        root.handlers[:], root.level = handlers, level
    (line,) = (line for line in lines if line["logger"] == "mien.server.requests")
    assert {key: line[key] for key in ("level", "method", "route", "status", "request_id")} == {
        "level": "info",
        "method": "POST",
        "route": "/v1/analyze",
        "status": 200,
        "request_id": "abc",
    }
    assert "0.jpg" not in json.dumps(lines)


def test_the_same_warning_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("mien.server.logs.monotonic", lambda: now[0])
    seldom = SeldomFilter()

    def record(number: int) -> logging.LogRecord:
        return logging.LogRecord("asyncio", logging.ERROR, "", 0, "socket %d: out of system resource", (number,), None)

    assert [seldom.filter(record(number)) for number in range(1000)] == [True] + [False] * 999
    now[0] = 161.0
    last = record(5)
    assert seldom.filter(last)
    assert last.getMessage() == "socket 5: out of system resource (999 more of these since the last)"


def test_schema_has_the_fields_of_results(analyzer: Analyzer, jpeg: bytes) -> None:
    assert set(analyzer.analyze(jpeg).faces[0].to_dict()) <= set(Face.model_fields)
    assert set(Face.model_fields) == {each.name for each in fields(ResultFace)}
