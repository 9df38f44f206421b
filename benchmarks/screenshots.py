"""Pictures of every page of the web app, and of the desktop window, in their states: to be looked at.

Run as ``python benchmarks/screenshots.py FOLDER [NAME…]``. Needs chromium and playwright; for the window also Xvfb,
xdotool and ImageMagick's import.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from web_server import serve

WAIT_MS = 120_000
SIZES = {"wide": (1280, 860), "phone": (360, 780)}


def film(path: Path, picture: np.ndarray, seconds: int = 6) -> None:
    """What the camera sees, as Y4M of 640x480 at 15 frames per second: a picture that sways."""
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F15:1 Ip A1:1 C420jpeg\n")
        scale = max(700 / picture.shape[1], 540 / picture.shape[0])
        large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for number in range(15 * seconds):
            shift = int((np.sin(2 * np.pi * number / (15 * seconds)) + 1) / 2 * (large.shape[1] - 640))
            frame = np.ascontiguousarray(large[:480, shift : shift + 640])
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())


class Camera:
    """Takes the pictures.

    Args:
        playwright: Playwright, running.
        url: Of the app.
        folder: For the pictures.
        wanted: Beginnings of the names to take; empty for all.
    """

    def __init__(self, playwright: Any, url: str, folder: Path, wanted: list[str]) -> None:
        self._playwright, self._url, self._folder, self._wanted = playwright, url, folder, wanted

    def take(
        self,
        name: str,
        path: str,
        steps: Callable[[Any], object] = lambda page: None,
        *,
        film: Path | None = None,
        size: str = "wide",
        scheme: str = "dark",
        allow: bool = True,
        script: str = "",
    ) -> None:
        """Open a page, do what leads to a state, and take a picture of the whole page."""
        if self._wanted and not name.startswith(tuple(self._wanted)):
            return
        flags = ["--no-sandbox", "--disable-gpu"]
        if film is not None:
            flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
        program = shutil.which("chromium") or shutil.which("google-chrome")
        with self._playwright.chromium.launch(executable_path=program, args=flags) as browser:
            width, height = SIZES[size]
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                permissions=["camera"] if allow else [],
                base_url=self._url,
            )
            context.set_default_timeout(WAIT_MS)
            if script:
                context.add_init_script(script)
            page = context.new_page()
            page.goto(path)
            page.locator(".mien-footer").wait_for()
            try:
                steps(page)
                time.sleep(1.5)
            except Exception as error:
                print(f"{name}: {error}")
            # Streamlit scrolls a part of the page, not the page.
            tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": width, "height": max(height, tall)})
            time.sleep(0.5)
            page.screenshot(path=self._folder / f"{name}.png")
            print(self._folder / f"{name}.png", flush=True)


def staged(page: Any) -> None:
    """Wait for the stage."""
    page.locator(".mien-start").wait_for()


def refused(page: Any) -> None:
    """Start a camera that does not come, and wait for the message."""
    page.locator(".mien-start").click()
    page.get_by_role("button", name="Try again").wait_for()


def start(page: Any) -> None:
    """Start the camera and wait for the first person."""
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".mien-people [data-number]").first.wait_for()
    time.sleep(4)


def stop(page: Any) -> None:
    """The same, with a marker, and then the end."""
    start(page)
    page.get_by_placeholder("Note for this moment").fill("the door opens")
    page.get_by_role("button", name="Mark").click()
    time.sleep(3)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Timeline").wait_for()


def upload(*names: Path, until: str = ".mien-card") -> Callable[[Any], object]:
    """Upload files and wait for something."""

    def steps(page: Any) -> None:
        page.locator("input[type=file]").set_input_files([str(name) for name in names])
        page.locator(until).first.wait_for()

    return steps


def web(folder: Path, wanted: list[str], one: Path, many: Path, clip: Path) -> None:
    """Every page and state of the web app."""
    from playwright.sync_api import sync_playwright

    single, group = folder / "one.y4m", folder / "many.y4m"
    film(single, cv2.imread(str(one)))
    film(group, cv2.imread(str(many)))
    refuse = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('busy', 'NotReadableError'));"
    text = folder / "notes.jpg"
    text.write_text("not a picture")
    with serve("mien", "app", "--headless", "--threads", "1", "--port") as url, sync_playwright() as playwright:
        camera = Camera(playwright, url, folder, wanted)
        for scheme in ("dark", "light"):
            camera.take(f"live-first-{scheme}", "/", staged, film=single, scheme=scheme)
            camera.take(f"live-one-{scheme}", "/", start, film=single, scheme=scheme)
            camera.take(f"live-session-{scheme}", "/", stop, film=single, scheme=scheme)
            camera.take(f"photo-many-{scheme}", "/photo", upload(many, until=".mien-row"), scheme=scheme)
            camera.take(f"model-{scheme}", "/model", scheme=scheme)
        camera.take("live-many", "/", start, film=group)
        camera.take("live-refused", "/", refused, film=single, allow=False)
        camera.take("live-missing", "/", refused)
        camera.take("live-busy", "/", refused, film=single, script=refuse)
        camera.take("photo-empty", "/photo")
        camera.take("photo-one", "/photo", upload(one))
        camera.take("photo-wrong", "/photo", upload(text, clip, until="[data-testid=stAlert]"))
        camera.take("video-empty", "/video")
        camera.take("video-done", "/video", upload(clip))
        camera.take("video-wrong", "/video", upload(one, until="text=This page takes videos"))
        for name, path in (("live", "/"), ("photo", "/photo"), ("video", "/video"), ("model", "/model")):
            camera.take(f"phone-{name}", path, size="phone", scheme="light")
        camera.take("phone-photo-one", "/photo", upload(one), size="phone")


def window(folder: Path, wanted: list[str], clip: Path, many: Path) -> None:
    """The desktop window after some keys."""
    if any(shutil.which(program) is None for program in ("Xvfb", "xdotool", "import")):
        print("no pictures of the window: Xvfb, xdotool or import is missing")
        return
    for name, source, keys in (
        ("window-live", clip, ()),
        ("window-light", clip, ("t",)),
        ("window-explained", clip, ("w",)),
        ("window-blurred", clip, ("b",)),
        ("window-session", clip, ("m", "Return", "e")),
        ("window-many", many, ()),
    ):
        if wanted and not name.startswith(tuple(wanted)):
            continue
        _window(folder / f"{name}.png", source, keys)
        print(folder / f"{name}.png", flush=True)


def _window(target: Path, source: Path, keys: tuple[str, ...]) -> None:
    read, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        display = f":{pipe.readline().strip()}"
    environment = {**os.environ, "DISPLAY": display, "XDG_CONFIG_HOME": str(target.parent / "config")}
    settings = target.parent / "config" / "mien" / "desktop.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"theme": "dark"}')
    process = subprocess.Popen([sys.executable, "-m", "mien", "live", "--camera", str(source)], env=environment)

    def tool(*arguments: str) -> str:
        return subprocess.run(
            ["xdotool", *arguments], env=environment, capture_output=True, text=True, check=False
        ).stdout.strip()

    try:
        while not (number := tool("search", "--onlyvisible", "--name", "^mien$")):
            time.sleep(0.3)
        number = number.split("\n")[-1]
        tool("windowmove", number, "0", "0", "windowfocus", "--sync", number)
        time.sleep(12)
        for key in keys:
            tool("key", key)
            time.sleep(4)
        subprocess.run(["import", "-window", "root", str(target)], env=environment, check=True)
    finally:
        process.terminate()
        process.wait()
        screen.terminate()
        screen.wait()


def make_clip(path: Path, picture: np.ndarray, width: int) -> None:
    """Twenty seconds in which the camera sways over a picture."""
    from mien.video import VideoWriter

    if path.exists():
        return
    with VideoWriter(path) as writer:
        for number in range(300):
            left = round((picture.shape[1] - width) / 2 * (1 + np.sin(number / 12)))
            writer.write(np.ascontiguousarray(picture[:, left : left + width]), number / 15)


def main() -> None:
    """Take the pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).resolve().parents[1]
    shared = here.parent / "shared" / "media"
    one = here / "examples" / "astronaut.jpg"
    many = shared / "multi_face.jpg"
    if not many.is_file():
        many = folder / "many.jpg"
        cv2.imwrite(str(many), np.hstack([cv2.imread(str(one))[:280, 100:350]] * 3))
    clip, crowd = folder / "clip.mp4", folder / "many.mp4"
    make_clip(clip, cv2.resize(cv2.imread(str(one)), (480, 480), interpolation=cv2.INTER_AREA)[:360], 420)
    make_clip(crowd, cv2.resize(cv2.imread(str(many)), (720, 480), interpolation=cv2.INTER_AREA), 640)
    web(folder, sys.argv[2:], one, many, clip)
    window(folder, sys.argv[2:], clip, crowd)


if __name__ == "__main__":
    main()
