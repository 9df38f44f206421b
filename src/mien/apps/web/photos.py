"""A picture and what was read in it, as the pages for photos and snapshots show it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st

from mien.analyzer import Analyzer
from mien.apps.web.cards import face_card, grid, notice, thumbnail
from mien.detection.base import Frame
from mien.drawing import draw
from mien.errors import ImageError
from mien.images import read_image
from mien.live.portraits import portrait
from mien.results import FrameResult
from mien.tables import PHOTOS

# The longer side, in pixels, of pictures on the page. Downloads have all pixels.
_PREVIEW = 1400


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """A picture that was read.

    Attributes:
        result: What was found.
        preview: Small copy with boxes and labels, as JPEG.
        cards: HTML of a card for each face.
        annotated: The picture with boxes and labels, as PNG or JPEG.
        suffix: ``.png`` or ``.jpg``.
    """

    result: FrameResult
    preview: bytes
    cards: tuple[str, ...]
    annotated: bytes
    suffix: str


def read_picture(analyzer: Analyzer, content: bytes, name: str) -> PhotoReport:
    """Read the faces of an uploaded picture.

    Args:
        analyzer: Reads them.
        content: The file.
        name: What to call it; never used as a path.

    Raises:
        ImageError: If it is no picture, or too large.
    """
    try:
        frame = read_image(content, analyzer.options.max_pixels)
    except ImageError as error:
        raise ImageError(str(error).replace("picture:", f"{name}:", 1)) from error
    result = analyzer.analyze_frame(frame, name)
    drawn = draw(frame, result)
    suffix = ".png" if name.lower().endswith((".png", ".webp", ".bmp")) else ".jpg"
    several = len(result) > 1
    cards = tuple(
        face_card(f"Face {number}" if several else "Face", face, thumbnail=thumbnail(portrait(frame, face)))
        for number, face in enumerate(result, start=1)
    )
    return PhotoReport(result, _encode(_shrink(drawn), ".jpg"), cards, _encode(drawn, suffix), suffix)


def show_reading(reading: PhotoReport, key: str, narrow: bool = False) -> None:
    """The picture, its faces, and a button to keep it.

    Args:
        reading: What to show.
        key: Tells it from others on the page.
        narrow: Whether there is no room for faces beside the picture.
    """
    beside = len(reading.cards) <= 2 and not narrow
    picture, side = st.columns([3, 2], gap="medium") if beside else (st.container(), st.container())
    with picture:
        st.image(reading.preview, alt=f"{reading.result.source} with boxes and labels", width="stretch")
        stem = reading.result.source.rsplit(".", 1)[0] or "picture"
        st.download_button(
            "Annotated picture",
            reading.annotated,
            f"{stem}-mien{reading.suffix}",
            on_click="ignore",
            icon=":material/download:",
            key=f"picture-{key}",
        )
    with side:
        if reading.cards:
            st.html(grid(reading.cards))
        else:
            st.html(notice("No face found", "Faces must be about 20 pixels wide or more, and turned to the camera."))


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


def _encode(frame: Frame, suffix: str) -> bytes:
    return cv2.imencode(suffix, frame)[1].tobytes()
