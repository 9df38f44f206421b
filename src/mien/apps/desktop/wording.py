"""What the window says of the camera, video or picture that is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from mien.apps.desktop.album import Album
from mien.apps.desktop.live import FrameWithResult, Live
from mien.clock import clock
from mien.live.capture import State


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say in the place of the picture.

    Attributes:
        title: In a few words.
        text: In a sentence.
        retry: What a button says that tries again, empty for no button.
    """

    title: str
    text: str
    retry: str = ""


def notice_of(live: Live | None, album: Album | None, has_picture: bool) -> Notice | None:
    """What to say in the place of the picture; None where the picture is to be seen."""
    if live is not None:
        if live.state is State.FAILED:
            return Notice(f"No picture from {live.name}", live.error.reason if live.error else "", "Try again")
        if not has_picture and live.state is not State.ENDED:
            return Notice(f"Opening {live.name} …", "This takes a moment")
    if album is not None:
        if album.error is not None:
            return Notice(f"{album.name} cannot be shown", f"The file {album.error.reason}")
        if not has_picture:
            return Notice(f"Analyzing {album.name} …", "Large pictures take a moment")
    return None


def title_of(live: Live | None, album: Album | None, shown: FrameWithResult | None) -> str:
    """What is looked at: ``camera 0``, ``walk.mp4  0:07 / 0:19`` or ``group.jpg  2 of 5``."""
    if live is not None:
        length = live.duration_s
        if length is None or shown is None:
            return live.name
        return f"{live.name}   {clock(shown.result.time_s or 0.0)} / {clock(length)}"
    if album is not None:
        return album.name + (f"   {album.number + 1} of {len(album)}" if len(album) > 1 else "")
    return ""
