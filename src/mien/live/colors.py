"""Colors of emotions that stay visible on any ground (WCAG 2.2, success criterion 1.4.11)."""

from __future__ import annotations

from mien.emotions import Emotion

Rgb = tuple[int, int, int]

LEAST_CONTRAST = 3.0
"""Contrast that parts of a chart need against what lies beside them."""

# In so many steps a color is mixed with white or black.
_STEPS = 64


def edge_color(emotion: Emotion, ground: Rgb) -> Rgb:
    """The color of an emotion, lightened or darkened until its outline stands out from a ground.

    Args:
        emotion: Whose color.
        ground: What it is drawn on, as (red, green, blue) in 0..255.
    """
    target = 0 if luminance(ground) > 0.18 else 255
    for step in range(_STEPS + 1):
        red, green, blue = (round(part + (target - part) * step / _STEPS) for part in emotion.color)
        if contrast((red, green, blue), ground) >= LEAST_CONTRAST:
            return red, green, blue
    return target, target, target


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast of two colors as WCAG defines it, 1..21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Rgb) -> float:
    """Relative luminance as WCAG defines it, 0..1."""
    parts = (part / 255 for part in color)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def hexadecimal(color: Rgb) -> str:
    """A color, red, green and blue, as CSS, Tk and Pillow write it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def rgb(color: str) -> Rgb:
    """The inverse of `hexadecimal`."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
