"""The page that runs in the browser: how much a visitor loads, and how many frames a second it reads.

    python benchmarks/browser_page.py
    python benchmarks/browser_page.py --screenshot docs/images/page.jpg

Opens the page in headless Chromium with a camera of 640x480 that shows scikit-image's astronaut (public domain),
moving, and reads the rate that the page shows. Needs playwright and chromium.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from playwright.sync_api import Browser, sync_playwright
from skimage import data

from mien.browser.serve import open_server
from mien.browser.site import page_files

WIDTH, HEIGHT = 640, 480


def main(
    seconds: Annotated[float, typer.Option(help="How long the camera runs.")] = 15.0,
    screenshot: Annotated[Path | None, typer.Option(help="Save a picture of the page here, as JPEG.")] = None,
) -> None:
    """Print the table."""
    files = page_files()
    packed = sum(len(gzip.compress(content)) for content in files.values())
    with tempfile.TemporaryDirectory() as folder, open_server(files, 0) as server, sync_playwright() as running:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        film = write_film(Path(folder) / "camera.y4m")
        flags = ["--no-sandbox", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        address = f"http://localhost:{server.server_port}/"
        if screenshot:
            save_screenshot(browser, address, screenshot)
        else:
            rate = measure(browser, address, seconds)
            print("| what | figure |\n|---|---:|")
            print(f"| a visitor loads, gzipped | {packed / 1e6:.2f} MB |")
            print(f"| on disk | {sum(map(len, files.values())) / 1e6:.1f} MB |")
            print(f"| frames a second, {WIDTH}x{HEIGHT}, one face | {rate:.1f} |")
            print(f"| load of the machine meanwhile (1 minute, of {os.cpu_count()} cores) | {os.getloadavg()[0]:.1f} |")
        browser.close()
        server.shutdown()


def write_film(path: Path) -> Path:
    """What the camera sees, as Y4M at 30 frames a second."""
    photo = cv2.copyMakeBorder(np.ascontiguousarray(data.astronaut()[:, :, ::-1]), 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(90):
            shift = np.float32([[1, 0, 30 * np.sin(number / 90 * 2 * np.pi)], [0, 1, 0]])
            frame = cv2.warpAffine(photo, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def measure(browser: Browser, address: str, seconds: float) -> float:
    """Frames a second while the camera runs; the median of what the page shows."""
    page = browser.new_context(permissions=["camera"]).new_page()
    page.goto(address)
    page.locator("#sample .card").wait_for()
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".stream .card").first.wait_for()
    rates = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(1)
        rates.append(float(page.locator(".rate").get_attribute("data-rate") or 0))
    return float(np.median(rates))


def save_screenshot(browser: Browser, address: str, path: Path) -> None:
    """The page as a newcomer sees it, with the sample."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light").new_page()
    page.goto(address)
    page.locator("#sample .card").wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=path, type="jpeg", quality=88)


if __name__ == "__main__":
    typer.run(main)
