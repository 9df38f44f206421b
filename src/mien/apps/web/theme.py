"""Colors and fonts, dark and light after the system. The pages are gray and ivory; only emotions have colors."""

from __future__ import annotations

from mien.emotions import Emotion
from mien.live.colors import edge_color, hexadecimal, rgb

DARK = {"background": "#141519", "surface": "#1d1f25", "line": "#30333b", "text": "#f4f0e8", "dim": "#b1b0a9"}
LIGHT = {"background": "#fbf9f5", "surface": "#f1eee7", "line": "#dcd8cf", "text": "#1d1f25", "dim": "#595853"}


def _section(colors: dict[str, str]) -> dict[str, str]:
    return {
        "primaryColor": colors["text"],
        "backgroundColor": colors["background"],
        "secondaryBackgroundColor": colors["surface"],
        "textColor": colors["text"],
        "linkColor": colors["text"],
        "codeTextColor": colors["text"],
        "codeBackgroundColor": colors["line"],
        "borderColor": colors["line"],
    }


THEME: dict[str, str] = {
    "font": "sans-serif",
    "headingFont": "serif",
    "baseRadius": "10px",
    "buttonRadius": "999px",
    **{f"dark.{name}": value for name, value in _section(DARK).items()},
    **{f"light.{name}": value for name, value in _section(LIGHT).items()},
}
"""Options of Streamlit's section ``theme``, which follows the system when it has both. Its fonts come with it; nothing
is fetched from elsewhere."""


def css_variables() -> str:
    """Colors for the style sheet, those of the emotions and of the edges of their bars among them."""
    dark, light = (
        "".join(f"--mien-{name}:{value};" for name, value in {**colors, **_edges(colors["line"])}.items())
        for colors in (DARK, LIGHT)
    )
    emotions = "".join(f"--mien-{emotion}:{hexadecimal(emotion.color)};" for emotion in Emotion)
    return f":root{{{emotions}{dark}}}@media (prefers-color-scheme: light){{:root{{{light}}}}}"


def _edges(ground: str) -> dict[str, str]:
    return {f"{emotion}-edge": hexadecimal(edge_color(emotion, rgb(ground))) for emotion in Emotion}


def logo() -> str:
    """A ring in the colors of the seven emotions, as SVG."""
    # The circumference of this radius is 100, so that dashes are percentages.
    radius, share = 15.9155, 100 / len(Emotion)
    arcs = "".join(
        f'<circle cx="20" cy="20" r="{radius}" fill="none" stroke="{hexadecimal(emotion.color)}" stroke-width="7" '
        f'stroke-dasharray="{share:.3f} {100 - share:.3f}" stroke-dashoffset="{25 - number * share:.3f}"/>'
        for number, emotion in enumerate(Emotion)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40">{arcs}</svg>'
