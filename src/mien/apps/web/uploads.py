"""Uploaders that say what they take, take what is pasted, and hand over what belongs on another page."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePath
from typing import Any

import streamlit as st

from mien.apps.web.page import literal
from mien.errors import ImageError, MienError
from mien.files import VIDEO_FILES
from mien.images import IMAGE_SUFFIXES, read_image

# Files from the clipboard go where dropped ones go.
_PASTE = """
export default function (component) {
  const paste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const input = document.querySelector("[data-testid=stFileUploaderDropzoneInput]");
    if (!files.length || !input) return;
    event.preventDefault();
    const transfer = new DataTransfer();
    for (const file of input.multiple ? files : files.slice(0, 1)) transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", paste);
  return () => document.removeEventListener("paste", paste);
}
"""


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("mien.paste", html="<i></i>", js=_PASTE, css="i{display:none}")


def take_pasted() -> None:
    """Let the uploader of this page take files from the clipboard."""
    with st.container(key="pasting"):
        _component()(key="paste", height="content")


def is_video_file(name: str) -> bool:
    """Whether an upload is a video by its name."""
    return PurePath(name).suffix.lower() in VIDEO_FILES


def is_picture(name: str, content: bytes) -> bool:
    """Whether an upload is a picture, by its name and its content."""
    if PurePath(name).suffix.lower() not in IMAGE_SUFFIXES:
        return False
    try:
        read_image(content)
    except ImageError:
        return False
    return True


def hand_over(page: str, name: str, content: bytes) -> None:
    """Offer to open an upload on the page that takes it.

    Args:
        page: Title of the page, ``Photo`` or ``Video``.
        name: Name of the upload.
        content: The file.
    """
    kind = "video" if page == "Video" else "picture"
    with st.container(key=f"hand_over_{page}_{name}", border=True):
        st.markdown(f"**{literal(name)} is a {kind}.** This page takes {'pictures' if kind == 'video' else 'videos'}.")
        if st.button(f"Open it on the {page} page", key=f"open-{page}-{name}", icon=":material/arrow_forward:"):
            st.session_state[f"handed_to_{page}"] = (name, content)
            st.switch_page(st.session_state["pages"][page])


def handed_over(page: str) -> tuple[str, bytes] | None:
    """What was handed over to this page, once."""
    handed: tuple[str, bytes] | None = st.session_state.pop(f"handed_to_{page}", None)
    return handed


def complaint(name: str, error: MienError) -> str:
    """What is wrong with an upload, as a sentence."""
    return f"**{literal(name)}** {literal(error.reason)}."
