"""Files that are made when they are asked for and go straight to the visitor's downloads."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import Any

import streamlit as st

# The first file it is shown was saved before, if there is one.
_SAVE = """
export default function ({ data, parentElement }) {
  const before = parentElement.mienSaved;
  parentElement.mienSaved = data.number;
  if (before === undefined || before === data.number) return;
  const bytes = Uint8Array.from(atob(data.content), (letter) => letter.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: data.kind }));
  link.download = data.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
"""


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("mien.save", html="<i></i>", js=_SAVE, css="i{display:none}")


def save_now(content: bytes | None, name: str, kind: str) -> None:
    """Let the browser save a file; call it in every run of the page, also while there is nothing to save.

    Streamlit's own button for files made on demand keeps them until the second time that any part of any visitor's page
    has run, which on a page that brings itself up to date is too short for a slow connection.

    Args:
        content: The file; None to save nothing.
        name: What to call it.
        kind: Its media type.
    """
    number, kept = st.session_state.get("saved", (0, b""))
    if content is not None:
        number, kept = st.session_state["saved"] = number + 1, content
    data = {"number": number, "content": b64encode(kept).decode(), "name": name, "kind": kind}
    with st.container(key="saving"):
        _component()(key="save", data=data, height="content")
