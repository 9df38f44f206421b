"""The app's colors."""

from __future__ import annotations

BACKGROUND = "#1c1c1c"
STAGE = "#121212"
SURFACE = "#262626"
TRACK = "#383838"
TEXT = "#f2f2f2"
DIM = "#a3a3a3"
FAINT = "#8a8a8a"
RECORDING = "#ff5c5c"


def hexadecimal(color: tuple[int, int, int]) -> str:
    """A color, red, green and blue, as Tk and Pillow write it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def rgb(color: str) -> tuple[int, int, int]:
    """The inverse of `hexadecimal`."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
