"""Which key does what."""

from __future__ import annotations

import sys

KEYS: dict[str, str] = {
    "q": "quit",
    "escape": "quit",
    "s": "screenshot",
    "a": "toggle_all",
    "space": "toggle_pause",
    "r": "toggle_recording",
    "c": "open_camera",
    "v": "open_video",
    "p": "open_pictures",
    "f": "choose_folder",
    "m": "mark",
    "e": "end_session",
    "w": "explain",
    "b": "toggle_blur",
    "x": "toggle_mirror",
    "t": "toggle_theme",
    "d": "toggle_details",
    "left": "previous_picture",
    "right": "next_picture",
    "prior": "scroll_up",
    "next": "scroll_down",
}
"""Tk's names of the keys, in lower case, with the action of each."""

_CONTROL = 0x4
# On Windows the bit that is Alt elsewhere is Num Lock.
_ALT = 0x20000 if sys.platform == "win32" else 0x8


def action(keysym: str, state: int) -> str | None:
    """The action of a key press.

    Args:
        keysym: Tk's name of the key.
        state: Tk's bits of the modifier keys. Shift and Caps Lock make no difference; with Control or Alt a key
            belongs to the system.
    """
    return None if state & (_CONTROL | _ALT) else KEYS.get(keysym.lower())
