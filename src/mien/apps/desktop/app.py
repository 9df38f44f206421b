"""Opening the app."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mien.analyzer import load
from mien.errors import MissingExtraError, WindowError
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    import tkinter as tk


def run(options: AnalyzerOptions, source: str = "0", save_folder: Path | None = None) -> None:
    """Open the window and return when it is closed.

    Args:
        options: How faces are read.
        source: What to show first: the number of a camera, a video file or a URL.
        save_folder: For screenshots and recordings; None takes the one that is remembered.

    Raises:
        WindowError: If this Python has no tkinter, or there is no screen.
        MissingExtraError: If the packages of the extra ``desktop`` are missing.
        OptionError: If an option is not possible.
        ModelError: If a model is missing or damaged.
    """
    check_tkinter()
    import tkinter as tk

    try:
        from mien.apps.desktop.session import Session
        from mien.apps.desktop.window import Window
    except ImportError as error:
        raise MissingExtraError("the desktop app", "desktop") from error

    analyzer = load(options)
    try:
        root = _root(tk)
    except tk.TclError as error:
        raise WindowError(f"no screen to open a window on ({error}); start it from a desktop session") from None
    session = Session(analyzer, save_folder)
    is_camera = source.isdecimal() or "://" in source
    window = Window(root, session, source if is_camera else session.settings.camera or "0")
    # The window asks for Ctrl-C and the like at every tick, so that a recording is finished before the end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    session.open_live(source)
    root.mainloop()


def _root(module: Any) -> tk.Tk:
    """The window, one that takes files dropped on it where tkinterdnd2 is installed and works."""
    try:
        from tkinterdnd2 import TkinterDnD  # type: ignore[import-untyped,unused-ignore]

        return cast("tk.Tk", TkinterDnD.Tk(className="mien"))
    except (ImportError, RuntimeError):
        return cast("tk.Tk", module.Tk(className="mien"))


def check_tkinter() -> None:
    """Say how to install tkinter where it is missing.

    Raises:
        WindowError: If it is.
    """
    try:
        import tkinter  # noqa: F401
    except ImportError:
        raise WindowError(f"the desktop app needs tkinter, which this Python lacks; {_advice()}") from None


def _advice() -> str:
    if sys.platform == "darwin":
        return "with Homebrew run: brew install python-tk; or install Python from python.org, which has it"
    if sys.platform == "win32":
        return "run the Python installer again, choose Modify and tick 'tcl/tk and IDLE'"
    return (
        "Debian and Ubuntu: sudo apt install python3-tk; Fedora: sudo dnf install python3-tkinter; "
        "Arch: sudo pacman -S tk; for uv and pyenv install tk-dev first, then that Python again"
    )
