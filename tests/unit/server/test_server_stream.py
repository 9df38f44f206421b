"""`WS /v1/stream`."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastapi", reason="needs the extra server")
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from mien.results import FrameResult


def test_people_are_told_apart_and_smoothed(serve: Any, jpeg: bytes) -> None:
    with serve().websocket_connect("/v1/stream") as socket:
        answers = []
        for _ in range(3):
            socket.send_bytes(jpeg)
            answers.append(socket.receive_json())
    assert [answer["frame"] for answer in answers] == [0, 1, 2]
    assert [answer["dropped"] for answer in answers] == [0, 0, 0]
    times = [answer["time_s"] for answer in answers]
    assert times == sorted(times)
    for answer in answers:
        (face,) = FrameResult.from_dict(answer)
        assert face.track == 1
        assert face.smoothed is not None
        assert face.emotion == "happy"


def test_each_connection_has_its_own_people(serve: Any, jpeg: bytes, astronaut: NDArray[np.uint8]) -> None:
    client = serve()
    mirrored = cv2.imencode(".jpg", astronaut[:, ::-1])[1].tobytes()
    with client.websocket_connect("/v1/stream") as one, client.websocket_connect("/v1/stream") as two:
        for _ in range(3):
            one.send_bytes(jpeg)
            two.send_bytes(mirrored)
            (first,), (second,) = one.receive_json()["faces"], two.receive_json()["faces"]
            assert first["track"] == second["track"] == 1
            assert abs(first["box"][0] + first["box"][2] + second["box"][0] - 512) < 20
        assert "mien_streams 2.0" in client.get("/metrics").text
    assert "mien_streams 0.0" in client.get("/metrics").text


def test_newest_frame_wins(serve: Any, slow: Any, jpeg: bytes) -> None:
    client = serve(slow)
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_bytes(jpeg)
        slow.wait_until_begun()
        for _ in range(6):
            socket.send_bytes(jpeg)
        time.sleep(2)  # Until all six are in.
        slow.go.set()
        first, second = socket.receive_json(), socket.receive_json()
        assert (first["frame"], first["dropped"]) == (0, 0)
        assert (second["frame"], second["dropped"]) == (6, 5)
        socket.send_bytes(jpeg)
        assert (socket.receive_json()["frame"], slow.begun) == (7, 3)
        assert 'mien_frames_total{outcome="dropped",source="stream"} 5.0' in client.get("/metrics").text


def test_damaged_frames_do_not_end_it(serve: Any, jpeg: bytes) -> None:
    with serve(max_frame=len(jpeg), max_pixels=512 * 512).websocket_connect("/v1/stream") as socket:
        for bad, words in (
            (b"no picture", "is not a picture"),
            (jpeg[:9000], "damaged or incomplete"),
            (b"", "is empty"),
            (jpeg + b"!", f"has {len(jpeg) + 1} bytes, more than the {len(jpeg)} allowed"),
            (cv2.imencode(".png", np.zeros((600, 600), np.uint8))[1].tobytes(), "more than the limit"),
        ):
            socket.send_bytes(bad)
            answer = socket.receive_json()
            assert answer["error"]["code"] == "unreadable"
            assert words in answer["error"]["detail"]
            assert "faces" not in answer
        socket.send_text("hello")
        assert "found text" in socket.receive_json()["error"]["detail"]
        socket.send_bytes(jpeg)
        answer = socket.receive_json()
        assert (answer["frame"], len(answer["faces"])) == (6, 1)


def test_limit_on_streams(serve: Any, jpeg: bytes) -> None:
    client = serve(max_streams=1)
    with client.websocket_connect("/v1/stream"):
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream"):
            pass
        assert refused.value.status_code == 429
        assert refused.value.json()["code"] == "busy"
        assert int(refused.value.headers["Retry-After"]) >= 1
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_bytes(jpeg)
        assert socket.receive_json()["faces"]


def test_silence_ends_it(serve: Any, jpeg: bytes) -> None:
    with serve(idle_s=0.3).websocket_connect("/v1/stream") as socket:
        socket.send_bytes(jpeg)
        assert socket.receive_json()["faces"]
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
        assert (ended.value.code, ended.value.reason) == (1008, "idle for 0.3 s")


def test_token_in_the_header(serve: Any, jpeg: bytes) -> None:
    client = serve(token="secret")
    with client.websocket_connect("/v1/stream", headers={"Authorization": "Bearer secret"}) as socket:
        socket.send_bytes(jpeg)
        assert socket.receive_json()["frame"] == 0
    wrong = {"Authorization": "Bearer wrong"}
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream", headers=wrong):
        pass
    assert refused.value.status_code == 401


def test_token_in_the_first_message(serve: Any, jpeg: bytes) -> None:
    client = serve(token="secret")
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_json({"token": "secret"})
        socket.send_bytes(jpeg)
        assert socket.receive_json()["frame"] == 0


@pytest.mark.parametrize("first", ['{"token": "wrong"}', '{"token": 5}', "secret", "[]", b"\xff\xd8", None])
def test_wrong_first_message(serve: Any, first: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.routes.stream._TOKEN_S", 0.2)
    with serve(token="secret").websocket_connect("/v1/stream") as socket:
        if isinstance(first, str):
            socket.send_text(first)
        elif first is not None:
            socket.send_bytes(first)
        assert socket.receive_json()["error"]["code"] == "unauthorized"
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json()
        assert ended.value.code == 1008


def test_who_has_no_token_takes_no_place(serve: Any, jpeg: bytes) -> None:
    client = serve(token="secret", max_streams=1)
    right = {"Authorization": "Bearer secret"}
    with client.websocket_connect("/v1/stream"):
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream"):
            pass
        assert refused.value.status_code == 429
        with client.websocket_connect("/v1/stream", headers=right) as socket:
            socket.send_bytes(jpeg)
            assert socket.receive_json()["faces"]


def test_full_after_the_first_message(serve: Any) -> None:
    client = serve(token="secret", max_streams=1)
    with (
        client.websocket_connect("/v1/stream", headers={"Authorization": "Bearer secret"}),
        client.websocket_connect("/v1/stream") as late,
    ):
        late.send_json({"token": "secret"})
        assert late.receive_json()["error"]["code"] == "busy"
        with pytest.raises(WebSocketDisconnect) as ended:
            late.receive_json()
        assert ended.value.code == 1013


def test_pages_of_others_may_not_connect(serve: Any, jpeg: bytes) -> None:
    evil = {"Origin": "https://evil.org"}
    client = serve()
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/v1/stream", headers=evil):
        pass
    assert (refused.value.status_code, refused.value.json()["code"]) == (403, "origin_not_allowed")
    for settings, origin in (({}, "http://testserver"), ({"cors_origins": ("https://evil.org",)}, "https://evil.org")):
        with serve(**settings).websocket_connect("/v1/stream", headers={"Origin": origin}) as socket:
            socket.send_bytes(jpeg)
            assert socket.receive_json()["faces"]


def test_a_client_that_leaves_is_forgotten(serve: Any, slow: Any, jpeg: bytes) -> None:
    client = serve(slow)
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_bytes(jpeg)
        slow.wait_until_begun()
        socket.send_bytes(jpeg)
    slow.go.set()
    for _ in range(300):
        if "mien_streams 0.0" in client.get("/metrics").text:
            break
        time.sleep(0.01)
    assert "mien_streams 0.0" in client.get("/metrics").text
    assert slow.begun == 1
