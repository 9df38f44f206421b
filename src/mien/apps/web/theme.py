"""Colors and fonts. The pages themselves are gray and ivory; whatever is colored is an emotion."""

from __future__ import annotations

from mien.emotions import Emotion

BACKGROUND, SURFACE, LINE = "#141519", "#1d1f25", "#30333b"
TEXT, DIM = "#f4f0e8", "#aaa9a2"

THEME: dict[str, str] = {
    "base": "dark",
    "primaryColor": TEXT,
    "backgroundColor": BACKGROUND,
    "secondaryBackgroundColor": SURFACE,
    "textColor": TEXT,
    "linkColor": TEXT,
    "codeTextColor": TEXT,
    "codeBackgroundColor": LINE,
    "borderColor": LINE,
    "font": "sans-serif",
    "headingFont": "serif",
    "baseRadius": "10px",
    "buttonRadius": "999px",
}
"""Options of Streamlit's section ``theme``. Its fonts come with it; nothing is fetched from elsewhere."""


def css_variables() -> str:
    """Colors for the style sheet, those of the emotions among them."""
    named = {"background": BACKGROUND, "surface": SURFACE, "line": LINE, "text": TEXT, "dim": DIM}
    named |= {emotion.value: hexadecimal(emotion) for emotion in Emotion}
    return ":root{" + "".join(f"--mien-{name}:{value};" for name, value in named.items()) + "}"


def hexadecimal(emotion: Emotion) -> str:
    """The color of an emotion as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*emotion.color)


def logo() -> str:
    """A ring in the colors of the seven emotions, as SVG."""
    # The circumference of this radius is 100, so that dashes are percentages.
    radius, share = 15.9155, 100 / len(Emotion)
    arcs = "".join(
        f'<circle cx="20" cy="20" r="{radius}" fill="none" stroke="{hexadecimal(emotion)}" stroke-width="7" '
        f'stroke-dasharray="{share:.3f} {100 - share:.3f}" stroke-dashoffset="{25 - number * share:.3f}"/>'
        for number, emotion in enumerate(Emotion)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" width="40" height="40">{arcs}</svg>'
