"""Fonts and the ttk theme."""

from __future__ import annotations

import tkinter as tk
from tkinter import font as tkfont

import sv_ttk
from PIL import Image, ImageDraw, ImageTk

from mien.apps.desktop.palette import Palette
from mien.emotions import Emotion

BODY, STRONG, SMALL, TITLE = "MienBody", "MienStrong", "MienSmall", "MienTitle"

_FAMILIES = ("Segoe UI", "SF Pro Text", "Inter", "Cantarell", "Ubuntu", "Noto Sans", "Open Sans", "DejaVu Sans")


def apply(root: tk.Tk, palette: Palette) -> None:
    """Give the window and everything in it the app's looks."""
    set_colors(root, palette)
    family = _family(root)
    if "Segoe UI Variable Text" not in tkfont.families(root):
        # The theme's own font comes with Windows 11 only.
        for name in tkfont.names(root):
            if name.startswith("SunValley"):
                tkfont.nametofont(name, root).configure(family=family)
    tkfont.nametofont("SunValleyBodyFont", root).configure(size=-13)
    # A `tkfont.Font` would take its font along when it is collected.
    for name, size, weight in ((BODY, 13, "normal"), (STRONG, 14, "bold"), (SMALL, 11, "normal"), (TITLE, 22, "bold")):
        root.tk.call("font", "create", name, "-family", family, "-size", -size, "-weight", weight)
    if root.tk.call("tk", "windowingsystem") == "x11":
        _adapt_file_dialog(root)
    icon = ImageTk.PhotoImage(_icon(), master=root)
    root.iconphoto(True, icon)  # type: ignore[arg-type]


def set_colors(root: tk.Tk, palette: Palette) -> None:
    """Switch the window and ttk's widgets to a palette."""
    sv_ttk.set_theme(palette.name, root)
    root.configure(background=palette.background)


def _adapt_file_dialog(root: tk.Tk) -> None:
    """Make Tk's own file dialog readable: its list is always white, and the theme would write on it in white."""
    root.option_add("*Canvas.foreground", "black")
    # The variable exists once the dialog's script has been loaded, which any call does.
    root.tk.eval("catch {tk_getOpenFile -load}; set ::tk::dialog::file::showHiddenVar 0")


def _family(root: tk.Tk) -> str:
    present = set(tkfont.families(root))
    return next((family for family in _FAMILIES if family in present), "TkDefaultFont")


def _icon(side: int = 64) -> Image.Image:
    """A ring in the colors of the seven emotions."""
    large = Image.new("RGBA", (4 * side, 4 * side))
    pen = ImageDraw.Draw(large)
    box = (side // 4, side // 4, 4 * side - side // 4, 4 * side - side // 4)
    step = 360 / len(Emotion)
    for number, emotion in enumerate(Emotion):
        pen.arc(box, number * step - 90, (number + 1) * step - 90, fill=emotion.color, width=side * 5 // 8)
    return large.resize((side, side), Image.Resampling.LANCZOS)
