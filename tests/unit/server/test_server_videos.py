"""`/v1/video`."""

from __future__ import annotations

import csv
import json
import tempfile
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")
pytest.importorskip("av", reason="needs the extra server")
from fastapi.testclient import TestClient

from mien.analyzer import Analyzer
from mien.results import FrameResult
from mien.tables import FRAMES
from mien.video.process import analyze_video

Answer = Any


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: whatever is in it was left behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def send(client: TestClient, content: bytes, name: str = "clip.mp4", **options: Any) -> Answer:
    return client.post("/v1/video", files={"video": (name, content)}, **options)


def wait(client: TestClient, answer: Answer) -> Any:
    """The status once it does not change any more."""
    assert answer.status_code == 202, answer.text
    for _ in range(2000):
        values = client.get(answer.headers["Location"]).json()
        if values["status"] not in ("queued", "running"):
            return values
        time.sleep(0.01)
    raise AssertionError(f"still {values}")


def wait_for_status(client: TestClient, answer: Answer, status: str) -> None:
    for _ in range(1000):
        if client.get(answer.headers["Location"]).json()["status"] == status:
            return
        time.sleep(0.01)
    raise AssertionError(f"never {status}")


def test_result_is_that_of_the_engine(serve: Any, clip: Path, analyzer: Analyzer, folder: Path) -> None:
    client = serve()
    answer = send(client, clip.read_bytes())
    assert answer.json() == {
        "id": answer.json()["id"],
        "source": "clip.mp4",
        "status": "queued",
        "progress": 0.0,
        "frames_read": 0,
    }
    values = wait(client, answer)
    assert (values["status"], values["progress"], values["frames_read"]) == ("done", 1.0, 20)
    result = values["result"]
    assert (result["width"], result["height"], result["damage"], result["stopped"]) == (192, 192, None, None)
    expected = []
    analyze_video(
        clip,
        analyzer=analyzer,
        on_frame=lambda _, read: expected.append(replace(read, source="clip.mp4").to_dict()),
    )
    assert result["frames"] == expected
    (person,) = result["tracks"]
    assert person["frames"] == 20
    assert sum(person["seconds"].values()) == pytest.approx(0.8, abs=0.01)
    assert list(folder.iterdir()) == []


def test_table(serve: Any, clip: Path) -> None:
    client = serve()
    answer = send(client, clip.read_bytes(), params={"every": 5})
    frames = wait(client, answer)["result"]["frames"]
    assert [frame["frame"] for frame in frames] == [0, 5, 10, 15]
    place = answer.headers["Location"]
    for table in (
        client.get(place, params={"format": "csv"}),
        client.get(place, headers={"Accept": "text/csv"}),
    ):
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(StringIO(table.text)))
        assert list(rows[0]) == list(FRAMES.columns)
        for row, frame in zip(rows, map(FrameResult.from_dict, frames), strict=True):
            assert (int(row["frame"]), row["emotion"]) == (frame.frame, frame.faces[0].emotion)
    answer = client.get(place, params={"format": "json"}, headers={"Accept": "text/csv"})
    assert answer.json()["status"] == "done"


def test_file_is_gone_while_it_is_read_and_afterwards(serve: Any, slow: Any, clip: Path, folder: Path) -> None:
    client = serve(slow)
    answer = send(client, clip.read_bytes())
    wait_for_status(client, answer, "running")
    if Path("/proc/self/fd").is_dir():
        assert list(folder.iterdir()) == []
    slow.go.set()
    assert wait(client, answer)["status"] == "done"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_no_video(serve: Any, clip: Path, whole: bool) -> None:
    client = serve()
    answer = send(client, b"I am no video\0" if whole else clip.read_bytes()[:3000])
    values = wait(client, answer)
    assert (values["status"], values["error"]["code"]) == ("failed", "unreadable")
    assert values["error"]["detail"] == "is not a video in a known format, or breaks off before its index"
    table = client.get(answer.headers["Location"], params={"format": "csv"})
    assert table.status_code == 409
    assert "the video is failed: is not a video" in table.json()["detail"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_a_list_of_files_does_not_reach_the_videos_of_others(serve: Any, clip: Path) -> None:
    """FFmpeg follows lists of files, relative to the list: its neighbors are the files that the process has open."""
    with clip.open("rb") as other:
        answer = send(client := serve(), f"ffconcat version 1.0\nfile {other.fileno()}\n".encode())
        values = wait(client, answer)
    assert values["status"] == "failed"
    assert values["error"]["detail"] == "is a list of files (concat), expected a video file"


def test_forms_without_a_video(serve: Any) -> None:
    client = serve()
    empty = send(client, b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "unreadable")
    body = b'--b\r\nContent-Disposition: form-data; name="video"; filename=""\r\n\r\n\r\n--b--\r\n'
    unchosen = client.post("/v1/video", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (unchosen.status_code, unchosen.json()["code"]) == (422, "no_file")
    assert client.post("/v1/video", json={"path": "/etc/passwd"}).status_code == 415
    several = client.post("/v1/video", files=[("video", ("a.mp4", b"x")), ("video", ("b.mp4", b"x"))])
    assert (several.status_code, several.json()["code"]) == (413, "too_many_files")
    for every in ("0", "101", "x"):
        answer = send(client, b"x", params={"every": every})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert answer.json()["detail"].startswith("every: ")
    assert send(client, b"x", params={"evry": 2}).json()["detail"] == "evry: Extra inputs are not permitted"
    assert "mien_videos 0.0" in client.get("/metrics").text


def test_limit_on_bytes(serve: Any, clip: Path, folder: Path) -> None:
    client = serve(max_video=2000)
    answer = send(client, clip.read_bytes())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert list(folder.iterdir()) == []
    assert "mien_videos 0.0" in client.get("/metrics").text


def test_limit_on_frames(serve: Any, clip: Path) -> None:
    client = serve(max_frames=7)
    values = wait(client, send(client, clip.read_bytes()))
    assert (values["status"], values["frames_read"], len(values["result"]["frames"])) == ("done", 7, 7)
    assert values["result"]["stopped"].startswith("stopped after 7 frames, the limit of this service")


def test_limit_on_time(serve: Any, slow: Any, clip: Path) -> None:
    client = serve(slow, video_timeout_s=0.3)
    answer = send(client, clip.read_bytes())
    wait_for_status(client, answer, "running")
    time.sleep(0.5)
    slow.go.set()
    values = wait(client, answer)
    assert values["status"] == "done"
    assert values["frames_read"] < 20
    assert values["result"]["stopped"] == "stopped after 0.3 s of reading, the limit of this service"


def test_limit_on_pixels(serve: Any, clip: Path) -> None:
    client = serve(max_pixels=10_000)
    values = wait(client, send(client, clip.read_bytes()))
    assert values["error"]["detail"] == "192x192 pixels are too many (limit 10000)"


def test_limit_on_videos_at_a_time(serve: Any, slow: Any, clip: Path) -> None:
    client = serve(slow, max_videos=2)
    first, second = (send(client, clip.read_bytes()) for _ in range(2))
    refused = send(client, clip.read_bytes())
    assert (refused.status_code, refused.json()["code"]) == (429, "busy")
    assert int(refused.headers["Retry-After"]) >= 1
    wait_for_status(client, first, "running")
    assert client.get(second.headers["Location"]).json()["status"] == "queued"
    assert client.get(second.headers["Location"]).headers["Retry-After"] == "1"
    assert client.delete(second.headers["Location"]).status_code == 204
    third = send(client, clip.read_bytes())
    assert third.status_code == 202, "a video that is given up frees its place"
    slow.go.set()
    assert [wait(client, answer)["status"] for answer in (first, third)] == ["done", "done"]


def test_deleted_while_it_is_read(serve: Any, slow: Any, clip: Path, folder: Path) -> None:
    client = serve(slow)
    answer = send(client, clip.read_bytes())
    wait_for_status(client, answer, "running")
    assert client.delete(answer.headers["Location"]).status_code == 204
    for again in (client.get, client.delete):
        gone = again(answer.headers["Location"])
        assert (gone.status_code, gone.json()["code"]) == (404, "no_such_video")
    slow.go.set()
    for _ in range(500):
        if "mien_videos 0.0" in client.get("/metrics").text:
            break
        time.sleep(0.01)
    assert "mien_videos 0.0" in client.get("/metrics").text
    assert slow.begun < 20


def test_results_are_kept_for_a_time_only(serve: Any, clip: Path) -> None:
    client = serve(keep_s=0.5)
    answer = send(client, clip.read_bytes())
    assert client.get(answer.headers["Location"]).status_code == 200
    for _ in range(3000):
        if client.get(answer.headers["Location"]).status_code == 404:
            return
        time.sleep(0.01)
    raise AssertionError("still there")


def test_only_so_many_results_are_kept(serve: Any) -> None:
    client = serve(keep_results=2)
    answers = []
    for _ in range(3):
        answers.append(send(client, b"no video"))
        wait(client, answers[-1])
    assert [client.get(answer.headers["Location"]).status_code for answer in answers] == [404, 200, 200]


def test_stopping_gives_up_videos(serve: Any, slow: Any, clip: Path, folder: Path) -> None:
    client = serve(slow)
    answer = send(client, clip.read_bytes())
    wait_for_status(client, answer, "running")
    send(client, clip.read_bytes())
    Timer(0.2, slow.go.set).start()
    client.__exit__()
    assert slow.begun < 20
    assert list(folder.iterdir()) == []


def test_long_results_are_whole(serve: Any, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.server.video_store._CHUNK", 100)
    monkeypatch.setattr("mien.server.routes.videos._CHUNK", 100)
    client = serve()
    answer = send(client, clip.read_bytes())
    assert len(wait(client, answer)["result"]["frames"]) == 20
    assert len(client.get(answer.headers["Location"], params={"format": "csv"}).text.splitlines()) == 21


def test_a_failure_inside_is_a_failed_video(clip: Path, analyzer: Analyzer) -> None:
    from mien.server import ServerSettings, create_app

    class Broken:
        def detect(self, frame: Any) -> list[Any]:
            raise ZeroDivisionError("secret detail")

    with TestClient(
        create_app(
            ServerSettings(allowed_hosts=("testserver",)), analyzer=Analyzer(Broken(), None, analyzer.classifier)
        )
    ) as client:
        values = wait(client, send(client, clip.read_bytes()))
        assert values["error"]["code"] == "internal"
        assert "secret" not in json.dumps(values)
