"""The stage: one large Start, the camera's picture when it comes, and in its place what keeps it from coming.

streamlit-webrtc makes the connection in a frame of its own, with buttons and messages in another style. This component
presses those buttons, hides them, and words what went wrong, so that there is one style and one message.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

MESSAGES: dict[str, tuple[str, str]] = {
    "insecure": (
        "Browsers give their camera to secure pages only",
        "On the machine that serves this page, open it as {address}. From others it must be served by HTTPS.",
    ),
    "denied": (
        "Camera access denied",
        "Allow it with the camera or lock icon in the browser's address bar, then press Try again.",
    ),
    "absent": ("No camera was found", "Plug one in, then press Try again."),
    "busy": (
        "The camera is in use",
        "Another program has it, or the system does not allow the browser to use it. Close the other program, or allow "
        "access in the system's privacy settings, then press Try again.",
    ),
    "failed": ("The camera did not start", "Press Try again. If that does not help, reload this page."),
}
"""What to say, in a few words and then in a sentence, for the states that keep a camera from starting."""

_HTML = """
<div class="mien-stage">
  <div class="mien-stage-words"><h2></h2><p></p></div>
  <button type="button" class="mien-start"></button>
</div>
<div class="mien-stream-bar">
  <button type="button" class="mien-stop">Stop</button>
  <label><span>Camera</span> <select></select></label>
</div>
"""


@lru_cache(maxsize=1)
def _component() -> Any:
    script = Path(__file__).with_name("stage.js").read_text(encoding="utf-8")
    return st.components.v2.component("mien.stage", html=_HTML, js=script, isolate_styles=False)


def stage(state: str) -> None:
    """Show the stage.

    Args:
        state: ``idle``, ``connecting`` or ``playing``.
    """
    _component()(key="stage", data={"state": state, "messages": MESSAGES}, height="content")


@lru_cache(maxsize=1)
def _list_component() -> Any:
    script = Path(__file__).with_name("people.js").read_text(encoding="utf-8")
    return st.components.v2.component(
        "mien.people", html='<div class="mien-people"></div>', js=script, isolate_styles=False
    )


def people_list(html: str) -> int | None:
    """Show cards that are replaced several times a second, keeping open what the visitor has opened.

    Args:
        html: The cards; each with the number of its person as ``data-number``.

    Returns:
        The number of the card under the pointer, None for none.
    """
    answer = _list_component()(key="people", data={"html": html}, height="content", on_hover_change=_ignore)
    return int(answer.hover) if answer.hover else None


def _ignore() -> None:
    """The part of the page runs again by itself."""
