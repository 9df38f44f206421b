"""Looking at the program's window and pressing its keys."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageGrab

from mien.emotions import Emotion

TIMEOUT_S = 60.0


def until(holds: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until something holds; fail if it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"did not happen in {timeout_s:.0f} s: {what}"
        time.sleep(0.05)


def count(picture: NDArray[np.uint8], color: tuple[int, int, int], tolerance: int = 3) -> int:
    """How many pixels of a picture, (H, W, 3) red, green, blue, have a color."""
    return int((np.abs(picture.astype(int) - color).max(axis=2) <= tolerance).sum())


def boxed(picture: NDArray[np.uint8], pixels: int = 300) -> bool:
    """Whether a box or label is to be seen: so many pixels in the exact color of an emotion."""
    return any(count(picture, emotion.color, 0) > pixels for emotion in Emotion)


@dataclass
class App:
    """The program in its window."""

    process: subprocess.Popen[str]
    screen: str
    folder: Path
    home: Path
    window: str = ""

    def xdotool(self, *arguments: str) -> str:
        environment = {**os.environ, "DISPLAY": self.screen}
        done = subprocess.run(["xdotool", *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def wait_for_window(self) -> None:
        def found() -> bool:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.errors()}"
            self.window = self.find("^mien$")
            return bool(self.window)

        until(found, "a window")
        # Without a window manager nobody gives a window the keyboard.
        self.xdotool("windowmove", self.window, "0", "0", "windowfocus", "--sync", self.window)

    def find(self, title: str) -> str:
        """X's number of the window with this title; empty where there is none. The screen has one program at a time."""
        return self.xdotool("search", "--onlyvisible", "--name", title).split("\n")[-1]

    def answer(self, title: str, text: str) -> None:
        """Type into the dialog with this title and confirm it."""
        until(lambda: self.find(title), "the dialog")
        dialog = self.find(title)
        # It takes the keyboard when it is ready; what is typed before that is lost.
        until(lambda: self.xdotool("getwindowfocus") == dialog, "a dialog that has the keyboard")
        self.xdotool("type", "--delay", "40", "--window", dialog, text)
        self.press("Return")
        until(lambda: not self.find(title), "the end of the dialog")
        self.xdotool("windowfocus", "--sync", self.window)

    def press(self, *keys: str) -> None:
        """Press real keys, as X sends them."""
        self.xdotool("key", *keys)

    def look(self) -> NDArray[np.uint8]:
        """What is to be seen on the screen: uint8 (H, W, 3), red, green, blue."""
        return np.asarray(ImageGrab.grab(xdisplay=self.screen).convert("RGB"))

    def picture(self) -> NDArray[np.uint8]:
        """What is to be seen where the picture is, at the usual size of the window."""
        return self.look()[60:720, 20:900]

    def panel(self) -> NDArray[np.uint8]:
        """What is to be seen in the side panel, at the usual size of the window."""
        return self.look()[60:720, 940:1266]

    def saved(self, suffix: str) -> list[Path]:
        """The files in the folder for screenshots and recordings."""
        return sorted(path for path in self.folder.glob(f"*{suffix}") if not path.name.startswith("."))

    def is_boxed(self) -> bool:
        """Whether a box or label is to be seen in the picture."""
        return boxed(self.picture())

    def moves(self) -> bool:
        """Whether the picture changes within a moment."""
        before = self.picture()
        time.sleep(0.6)
        return bool((self.picture() != before).any())

    def errors(self) -> str:
        return (self.home / "stderr.txt").read_text()

    def wait_for_end(self) -> int:
        return self.process.wait(TIMEOUT_S)


Start = Callable[..., App]
