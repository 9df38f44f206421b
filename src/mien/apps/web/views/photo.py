"""The page Photo."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mien.apps.web.models import analyzer, model_key
from mien.apps.web.photos import PhotoReport, as_csv, as_json, read_picture, show_reading
from mien.apps.web.settings import MAX_PHOTO_MB
from mien.apps.web.shell import title
from mien.errors import ImageError

# Eileen Collins, NASA, public domain.
_SAMPLE = Path(__file__).with_name("sample.jpg")


def page() -> None:
    """Pictures are uploaded, and their faces shown."""
    title("Photo", "Upload pictures; every face in them is read.")
    uploads = st.file_uploader(
        "Pictures", accept_multiple_files=True, max_upload_size=MAX_PHOTO_MB, label_visibility="collapsed"
    )
    pictures = [(upload.file_id, upload.name, upload.getvalue) for upload in uploads]
    if not pictures:
        if st.button("Try it with a sample", icon=":material/image:"):
            st.session_state["sample"] = True
        if st.session_state.get("sample"):
            pictures = [("sample", "eileen-collins.jpg", _SAMPLE.read_bytes)]
            st.caption("Portrait of Eileen Collins, NASA, public domain.")
    else:
        st.session_state.pop("sample", None)
    # What was read stays while its picture does, in this visitor's session alone.
    known: dict[object, PhotoReport | str] = st.session_state.get("photos", {})
    key = model_key()
    readings: dict[object, PhotoReport | str] = {}
    for number, (file_id, name, content) in enumerate(pictures, start=1):
        place = (file_id, key)
        if place not in known:
            with st.spinner(f"Reading {name}, {number} of {len(pictures)} …"):
                known[place] = _read(content(), name)
        readings[place] = known[place]
    st.session_state["photos"] = readings
    _show(readings)


def _read(content: bytes, name: str) -> PhotoReport | str:
    try:
        return read_picture(analyzer(), content, name)
    except ImageError as error:
        return str(error)


def _show(readings: dict[object, PhotoReport | str]) -> None:
    for reading in readings.values():
        if isinstance(reading, str):
            st.error(f"{reading}.", icon=":material/broken_image:")
    results = [reading.result for reading in readings.values() if isinstance(reading, PhotoReport)]
    if results:
        with st.container(key="summary", horizontal=True, vertical_alignment="center"):
            faces = sum(map(len, results))
            st.markdown(f"**{_count(faces, 'face')}** in {_count(len(results), 'picture')}", width="stretch")
            st.download_button(
                "CSV", as_csv(results), "mien-faces.csv", "text/csv", on_click="ignore", icon=":material/download:"
            )
            st.download_button(
                "JSON",
                as_json(results),
                "mien-faces.json",
                "application/json",
                on_click="ignore",
                icon=":material/download:",
            )
    for number, reading in enumerate(readings.values()):
        if isinstance(reading, str):
            continue
        if len(readings) > 1:
            st.subheader(reading.result.source, anchor=False)
        show_reading(reading, str(number))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
