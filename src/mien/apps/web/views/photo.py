"""The page Photo."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mien.apps.web.models import analyzer, model_key
from mien.apps.web.page import entered, literal, title
from mien.apps.web.photos import PhotoReport, as_csv, as_json, hover_style, read_picture, show_photo
from mien.apps.web.settings import MAX_PHOTO_MB
from mien.apps.web.uploads import complaint, hand_over, handed_over, is_video_file, take_pasted
from mien.errors import ImageError

# Eileen Collins, NASA, public domain.
_SAMPLE = Path(__file__).with_name("sample.jpg")

_DOWN = ":material/download:"


def page() -> None:
    """Pictures are uploaded, and their faces shown. What was uploaded stays until the visitor removes it."""
    title("Photo", "Upload pictures; every face in them is analyzed.")
    blur = st.toggle("Blur faces", key="photo_blur", help="Here, and in everything you save", persist_state="session")
    pictures = _pictures()
    if not pictures:
        if st.button("Try it with a sample", icon=":material/image:"):
            st.session_state["sample"] = True
            st.rerun()
        return
    reports: dict[str, PhotoReport | ImageError] = st.session_state.setdefault("photo_reports", {})
    key = f"{model_key()} {blur}"
    shown: list[PhotoReport] = []
    for number, (file_id, (name, content)) in enumerate(list(pictures.items()), start=1):
        place = f"{file_id} {key}"
        if place not in reports:
            with st.spinner(f"Analyzing {literal(name)}, {number} of {len(pictures)} …"):
                reports[place] = _read(content, name, blur)
        report = reports[place]
        if isinstance(report, PhotoReport):
            shown.append(report)
        elif is_video_file(name):
            hand_over("Video", name, content)
        else:
            st.error(complaint(name, report), icon=":material/broken_image:")
    # Reports of removed pictures, and of those read with another model, are not needed any more.
    current = {f"{file_id} {key}" for file_id in pictures}
    st.session_state["photo_reports"] = {place: report for place, report in reports.items() if place in current}
    _show(shown, blur)


def _pictures() -> dict[str, tuple[str, bytes]]:
    """The visitor's pictures by id: those of the uploader, and those from before the page was left."""
    pictures: dict[str, tuple[str, bytes]] = st.session_state.setdefault("photos", {})
    if entered("Photo"):
        # The uploader is a new one and knows nothing of them.
        st.session_state["photo_uploads"] = set()
    uploads = st.file_uploader(
        f"Pictures: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, up to {MAX_PHOTO_MB} MB each. "
        "Drop them here, paste them, or browse.",
        accept_multiple_files=True,
    )
    take_pasted()
    present = {upload.file_id for upload in uploads}
    for gone in st.session_state.get("photo_uploads", set()) - present:
        pictures.pop(gone, None)
    st.session_state["photo_uploads"] = present
    if (handed := handed_over("Photo")) is not None:
        pictures[f"handed {handed[0]}"] = handed
    for upload in uploads:
        if upload.size > MAX_PHOTO_MB * 2**20 and not is_video_file(upload.name):
            size = f"{upload.size / 2**20:.0f} MB"
            st.error(
                f"**{literal(upload.name)}** has {size}; pictures of up to {MAX_PHOTO_MB} MB are taken.",
                icon=":material/broken_image:",
            )
        elif upload.file_id not in pictures:
            pictures[upload.file_id] = upload.name, upload.getvalue()
    if st.session_state.pop("sample", False) and not pictures:
        pictures["sample"] = "eileen-collins.jpg", _SAMPLE.read_bytes()
    if "sample" in pictures:
        if len(pictures) > 1:
            del pictures["sample"]
        else:
            st.caption("Portrait of Eileen Collins, NASA, public domain.")
    return pictures


def _read(content: bytes, name: str, blur: bool) -> PhotoReport | ImageError:
    try:
        return read_picture(analyzer(), content, name, blur)
    except ImageError as error:
        return error


def _clear() -> None:
    st.session_state["photos"] = {}
    # Another uploader, without the files of this one.
    st.session_state["photo_uploads"] = set()
    st.session_state["page"] = ""


def _show(reports: list[PhotoReport], blur: bool) -> None:
    results = [report.result for report in reports]
    if not results and st.session_state["photo_uploads"]:
        return
    with st.container(key="summary", horizontal=True, vertical_alignment="center"):
        faces = sum(map(len, results))
        st.markdown(f"**{_count(faces, 'face')}** in {_count(len(results), 'picture')}", width="stretch")
        if results:
            st.download_button("CSV", as_csv(results), "mien-faces.csv", "text/csv", on_click="ignore", icon=_DOWN)
            kind = "application/json"
            st.download_button("JSON", as_json(results), "mien-faces.json", kind, on_click="ignore", icon=_DOWN)
        if not st.session_state["photo_uploads"]:
            st.button("Clear", icon=":material/close:", on_click=_clear)
    st.html(f"<style>{hover_style()}</style>")
    for number, report in enumerate(reports):
        if len(reports) > 1:
            st.header(literal(report.result.source), anchor=False)
        show_photo(report, str(number), blurred=blur)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
