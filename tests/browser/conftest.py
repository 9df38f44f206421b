"""The app in a process of its own, and a real browser with a camera that shows a film."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

# Generous, for slow and busy machines; nothing waits longer than it has to.
PATIENCE_S = 120

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_FAKE_CAMERA = "--use-fake-device-for-media-stream"


@dataclass(frozen=True)
class Server:
    """The app that the tests talk to."""

    url: str
    temp: Path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``mien app`` in a process of its own. In the end it must have logged no traceback and left no file."""
    for name in ("streamlit", "streamlit_webrtc", "playwright"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed: pip install 'mien[app,dev]'")
    _chromium()
    folder = tmp_path_factory.mktemp("app")
    temp = folder / "temp"
    temp.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mien", "app", "--headless", "--port", str(port), "--threads", "1"]
    environment = {**os.environ, "TMPDIR": str(temp), "HOME": str(folder)}
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
    url = f"http://localhost:{port}"
    _wait_until(lambda: process.poll() is not None or _answers(f"{url}/_stcore/health"))
    assert process.poll() is None, (folder / "log.txt").read_text()
    yield Server(url, temp)
    process.terminate()
    process.wait(PATIENCE_S)
    log_text = (folder / "log.txt").read_text()
    assert "Traceback" not in log_text, log_text
    assert [path.name for path in temp.glob("mien-*")] == []


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits until a condition holds."""
    return _wait_until


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("chromium is not installed: apt-get install chromium")


@pytest.fixture(scope="session")
def film(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees, as Y4M: a smiling face that moves, now nearer and now farther; 320x240, 4 s."""
    path = tmp_path_factory.mktemp("film") / "camera.y4m"
    face = cv2.GaussianBlur(astronaut[:320, 60:380], (0, 0), 1.0)
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W320 H240 F15:1 Ip A1:1 C420jpeg\n")
        for number in range(60):
            angle = 2 * np.pi * number / 60
            zoom = 0.9 + 0.25 * np.sin(angle)
            shift = np.float32([[zoom, 0, 160 - 165 * zoom + 30 * np.cos(angle)], [0, zoom, 120 - 125 * zoom]])
            frame = cv2.warpAffine(face, shift, (320, 240), borderMode=cv2.BORDER_REPLICATE)
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


# Not for the whole session: while it runs, no other test can use `asyncio.run`.
@pytest.fixture(scope="module")
def playwright(server: Server) -> Iterator[Playwright]:
    """Playwright, running."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE_S)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, film: Path) -> Iterator[Browser]:
    """A browser whose camera shows the film."""
    flags = [*_FLAGS, _FAKE_CAMERA, f"--use-file-for-fake-video-capture={film}"]
    with playwright.chromium.launch(executable_path=_chromium(), args=flags) as launched:
        yield launched


@pytest.fixture
def browser_without_camera(playwright: Playwright) -> Iterator[Browser]:
    """A browser on a machine that has no camera."""
    with playwright.chromium.launch(executable_path=_chromium(), args=_FLAGS) as launched:
        yield launched


@pytest.fixture
def visit(server: Server, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page of the app as a new visitor. In the end nobody but the app may have been asked for anything."""
    contexts: list[BrowserContext] = []
    elsewhere: list[str] = []

    def note(url: str) -> None:
        if not url.startswith((server.url, server.url.replace("http", "ws"), "data:", "blob:")):
            elsewhere.append(url)

    def go(
        path: str = "/", *, camera: bool = False, width: int = 1280, script: str = "", through: Browser | None = None
    ) -> Page:
        context = (through or browser).new_context(
            base_url=server.url,
            viewport={"width": width, "height": 844},
            permissions=["camera"] if camera else [],
        )
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE_S)
        if script:
            context.add_init_script(script)
        context.on("request", lambda request: note(request.url))
        page = context.new_page()
        page.goto(path)
        page.locator(".mien-footer").wait_for()
        return page

    yield go
    for context in contexts:
        context.close()
    assert elsewhere == []
