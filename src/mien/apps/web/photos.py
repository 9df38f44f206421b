"""A picture and what was found in it, as the pages for photos and snapshots show it."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np
import streamlit as st

from mien.analyzer import Analyzer
from mien.apps.web.cards import face_card, face_row, grid, notice, thumbnail
from mien.apps.web.models import analyzer
from mien.classification.explanation import explain
from mien.classification.heatmap import draw_explanation
from mien.detection.base import Frame
from mien.drawing import blur_faces, draw_copy
from mien.errors import ImageError
from mien.images import color_profile, encode_image, read_image
from mien.live.portraits import portrait
from mien.results import FrameResult
from mien.tables import PHOTOS

# The longer side, in pixels, of pictures on the page. Downloads have all pixels.
_PREVIEW = 1400

# With more faces than this, cards become rows that open.
_FULL_CARDS = 2

# Faces up to this number are marked while their card is pointed at.
_MARKED = 100


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """A picture that was analyzed.

    Attributes:
        result: What was found.
        preview: Small copy with boxes and labels, as JPEG.
        cards: HTML of a card for each face.
        annotated: The picture with boxes and labels, as PNG or JPEG.
        suffix: ``.png`` or ``.jpg``.
        content: The file as it was uploaded, for explanations.
    """

    result: FrameResult
    preview: bytes
    cards: tuple[str, ...]
    annotated: bytes
    suffix: str
    content: bytes


def read_picture(analyzer: Analyzer, content: bytes, name: str, blur: bool = False) -> PhotoReport:
    """Analyze the faces of an uploaded picture.

    Args:
        analyzer: Reads them.
        content: The file.
        name: What to call it; never used as a path.
        blur: Whether faces are made unrecognizable in everything that is shown and saved.

    Raises:
        ImageError: If it is not a picture, or too large.
    """
    try:
        frame = read_image(content, analyzer.options.max_pixels)
    except ImageError as error:
        raise ImageError(error.reason, name) from error
    result = analyzer.analyze_frame(frame, name)
    shown = blur_faces(frame, result) if blur else frame
    drawn, profile = draw_copy(shown, result), color_profile(content)
    suffix = ".png" if name.lower().endswith((".png", ".webp", ".bmp")) else ".jpg"
    make = face_row if len(result) > _FULL_CARDS else face_card
    cards = tuple(
        make(f"Face {number}" if len(result) > 1 else "Face", number, face, thumbnail=thumbnail(portrait(shown, face)))
        for number, face in enumerate(result, start=1)
    )
    preview, whole = encode_image(_shrink(drawn), ".jpg", profile=profile), encode_image(drawn, suffix, profile=profile)
    return PhotoReport(result, preview, cards, whole, suffix, content)


def show_photo(report: PhotoReport, key: str, *, narrow: bool = False, blurred: bool = False) -> None:
    """The picture, its faces, buttons to save it and to ask why.

    Args:
        report: What to show.
        key: Tells it from others on the page.
        narrow: Whether there is no room for faces beside the picture.
        blurred: Whether faces must not be recognizable, so that none can be explained.
    """
    # One element, so that the picture can mark the face whose card is pointed at.
    layout = "mien-narrow" if narrow else ""
    none = notice("No face found", "Faces must be about 20 pixels wide or more, and turned to the camera.")
    many = len(report.cards) > _FULL_CARDS
    faces = ("".join(report.cards) if many else grid(report.cards)) if report.cards else none
    st.html(
        f'<div class="mien-photo {layout}"><figure>{_picture(report)}{_marks(report.result, key)}</figure>'
        f'<div class="mien-faces">{faces}</div></div>'
    )
    stem = report.result.source.rsplit(".", 1)[0] or "picture"
    with st.container(key=f"photo_files_{key}", horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Annotated picture",
            report.annotated,
            f"{stem}-mien{report.suffix}",
            on_click="ignore",
            icon=":material/download:",
            key=f"picture-{key}",
        )
        if report.cards and not blurred:
            wanted = [
                f"Why face {number}?" if len(report.cards) > 1 else "Why?" for number in range(1, len(report.cards) + 1)
            ]
            asked = st.pills("Why?", wanted, key=f"why-{key}", label_visibility="collapsed")
            number = wanted.index(asked) + 1 if asked in wanted else None
        else:
            number = None
    if number is not None:
        _explain(report, number, key)


def _explain(report: PhotoReport, number: int, key: str) -> None:
    with st.spinner("Finding out which part of the face decided …"):
        explanation = explain(report.content, number, analyzer=analyzer())
    picture = encode_image(draw_explanation(explanation), ".png")
    # Above the picture, which takes its height only when it has come.
    st.download_button(
        "Explanation",
        picture,
        f"mien-why-face-{number}.png",
        on_click="ignore",
        icon=":material/download:",
        key=f"explanation-{key}",
    )
    st.image(picture, alt=f"Which part of face {number} speaks for {explanation.emotion}", width="stretch")


def _picture(report: PhotoReport) -> str:
    alt = escape(f"{report.result.source} with boxes and labels")
    return f'<img alt="{alt}" src="data:image/jpeg;base64,{b64encode(report.preview).decode()}">'


def _marks(result: FrameResult, key: str) -> str:
    """Boxes over the picture, each to be seen while the card of its face is pointed at."""
    marks = []
    for number, face in enumerate(result, start=1):
        left, top, width, height = (
            100 * part / whole for part, whole in zip(face.box, (result.width, result.height) * 2, strict=True)
        )
        place = f"left:{left:.2f}%;top:{top:.2f}%;width:{width:.2f}%;height:{height:.2f}%"
        marks.append(f'<b class="mien-face-{min(number, _MARKED)}" style="{place}"></b>')
    return "".join(marks)


def hover_style() -> str:
    """CSS that marks the box of the face whose card is pointed at or has the keyboard."""
    rules = (
        f'.mien-photo:has([data-number="{number}"]:is(:hover,:focus-within)) .mien-face-{number}'
        for number in range(1, _MARKED)
    )
    return f"{','.join(rules)}{{opacity:1}}"


def as_json(results: Sequence[FrameResult]) -> str:
    """The results as a JSON array, each as `FrameResult.to_dict`."""
    return json.dumps([result.to_dict() for result in results], indent=2)


def as_csv(results: Sequence[FrameResult]) -> str:
    """A row per face, as in the tables of `mien photo`; a row with nothing but the name where there is no face."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(PHOTOS.columns))
    writer.writeheader()
    for result in results:
        writer.writerows(PHOTOS.rows(result))
    return stream.getvalue()


def _shrink(frame: Frame) -> Frame:
    scale = _PREVIEW / max(frame.shape[:2])
    if scale >= 1:
        return frame
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
