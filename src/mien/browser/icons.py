"""The page's icons: a ring in the colors of the seven emotions."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

from mien.emotions import Emotion

_GROUND = (20, 21, 25)
# Drawn this much larger, then shrunk: Pillow does not smooth edges.
_FINE = 4
# The ring's outer and inner radius, in halves of the icon's side. Maskable icons may be cut to a circle of 0.8.
_OUTER, _INNER = 0.66, 0.42


def emotion_colors() -> dict[str, str]:
    """The color of each emotion as CSS writes it."""
    return {emotion.value: "#{:02x}{:02x}{:02x}".format(*emotion.color) for emotion in Emotion}


def icon_files() -> dict[str, bytes]:
    """The icons by name: vector graphics for browsers, bitmaps for home screens."""
    return {
        "icons/ring.svg": _svg(ground=False),
        "icons/icon.svg": _svg(ground=True),
        "icons/icon-180.png": _png(180, rounded=False),
        "icons/icon-192.png": _png(192, rounded=True),
        "icons/icon-512.png": _png(512, rounded=True),
        "icons/icon-maskable-512.png": _png(512, rounded=False),
    }


def _svg(*, ground: bool) -> bytes:
    # The circumference of this radius is 100, so that dashes are percentages.
    radius, share = 15.9155, 100 / len(Emotion)
    arcs = "".join(
        f'<circle cx="20" cy="20" r="{radius}" fill="none" stroke="{color}" stroke-width="7" '
        f'stroke-dasharray="{share:.3f} {100 - share:.3f}" stroke-dashoffset="{25 - number * share:.3f}"/>'
        for number, color in enumerate(emotion_colors().values())
    )
    back = '<rect x="-8" y="-8" width="56" height="56" rx="13" fill="#141519"/>' if ground else ""
    box = "-8 -8 56 56" if ground else "0 0 40 40"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{back}{arcs}</svg>'.encode()


def _png(side: int, *, rounded: bool) -> bytes:
    large = side * _FINE
    image = Image.new("RGBA", (large, large), (0, 0, 0, 0))
    drawing = ImageDraw.Draw(image)
    drawing.rounded_rectangle((0, 0, large - 1, large - 1), radius=large * 0.23 if rounded else 0, fill=_GROUND)
    share = 360 / len(Emotion)
    outer, inner = (_circle(large, radius) for radius in (_OUTER, _INNER))
    for number, emotion in enumerate(Emotion):
        drawing.pieslice(outer, 360 - 90 + number * share, 360 - 90 + (number + 1) * share, fill=emotion.color)
    drawing.ellipse(inner, fill=_GROUND)
    stream = BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _circle(side: int, radius: float) -> tuple[float, float, float, float]:
    low, high = side / 2 * (1 - radius), side / 2 * (1 + radius)
    return low, low, high, high
