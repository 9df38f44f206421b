"""What notebooks show of a result: the picture with boxes, small, and a bar per emotion."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from mien.classification.quality import words
from mien.drawing import disagreement, draw_copy, with_size
from mien.emotions import Emotion
from mien.preview import shrink, to_jpeg

if TYPE_CHECKING:
    from mien.detection.base import Frame
    from mien.results import Face, FrameResult

# Faces whose probabilities are shown, the largest ones.
_CARDS = 12


def to_html(result: FrameResult) -> str:
    """A result as HTML, with all that it needs in it. Nothing in it runs scripts."""
    picture = None if result.picture is None else result.picture.read((result.width, result.height))
    shown = "" if picture is None else _image(picture, result)
    order = sorted(range(len(result)), key=lambda k: -result[k].area)[:_CARDS]
    cards = "".join(_card(result[k], k + 1 if len(result) > 1 else None) for k in sorted(order))
    rest = len(result) - len(order)
    more = f"<div>and {rest} smaller {'face' if rest == 1 else 'faces'}</div>" if rest else ""
    title = escape(f"{result.source or 'picture'}, {result.width}x{result.height}: ") + escape(str(result))
    return (
        f'<div style="font-size:13px"><div style="margin-bottom:6px">{title}</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">{shown}'
        f'<div style="display:flex;flex-wrap:wrap;gap:16px;flex:1;min-width:200px">{cards}{more}</div></div></div>'
    )


def _image(picture: Frame, result: FrameResult) -> str:
    small = shrink(picture)
    canvas = draw_copy(small, with_size(result, small.shape[1], small.shape[0]))
    data = base64.b64encode(to_jpeg(canvas)).decode()
    return f'<img alt="{escape(str(result))}" style="max-width:100%" src="data:image/jpeg;base64,{data}">'


def _card(face: Face, number: int | None) -> str:
    name = f"{number} " if number else ""
    if face.track is not None:
        name = f"#{face.track} "
    shown = face.smoothed or face.probabilities
    rows = "".join(
        f'<tr style="background:none"><td style="padding:0 6px 0 0;text-align:left">{emotion}</td>'
        f'<td style="padding:0;width:110px"><div style="height:9px;width:{round(110 * shown[emotion])}px;'
        f'background:rgb{emotion.color}"></div></td>'
        f'<td style="padding:0 0 0 6px;text-align:right">{shown[emotion]:.0%}</td></tr>'
        for emotion in Emotion
    )
    hint = f'<div style="max-width:220px">{escape(words(face.quality))}</div>' if face.quality else ""
    sure = "<div>not sure enough to rely on</div>" if face.uncertain else ""
    others = f'<div style="max-width:220px">{said}</div>' if (said := disagreement(face)) else ""
    return (
        f"<div><b>{escape(name + str(face))}</b>{sure}"
        f'<table style="border-collapse:collapse;font-size:12px">{rows}</table>{others}{hint}</div>'
    )
