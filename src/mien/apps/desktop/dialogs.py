"""The system's dialogs: for files, a folder and a note."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Collection
from pathlib import Path
from tkinter import filedialog, simpledialog

from mien.files import VIDEO_FILES
from mien.images import IMAGE_SUFFIXES


def ask_video(parent: tk.Tk, folder: str) -> Path | None:
    """A video to open; None if the user thinks better of it."""
    kinds = [("Videos", _patterns(VIDEO_FILES)), ("All files", "*")]
    chosen = filedialog.askopenfilename(
        parent=parent, title="Open a video", initialdir=folder or str(Path.home()), filetypes=kinds
    )
    return Path(chosen) if chosen else None


def ask_pictures(parent: tk.Tk, folder: str) -> list[Path]:
    """Pictures to open."""
    kinds = [("Pictures", _patterns(IMAGE_SUFFIXES)), ("All files", "*")]
    chosen = filedialog.askopenfilenames(
        parent=parent, title="Open pictures", initialdir=folder or str(Path.home()), filetypes=kinds
    )
    return [Path(name) for name in chosen]


def ask_folder(parent: tk.Tk, folder: Path) -> Path | None:
    """A folder to save to."""
    initial = folder if folder.is_dir() else Path.home()
    title = "Folder for screenshots, recordings and reports"
    chosen = filedialog.askdirectory(parent=parent, title=title, initialdir=str(initial))
    return Path(chosen) if chosen else None


def ask_note(parent: tk.Tk) -> str:
    """A note for a marker; empty for none."""
    return simpledialog.askstring("Marker", "Note for this moment (may stay empty):", parent=parent) or ""


def _patterns(suffixes: Collection[str]) -> str:
    """File names with these suffixes, as Tk's dialogs read them."""
    return " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(suffixes))
