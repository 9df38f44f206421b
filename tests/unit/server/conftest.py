"""Services for tests: with the real model, and with one that waits until it is told to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.detection import DetectedFace

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

Serve: TypeAlias = "Callable[..., TestClient]"


class SlowDetector:
    """Finds nothing, and only once `go` is set."""

    def __init__(self) -> None:
        self.go = Event()
        self.begun = 0
        self._lock = Lock()

    def detect(self, frame: NDArray[np.uint8]) -> list[DetectedFace]:
        with self._lock:
            self.begun += 1
        assert self.go.wait(30)
        return []

    def wait_until_begun(self) -> None:
        """Wait until the first frame is being looked at."""
        end = monotonic() + 30
        while not self.begun:
            assert monotonic() < end, "nothing was looked at"
            sleep(0.01)


@pytest.fixture
def slow() -> Iterator[SlowDetector]:
    detector = SlowDetector()
    yield detector
    detector.go.set()


@pytest.fixture
def serve(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts services with given settings, and stops them in the end."""
    pytest.importorskip("fastapi", reason="needs the extra server")
    from fastapi.testclient import TestClient

    from mien.server import ServerSettings, create_app

    monkeypatch.delenv("MIEN_TOKEN", raising=False)
    with ExitStack() as stack:

        def start(detector: SlowDetector | None = None, **settings: object) -> TestClient:
            reader = analyzer if detector is None else Analyzer(detector, None, analyzer.classifier)
            settings.setdefault("allowed_hosts", ("testserver",))
            app = create_app(ServerSettings(**settings), analyzer=reader)  # type: ignore[arg-type]
            client = stack.enter_context(TestClient(app))
            if detector is not None:
                # Services stop before fixtures do; whatever still waits then must not hold them up.
                stack.callback(detector.go.set)
            return client

        yield start


@pytest.fixture(scope="session")
def jpeg(astronaut: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", astronaut)[1].tobytes()


@pytest.fixture(scope="session")
def clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of a face, 20 frames."""
    av = pytest.importorskip("av", reason="needs the extra server")
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    face = cv2.resize(astronaut[:320, 60:380], (192, 192), interpolation=cv2.INTER_AREA)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width = video.height = 192
        video.pix_fmt = "yuv420p"
        for _ in range(20):
            container.mux(video.encode(av.VideoFrame.from_ndarray(face, format="bgr24")))
        container.mux(video.encode(None))
    return path
