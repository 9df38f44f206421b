"""The app's colors, dark and light."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors as Tk and Pillow write them.

    Attributes:
        name: ``dark`` or ``light``.
        background: Of the window.
        stage: Behind the picture.
        surface: Of cards.
        track: Of bars and strips where nothing was seen.
        text: Of what matters.
        dim: Of what matters less; still 4.5 : 1 on every ground.
        recording: Of the mark that a recording goes on.
    """

    name: str
    background: str
    stage: str
    surface: str
    track: str
    text: str
    dim: str
    recording: str


DARK = Palette("dark", "#1c1c1c", "#121212", "#262626", "#383838", "#f2f2f2", "#a8a8a8", "#ff5c5c")
LIGHT = Palette("light", "#fafafa", "#e9e9e9", "#ffffff", "#dedede", "#1b1b1b", "#565656", "#c62020")


def choose_palette(name: str) -> Palette:
    """The palette of this name; for an empty one that of the system, which is dark where it cannot be told."""
    if name:
        return LIGHT if name == LIGHT.name else DARK
    if sys.platform.startswith("linux"):
        return _palette_of_linux()
    try:
        import darkdetect  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return DARK
    return LIGHT if darkdetect.theme() == "Light" else DARK


def _palette_of_linux() -> Palette:
    """By the setting that most desktops of Linux share; darkdetect takes those without one for light."""
    command = ["gsettings", "get", "org.gnome.desktop.interface", "color-scheme"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return DARK
    return LIGHT if done.returncode == 0 and "dark" not in done.stdout else DARK
