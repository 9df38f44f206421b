"""Network cameras and videos on a server: damaged pictures, turned pictures, passwords in addresses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
import videos

from mien.errors import CameraError
from mien.live.sources import describe_source, open_source

LOGIN = "operator:p@ssword"


@contextmanager
def served(content: bytes, kind: str) -> Iterator[str]:
    """The address, with a login in it, at which a server has a file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{LOGIN}@127.0.0.1:{server.server_port}/stream"
        finally:
            server.shutdown()


def motion_jpeg(pictures: list[bytes]) -> bytes:
    """What many network cameras send: one JPEG after the other."""
    parts = [b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(p), p) for p in pictures]
    return b"".join(parts)


def test_a_damaged_picture_does_not_end_a_stream() -> None:
    pictures = [cv2.imencode(".jpg", image)[1].tobytes() for image in videos.numbered(8)]
    pictures[4] = bytes(len(pictures[4]))
    with served(motion_jpeg(pictures), "multipart/x-mixed-replace; boundary=next") as address:
        camera, seen = open_source(address), 0
        assert not camera.waits
        with pytest.raises(CameraError, match="sends no more pictures") as ended:
            while camera.read():
                seen += 1
        camera.close()
    assert seen == 7
    assert "p@ssword" not in str(ended.value)


@pytest.mark.parametrize(
    ("rotation", "aspect", "size"), [(0, None, (120, 160)), (90, None, (160, 120)), (0, Fraction(2), (120, 320))]
)
def test_a_video_on_a_server_is_shown_as_from_disk(
    tmp_path: Path, rotation: int, aspect: Fraction | None, size: tuple[int, int]
) -> None:
    """Upright, and its pixels square."""
    file = videos.write(tmp_path / "clip.mkv", videos.numbered(3), rotation=rotation, aspect=aspect)
    local = open_source(str(file)).read()
    with served(file.read_bytes(), "video/x-matroska") as address:
        stream = open_source(address)
        first = stream.read()
        stream.close()
    assert first is not None
    assert local is not None
    assert first[0].shape == (*size, 3)
    assert np.array_equal(first[0], local[0])


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("rtsp://name:password@192.168.1.20:554/1?a=b@c", "rtsp://192.168.1.20:554/1?a=b@c"),
        ("http://na@me:pass@host/live", "http://host/live"),
        ("http://host/live/@me", "http://host/live/@me"),
        ("0", "camera 0"),
        ("day 1/walk@home.mp4", "walk@home.mp4"),
    ],
)
def test_names_of_sources_hold_no_password(address: str, name: str) -> None:
    """They stand on pages and in tables of sessions."""
    assert describe_source(address) == name


def test_an_address_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(CameraError, match="cannot be reached") as refused:
        open_source("http://name:password@127.0.0.1:1/live")
    assert "http://127.0.0.1:1/live" in str(refused.value)
    assert "password" not in str(refused.value)
