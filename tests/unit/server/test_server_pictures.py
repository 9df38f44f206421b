"""`POST /v1/analyze`, and what all routes have in common."""

from __future__ import annotations

import json
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastapi", reason="needs the extra server")
from fastapi.testclient import TestClient

from mien.analyzer import Analyzer
from mien.errors import MissingExtraError, OptionError
from mien.results import FrameResult
from mien.server import ServerSettings, create_app

Answer = Any
HOSTS = ("testserver",)
PART = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'


def send(client: TestClient, *contents: bytes, **options: Any) -> Answer:
    files = [("pictures", (f"{number}.jpg", content)) for number, content in enumerate(contents)]
    return client.post("/v1/analyze", files=files, **options)


def assert_problem(answer: Answer, status: int, code: str, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert words in problem["detail"]
    assert "\n" not in problem["detail"]
    assert problem["title"]
    assert problem["type"] == "about:blank"


def wait_until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


def test_answers_are_those_of_the_analyzer(serve: Any, jpeg: bytes, analyzer: Analyzer) -> None:
    answer = send(serve(), jpeg, jpeg)
    assert answer.status_code == 200
    first, second = answer.json()["pictures"]
    expected = analyzer.analyze(jpeg).to_dict()
    assert first == expected | {"source": "0.jpg"}
    assert second == expected | {"source": "1.jpg"}
    assert FrameResult.from_dict(first).faces[0].emotion == "happy"


def test_bad_pictures_do_not_spoil_the_good_ones(serve: Any, jpeg: bytes) -> None:
    answer = send(serve(), b"", jpeg[:9000], jpeg, b"I am no picture")
    assert answer.status_code == 200
    empty, cut, good, text = answer.json()["pictures"]
    assert [each["source"] for each in (empty, cut, good, text)] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert len(good["faces"]) == 1
    for bad, reason in ((empty, "is empty"), (cut, "is damaged or incomplete"), (text, "is not a picture")):
        assert bad["error"]["code"] == "unreadable"
        assert bad["error"]["detail"].startswith(reason)
        assert "faces" not in bad


def test_nothing_but_bad_pictures(serve: Any, jpeg: bytes) -> None:
    client = serve()
    assert_problem(send(client, b"no picture"), 422, "unreadable", "0.jpg: is not a picture in a known format")
    answer = send(client, b"no picture", jpeg[:9000])
    assert_problem(answer, 422, "unreadable", "none of the 2 pictures could be read")
    assert [each["source"] for each in answer.json()["pictures"]] == ["0.jpg", "1.jpg"]


def test_formats_with_dangerous_readers_are_not_opened(serve: Any) -> None:
    """Pillow would hand PostScript to Ghostscript."""
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert_problem(send(serve(), postscript), 422, "unreadable", "is not a picture in a known format")


def test_forms_without_pictures(serve: Any) -> None:
    client = serve()
    assert_problem(client.post("/v1/analyze", json={"url": "http://x"}), 422, "invalid", "base64")
    assert_problem(client.post("/v1/analyze"), 415, "not_a_form", "multipart/form-data")
    for field in ("path", "url"):
        answer = client.post("/v1/analyze", files={field: (None, "/etc/passwd")})
        assert_problem(answer, 422, "not_a_file", "a field that is not a file")
    # What browsers send where no file was chosen.
    body = b'--b\r\nContent-Disposition: form-data; name="pictures"; filename=""\r\n\r\n\r\n--b--\r\n'
    answer = client.post("/v1/analyze", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert_problem(answer, 422, "no_file", "send one or more")
    empty = client.post("/v1/analyze", content=b"", headers={"Content-Type": "image/jpeg"})
    assert_problem(empty, 422, "unreadable", "picture: is empty (0 bytes)")


@pytest.mark.parametrize(
    ("boundary", "body", "words"),
    [
        ("", b"x", "names no boundary"),
        ("; boundary=b", b"", "breaks off"),
        ("; boundary=b", b"rubbish", "damaged"),
        ("; boundary=" + "b" * 2000, b"x", "damaged"),
        ("; boundary=b", PART + b"x", "breaks off"),
        ("; boundary=b", b"--b\r\nh: " + b"v" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n", "damaged"),
    ],
)
def test_damaged_forms(serve: Any, boundary: str, body: bytes, words: str) -> None:
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    assert_problem(serve().post("/v1/analyze", content=body, headers=headers), 400, "damaged_form", words)


def test_limit_on_bytes_holds_without_content_length(serve: Any, jpeg: bytes) -> None:
    client = serve(max_body=len(jpeg) + 500)
    assert send(client, jpeg).status_code == 200
    assert_problem(send(client, jpeg, jpeg), 413, "body_too_large", f"the {len(jpeg) + 500} bytes allowed")
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    body = (PART if number == 0 else bytes(10_000) for number in range(100))
    assert_problem(client.post("/v1/analyze", content=body, headers=headers), 413, "body_too_large", "bytes allowed")


def test_limit_on_the_number_of_pictures(serve: Any, jpeg: bytes) -> None:
    client = serve(max_images=2)
    assert send(client, jpeg, jpeg).status_code == 200
    assert_problem(send(client, jpeg, jpeg, jpeg), 413, "too_many_files", "more than the 2 files")


def bomb(side: int) -> bytes:
    """A PNG of few bytes with very many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_limit_on_pixels(serve: Any, jpeg: bytes) -> None:
    client = serve(max_pixels=512 * 512)
    small = bomb(8_000)
    assert len(small) < 100_000
    good, bad = send(client, jpeg, small).json()["pictures"]
    assert good["faces"]
    assert "8000x8000 pixels, more than the limit of 0.262144 megapixels" in bad["error"]["detail"]


def test_requests_beyond_the_queue_are_told_to_come_back(serve: Any, slow: Any, jpeg: bytes) -> None:
    client = serve(slow, workers=1, queue=2)
    with ThreadPoolExecutor(3) as threads:
        accepted = [threads.submit(send, client, jpeg) for _ in range(3)]
        wait_until(lambda: slow.begun == 1 and "mien_queue_length 2.0" in client.get("/metrics").text)
        refused = send(client, jpeg)
        assert_problem(refused, 429, "busy", "come back")
        assert int(refused.headers["Retry-After"]) >= 1
        slow.go.set()
        assert [future.result().status_code for future in accepted] == [200] * 3
    assert send(client, jpeg).status_code == 200
    figures = client.get("/metrics").text
    assert 'mien_rejected_total{reason="busy"} 1.0' in figures
    assert "mien_queue_length 0.0" in figures
    assert "mien_busy_workers 0.0" in figures


def test_one_request_leaves_room_for_others(serve: Any, slow: Any, jpeg: bytes) -> None:
    client = serve(slow, workers=1)
    with ThreadPoolExecutor(2) as threads:
        large = threads.submit(send, client, *[jpeg] * 8)
        wait_until(lambda: slow.begun == 1)
        small = threads.submit(send, client, jpeg)
        wait_until(lambda: "mien_queue_length 1.0" in client.get("/metrics").text)
        slow.go.set()
        assert len(large.result().json()["pictures"]) == 8
        assert len(small.result().json()["pictures"]) == 1


def test_limit_on_time(serve: Any, slow: Any, jpeg: bytes) -> None:
    client = serve(slow, workers=1, timeout_s=0.2)
    answer = send(client, jpeg, jpeg)
    assert_problem(answer, 503, "too_slow", "reading took longer than 0.2 s")
    assert "Retry-After" not in answer.headers, "the same request would fail again"
    slow.go.set()
    wait_until(lambda: "mien_busy_workers 0.0" in client.get("/metrics").text)
    assert slow.begun == 1, "the second picture is not read in vain"


def test_answers_when_not_running(analyzer: Analyzer, jpeg: bytes) -> None:
    client = TestClient(create_app(ServerSettings(allowed_hosts=HOSTS), analyzer=analyzer))
    assert_problem(client.get("/healthz"), 503, "stopping", "not running")
    assert_problem(send(client, jpeg), 503, "stopping", "not running")
    with client:
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.head("/healthz").status_code == 200
        assert send(client, jpeg).status_code == 200
    stopped = send(client, jpeg)
    assert_problem(stopped, 503, "stopping", "not running")
    assert int(stopped.headers["Retry-After"]) >= 1


def test_token(serve: Any, jpeg: bytes) -> None:
    client = serve(token="secret-1")
    right = {"Authorization": "Bearer secret-1"}
    for headers in ({}, {"Authorization": "Bearer secret-2"}, {"Authorization": "Basic secret-1"}):
        for path in ("/metrics", "/v1/video/x"):
            assert_problem(client.get(path, headers=headers), 401, "unauthorized", "Authorization: Bearer")
        answer = send(client, jpeg, headers=headers)
        assert_problem(answer, 401, "unauthorized", "Authorization: Bearer")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert_problem(
        client.get("/metrics", headers={"Authorization": "Bearer gehe\xefm".encode("latin-1")}), 401, "unauthorized", ""
    )
    assert send(client, jpeg, headers=right).status_code == 200
    assert client.get("/metrics", headers=right).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_token_is_asked_for_before_the_upload_is_read(serve: Any) -> None:
    read = []

    def body() -> Any:
        read.append(1)
        yield b"x"

    client = serve(token="secret", max_body=1)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert_problem(client.post("/v1/analyze", content=body(), headers=headers), 401, "unauthorized", "")


def test_token_comes_from_the_environment(analyzer: Analyzer, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_TOKEN", "from-the-environment")
    with TestClient(create_app(analyzer=analyzer)) as client:
        assert send(client, jpeg).status_code == 401
        assert send(client, jpeg, headers={"Authorization": "Bearer from-the-environment"}).status_code == 200
    monkeypatch.setenv("MIEN_TOKEN", "")
    assert ServerSettings().token is None
    assert "secret" not in repr(ServerSettings(token="secret"))


def test_pages_of_others_are_let_in_by_name_only(serve: Any, jpeg: bytes) -> None:
    origin = {"Origin": "https://example.org"}
    assert "access-control-allow-origin" not in send(serve(), jpeg, headers=origin).headers
    client = serve(cors_origins=("https://example.org",))
    assert send(client, jpeg, headers=origin).headers["access-control-allow-origin"] == "https://example.org"
    assert "access-control-allow-origin" not in send(client, jpeg, headers={"Origin": "https://evil.org"}).headers
    asked = origin | {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    assert client.options("/v1/video/x", headers=asked).status_code == 200


def test_headers_keep_answers_out_of_caches_and_frames(serve: Any, jpeg: bytes) -> None:
    client = serve()
    headers = send(client, jpeg).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_person_at_the_root_finds_the_documentation(serve: Any) -> None:
    client = serve()
    page = client.get("/")
    assert page.status_code == 200
    assert page.url.path == "/docs"
    assert "cdn" not in page.text, "nothing comes from elsewhere"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert client.get("/swagger/swagger-ui-bundle.js").status_code == 200


def test_description_has_examples_and_errors(serve: Any) -> None:
    description = serve(token="secret").get("/openapi.json").json()
    schemas = description["components"]["schemas"]
    for name in ("Pictures", "VideoStatus", "ProblemDetails"):
        assert schemas[name]["example"]
    assert "HTTPValidationError" not in json.dumps(description)
    operation = description["paths"]["/v1/analyze"]["post"]
    assert {"200", "400", "401", "403", "408", "413", "415", "422", "429", "503", "507"} == set(operation["responses"])
    assert operation["security"] == [{"HTTPBearer": []}]
    assert "security" not in description["paths"]["/healthz"]["get"]
    for example in (schemas["Pictures"]["example"]["pictures"][0], schemas["Frame"]["example"]):
        assert FrameResult.from_dict(example).to_dict() == example


def test_every_limit_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "server.md").read_text(encoding="utf-8")
    for limit in fields(ServerSettings):
        option = limit.name.removesuffix("_s").replace("_", "-").replace("origins", "origin").replace("hosts", "host")
        assert (
            f"--{option}" in text
            or f"`{limit.name}`" in text
            or f"ServerSettings.{limit.name}" in text
            or (limit.name == "token")
        ), limit.name


def test_unknown_places_and_methods(serve: Any) -> None:
    client = serve()
    assert_problem(client.get("/v2"), 404, "not_found", "Not Found")
    answer = client.put("/v1/video/x")
    assert_problem(answer, 405, "method_not_allowed", "Method Not Allowed")
    assert answer.headers["Allow"] == "DELETE, GET"


def test_failures_inside_tell_nothing(analyzer: Analyzer, jpeg: bytes) -> None:
    class Broken:
        def detect(self, frame: NDArray[np.uint8]) -> list[Any]:
            raise ZeroDivisionError("secret detail")

    app = create_app(ServerSettings(allowed_hosts=HOSTS), analyzer=Analyzer(Broken(), None, analyzer.classifier))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = send(client, jpeg)
        assert_problem(answer, 500, "internal", "something went wrong")
        assert "secret" not in answer.text
        assert 'status="500"' in client.get("/metrics").text


def test_figures_count_what_was_done(serve: Any, jpeg: bytes) -> None:
    client = serve()
    send(client, jpeg, b"no picture")
    figures = client.get("/metrics").text
    for line in (
        'mien_requests_total{method="POST",route="/v1/analyze",status="200"} 1.0',
        'mien_pictures_total{outcome="read"} 1.0',
        'mien_pictures_total{outcome="refused"} 1.0',
        "mien_faces_total 1.0",
        'mien_request_seconds_count{route="/v1/analyze"} 1.0',
    ):
        assert line in figures
    assert "0.jpg" not in figures


def test_people_do_not_mix(serve: Any, astronaut: NDArray[np.uint8], analyzer: Analyzer) -> None:
    """Each of many clients at once gets the faces of its own picture."""
    pictures = []
    for number in range(12):
        canvas = np.full((300, 400, 3), 90, np.uint8)
        side = 130 + 10 * number
        face = cv2.resize(astronaut[:300, 80:380], (side, side), interpolation=cv2.INTER_AREA)
        canvas[20 : 20 + side, 10 * number : 10 * number + side] = face
        pictures.append(cv2.imencode(".png", canvas)[1].tobytes())
    expected = [analyzer.analyze(picture) for picture in pictures]
    assert len({result.faces[0].box for result in expected}) == 12
    client = serve(workers=4)

    def ask(number: int) -> tuple[int, FrameResult]:
        name = f"person-{number % 12}.png"
        answer = client.post("/v1/analyze", files={"pictures": (name, pictures[number % 12])})
        (picture,) = answer.json()["pictures"]
        assert picture["source"] == name
        return number % 12, FrameResult.from_dict(picture)

    with ThreadPoolExecutor(12) as threads:
        for number, result in threads.map(ask, range(72)):
            assert [face.box for face in result] == [face.box for face in expected[number]]
            for read, own in zip(result, expected[number], strict=True):
                assert list(read.probabilities.values()) == pytest.approx(list(own.probabilities.values()), abs=2e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": ""},
        {"token": "with space"},
        {"token": "ümlaut"},
        {"workers": -1},
        {"workers": 100_000},
        {"workers": True},
        {"max_images": 2.5},
        {"timeout_s": "30"},
        {"queue": -1},
        {"max_body": 0},
        {"timeout_s": 0.0},
        {"timeout_s": float("inf")},
        {"timeout_s": float("nan")},
        {"cors_origins": ("example.org",)},
        {"cors_origins": ("https://example.org/page",)},
    ],
)
def test_impossible_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        ServerSettings(**wrong)


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    import mien.server

    monkeypatch.delitem(vars(mien.server), "create_app", raising=False)
    monkeypatch.setitem(sys.modules, "mien.server.app", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mien\[server\]'"):
        _ = mien.server.create_app
