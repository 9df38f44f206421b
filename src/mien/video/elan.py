"""Annotation documents of ELAN (EAF 3.0, https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf)."""

from __future__ import annotations

import mimetypes
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mien.emotions import LABELS
from mien.tables import printable

if TYPE_CHECKING:
    from mien.video.summary import Summary

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_ENGLISH = "http://cdb.iso.org/lg/CDB-00138502-001"
_EMOTION = "emotion"


def annotation_document(summary: Summary, video: Path | None, folder: Path) -> bytes:
    """The episodes of a video as ELAN reads them.

    Two tiers per person, certain and uncertain episodes, of a type whose values are the seven emotions.

    Args:
        summary: Of the video, closed.
        video: The file of the video; None if it is none.
        folder: Where the document will lie; it refers to the video from there.

    Returns:
        The document, UTF-8.
    """
    root = Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "mien",
            "DATE": datetime.now().astimezone().isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _SCHEMA_INSTANCE,
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if video is not None:
        SubElement(header, "MEDIA_DESCRIPTOR", _media(video, folder))
    _add_tiers(root, summary)
    SubElement(
        root,
        "LINGUISTIC_TYPE",
        LINGUISTIC_TYPE_ID=_EMOTION,
        TIME_ALIGNABLE="true",
        GRAPHIC_REFERENCES="false",
        CONTROLLED_VOCABULARY_REF=_EMOTION,
    )
    SubElement(root, "LANGUAGE", LANG_ID="eng", LANG_DEF=_ENGLISH, LANG_LABEL="English (eng)")
    vocabulary = SubElement(root, "CONTROLLED_VOCABULARY", CV_ID=_EMOTION)
    SubElement(vocabulary, "DESCRIPTION", LANG_REF="eng").text = "The seven emotions that mien tells apart."
    for label in LABELS:
        entry = SubElement(vocabulary, "CV_ENTRY_ML", CVE_ID=f"cve_{label}")
        SubElement(entry, "CVE_VALUE", LANG_REF="eng", DESCRIPTION="").text = label
    indent(root)
    return bytes(tostring(root, "utf-8", xml_declaration=True))


def _add_tiers(root: Element, summary: Summary) -> None:
    order = SubElement(root, "TIME_ORDER")
    episodes = [
        (number, episode, round(1000 * episode.onset_s), round(1000 * episode.offset_s))
        for number, episode in enumerate(summary.episodes, start=1)
    ]
    # A slot per time, in order.
    slots = {time: f"ts{k}" for k, time in enumerate(sorted({t for row in episodes for t in row[2:]}), start=1)}
    for time, slot in slots.items():
        SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))
    for track in summary.tracks:
        name = f"person {track}"
        who = _printable(summary.participant(track).get("participant") or name)
        for uncertain in (False, True):
            tier = SubElement(
                root,
                "TIER",
                TIER_ID=f"{name} uncertain" if uncertain else name,
                PARTICIPANT=who,
                ANNOTATOR="mien",
                LINGUISTIC_TYPE_REF=_EMOTION,
                LANG_REF="eng",
            )
            for number, episode, onset, offset in episodes:
                # What is shorter than ELAN's unit has no length there.
                if (episode.track, episode.uncertain) == (track, uncertain) and offset > onset:
                    annotation = SubElement(
                        SubElement(tier, "ANNOTATION"),
                        "ALIGNABLE_ANNOTATION",
                        ANNOTATION_ID=f"a{number}",
                        TIME_SLOT_REF1=slots[onset],
                        TIME_SLOT_REF2=slots[offset],
                        CVE_REF=f"cve_{episode.emotion.value}",
                    )
                    SubElement(annotation, "ANNOTATION_VALUE").text = episode.emotion.value


def _media(video: Path, folder: Path) -> dict[str, str]:
    # As ELAN writes them itself: addresses whose spaces and other signs are not encoded.
    address = f"file:///{video.absolute().as_posix().lstrip('/')}"
    values = {"MEDIA_URL": address, "MIME_TYPE": mimetypes.guess_type(video.name)[0] or "unknown"}
    relative = relative_path(video, folder)
    if relative is not None:
        values["RELATIVE_MEDIA_URL"] = relative
    return {name: _printable(value) for name, value in values.items()}


def relative_path(file: Path, folder: Path) -> str | None:
    """The path of a file as seen from a folder, ``./clip.mp4``; None if no relative path leads there."""
    try:
        path = Path(os.path.relpath(file.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive
        return None
    return path if path.startswith("../") else f"./{path}"


def _printable(text: str) -> str:
    """A text without what XML does not allow."""
    return "".join(character for character in printable(text) if character.isprintable())
