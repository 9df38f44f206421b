"""How long the live view of the web app takes, from browser to browser, beside a stream that does nothing.

    python benchmarks/live_latency.py
    python benchmarks/live_latency.py --rounds 5

Chromium's camera shows a film whose frames carry their number as black and white blocks. The page shows it twice: as
the camera gives it, and as it comes back from the server. Both numbers are read in the same moment; their difference
is how many frames the way there and back took. The stream that does nothing is streamlit-webrtc's own, whose processor
returns each frame as it came. The two take turns. The film has a face, so that mien has something to do.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from web_server import serve

RATE, BITS, BLOCK = 30, 8, 32
FACE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
_PLAIN = """
import streamlit as st
from streamlit_webrtc import webrtc_streamer, VideoProcessorBase
class Plain(VideoProcessorBase):
    def recv(self, frame):
        return frame
webrtc_streamer(key="plain", video_processor_factory=Plain, rtc_configuration={"iceServers": []},
    media_stream_constraints={"video": {"width": 640, "height": 480, "frameRate": 30}, "audio": False},
    video_html_attrs={"autoPlay": True, "muted": True})
"""
# Keeps the camera's stream, so that it can be shown beside what comes back.
_KEEP = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wishes) => {
  const stream = await ask(wishes);
  const local = Object.assign(document.createElement("video"), { srcObject: stream, muted: true });
  await local.play();
  window.localVideo = local;
  return stream;
};
"""
# The numbers in both pictures, mirrored or not; -1 where they cannot be read.
_READ = """
(remote) => {
  const number = (video) => {
    const canvas = document.createElement("canvas");
    canvas.width = 640; canvas.height = 480;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 640, 480);
    const bright = (x) =>
      context.getImageData(x + 12, 12, 8, 8).data.reduce((sum, v, k) => (k % 4 < 3 ? sum + v : sum), 0) / 192;
    const read = (place) => {
      const bits = [...Array(2 * BITS).keys()].map((k) => bright(place(k)) > 128);
      if ([...Array(BITS).keys()].some((k) => bits[k] === bits[BITS + k])) return -1;
      return bits.slice(0, BITS).reduce((sum, value, k) => sum + (value ? 2 ** k : 0), 0);
    };
    return Math.max(read((k) => k * BLOCK), read((k) => 640 - (k + 1) * BLOCK));
  };
  return [number(window.localVideo), number(remote)];
}
""".replace("BITS", str(BITS)).replace("BLOCK", str(BLOCK))


def main(
    rounds: Annotated[int, typer.Option(help="How often each stream is measured.")] = 3,
    seconds: Annotated[float, typer.Option(help="How long each time.")] = 8.0,
) -> None:
    """Print the table."""
    from playwright.sync_api import Error, sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        write_film(folder / "camera.y4m")
        (folder / "plain.py").write_text(_PLAIN)
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={folder / 'camera.y4m'}",
        ]
        taken: dict[str, list[int]] = {"plain streamlit-webrtc": [], "mien app": []}
        program = shutil.which("chromium") or shutil.which("google-chrome")
        streamlit = ["streamlit", "run", str(folder / "plain.py"), "--server.headless", "true"]
        with serve(*streamlit, "--server.port") as plain, serve("mien", "app", "--headless", "--port") as mien:
            for _ in range(rounds):
                for stream, url in (("plain streamlit-webrtc", plain), ("mien app", mien)):
                    with playwright.chromium.launch(executable_path=program, args=flags) as browser:
                        try:
                            taken[stream] += measure(browser, url, seconds)
                        except Error:
                            print(f"{stream}: a connection was lost, and a round with it.")
    print("| stream | median frames | 90% within | frames measured |\n|---|---:|---:|---:|")
    for stream, frames in taken.items():
        if frames:
            print(f"| {stream} | {statistics.median(frames):g} | {np.quantile(frames, 0.9):.0f} | {len(frames)} |")
        else:
            print(f"| {stream} | no number could be read | | 0 |")
    medians = [statistics.median(frames) for frames in taken.values() if frames]
    if len(medians) == 2:
        print(f"\nmien adds {medians[1] - medians[0]:g} frames of {1000 / RATE:.0f} ms.", end=" ")
    print(f"Load of the machine: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores.")


def write_film(path: Path) -> None:
    """A face, and the number of each frame in blocks along the top: its bits from the lowest on, then their inverse."""
    face = cv2.resize(np.asarray(cv2.imread(str(FACE)))[:384], (640, 480), interpolation=cv2.INTER_AREA)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W640 H480 F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(2**BITS):
            frame = face.copy()
            bits = [number >> bit & 1 for bit in range(BITS)]
            for place, bit in enumerate([*bits, *(1 - bit for bit in bits)]):
                frame[:BLOCK, place * BLOCK : (place + 1) * BLOCK] = 255 * bit
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())


def measure(browser: Any, url: str, seconds: float) -> list[int]:
    """How many frames the way there and back took, again and again."""
    context = browser.new_context(permissions=["camera"], viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    context.add_init_script(_KEEP)
    page = context.new_page()
    page.goto(url)
    page.frame_locator("iframe[title*=webrtc]").locator("button").first.wait_for(state="attached")
    if (stage := page.locator(".mien-start")).count():
        stage.click()
    else:
        page.frame_locator("iframe[title*=webrtc]").get_by_role("button", name="Start").click()
    video = page.frame_locator("iframe[title*=webrtc]").locator("video")
    video.wait_for()
    while not video.evaluate("v => v.videoWidth > 0"):
        time.sleep(0.2)
    time.sleep(4)
    # From here on there is a picture; the first connection to a server that has just started may end again.
    context.set_default_timeout(10_000)
    taken = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        here, there = video.evaluate(_READ)
        if here >= 0 and there >= 0:
            taken.append((here - there) % 2**BITS)
        time.sleep(0.1)
    context.close()
    # A camera that begins its film anew looks like a jump back by nearly all its frames.
    return [frames for frames in taken if frames < 2 ** (BITS - 1)]


if __name__ == "__main__":
    typer.run(main)
