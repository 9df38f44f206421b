"""Asks the browser about its cameras: whether there are any, and whether the page may use them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

# Runs in the page, where the frame of streamlit-webrtc tells nobody why a camera did not start.
_SCRIPT = """
export default function (component) {
  const { setStateValue } = component;
  const media = navigator.mediaDevices;
  let stopped = false;
  let last = "";
  const tell = (state) => {
    if (!stopped && state !== last) { last = state; setStateValue("state", state); }
  };
  const look = async (permission) => {
    if (!window.isSecureContext || !media) { tell("insecure"); return; }
    if (permission === "denied") { tell("denied"); return; }
    const devices = await media.enumerateDevices();
    tell(devices.some((device) => device.kind === "videoinput") ? permission : "absent");
  };
  let status = null;
  const again = () => look(status ? status.state : "prompt");
  (async () => {
    try { status = await navigator.permissions.query({ name: "camera" }); } catch { status = null; }
    if (stopped) return;
    if (status) status.addEventListener("change", again);
    if (media) media.addEventListener("devicechange", again);
    await again();
  })();
  return () => {
    stopped = true;
    if (status) status.removeEventListener("change", again);
    if (media) media.removeEventListener("devicechange", again);
  };
}
"""

MESSAGES: dict[str, tuple[str, str]] = {
    "insecure": (
        "The browser gives its camera to secure pages only",
        "Open this page as http://localhost on the machine that serves it, or serve it by HTTPS. "
        "Uploads on the pages Photo and Video work all the same.",
    ),
    "denied": (
        "The camera was refused",
        "Allow it in the browser, by the camera or lock sign in the address bar, then reload this page. "
        "Uploads on the pages Photo and Video work all the same.",
    ),
    "absent": (
        "No camera was found",
        "Plug one in, or close the program that uses it; this page notices. "
        "Uploads on the pages Photo and Video work all the same.",
    ),
}
"""What to say, in a few words and then in a sentence, for the states that keep a camera from starting."""


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("mien.camera", html="<i></i>", js=_SCRIPT, css="i{display:none}")


def camera_state() -> str:
    """``granted``, ``prompt``, ``denied``, ``absent`` or ``insecure``; empty until the browser has answered."""
    answer = _component()(key="camera", height="content", on_state_change=_ignore)
    return str(answer.state or "")


def _ignore() -> None:
    """The page runs again by itself."""
