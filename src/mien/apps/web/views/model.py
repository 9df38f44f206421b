"""The page Model."""

from __future__ import annotations

import base64
import math
import re
from pathlib import Path

import streamlit as st

from mien.apps.web.models import choose_model, chosen_model, model_folder
from mien.apps.web.page import title
from mien.apps.web.settings import current
from mien.classification.model_config import ModelConfig, load_config, shipped_models
from mien.drawing import percent
from mien.emotions import Emotion
from mien.errors import MienError
from mien.live.colors import hexadecimal

# What the figures that mien measures are called among people, whether they are shares, and what to compare them with.
# That people agree with the labels of FER-2013 on 65 ± 5% of its faces was measured by those who made it (Goodfellow
# et al. 2013); the most frequent emotion, happy, is a quarter of its faces.
_NAMES = {
    "publictest_accuracy": (
        "right on FER-2013",
        True,
        "People agree with its labels on 65%; always saying happy would be right on 25%.",
    ),
    "publictest_through_detector_accuracy": (
        "right when it has to find the face itself",
        True,
        "The same faces, found by the detector first.",
    ),
    "wild_balanced_accuracy": (
        "right on web photos",
        True,
        "Averaged over the emotions; guessing would be right on 14%.",
    ),
    "wild_faces_found": ("of the faces on web photos are found", True, "In news pictures and film frames."),
    "publictest_ece": (
        "calibration error",
        False,
        "By how much its percentages are off on average; 0 would be perfect.",
    ),
}

# A table of a card as `benchmarks/model_figures.py` writes it.
_PER_EMOTION = re.compile(r"\| emotion \| precision \| recall \| F1 \| support \|\n\|[-:| ]+\n((?:\|.*\|\n)+)")

# Where a card says how many answers are right that are not called uncertain, of photos and by FER-2013's labels.
_CERTAIN = re.compile(
    r"Not called uncertain are answers with a confidence of (?P<limit>[\d.]+) or more:\n\n(?:\|.*\n)*?"
    r"\| PublicTest \| FER-2013 \| `photo` \| (?P<certain>[\d.]+)% \| (?P<right>[\d.]+)% \|"
)

_FOLDER = "A folder of my own …"


def page() -> None:
    """What the model can do, and a choice of others."""
    title("Model", "How well it reads each emotion, and which others there are.")
    folder = model_folder(_choose())
    config = load_config(folder)
    st.html(_figures(config))
    card = folder / "README.md"
    text = _card(card) if card.is_file() else ""
    if per_emotion := _per_emotion(text):
        st.header("What it reads well, and what it doesn't", anchor=False)
        st.caption("Share of FER-2013's faces with each label that it classifies as such (recall).")
        st.html(per_emotion)
    st.header("How sure is sure?", anchor=False)
    st.markdown(_certainty(config, text))
    if text:
        with st.expander("The model card: how it was made, and everything that was measured"), st.container(key="card"):
            st.markdown(text)
    else:
        st.info(f"{config.name} has no card (README.md in its folder).", icon=":material/info:")


def _certainty(config: ModelConfig, card: str) -> str:
    """What a question mark means, and how often answers without one are right, if the card was made with this limit."""
    limit = config.uncertain_below
    text = f"An answer below {percent(limit)} has a question mark: it is not sure enough to rely on. "
    found = _CERTAIN.search(card)
    if found is not None and math.isclose(float(found["limit"]), limit):
        certain, right = (percent(float(found[name]) / 100) for name in ("certain", "right"))
        text += f"{certain} of the answers on FER-2013's public test are above that, and {right} of these are right. "
    return f"{text}An expression is not a feeling, however sure the answer."


def _per_emotion(card: str) -> str:
    """The share that is recognized of each emotion, as bars, from the first such table of a card; empty without one."""
    found = _PER_EMOTION.search(card)
    if found is None:
        return ""
    recalls = {}
    for line in found[1].strip().split("\n"):
        name, _, recall, *_ = (cell.strip() for cell in line.strip("|").split("|"))
        try:
            recalls[Emotion.parse(name)] = float(recall)
        except (MienError, ValueError):
            return ""
    rows = []
    for emotion, recall in sorted(recalls.items(), key=lambda item: -item[1]):
        colors = f"background:{hexadecimal(emotion.color)};border-color:var(--mien-{emotion}-edge)"
        rows.append(
            f'<div class="mien-bar" data-emotion="{emotion}"><span>{emotion}</span>'
            f'<i><b style="width:{100 * recall:.0f}%;{colors}"></b></i><em>{percent(recall)}</em></div>'
        )
    return f'<div class="mien-bars mien-recall">{"".join(rows)}</div>'


def _card(path: Path) -> str:
    """A card's text: with its pictures in it, without comments and links to files, which lead nowhere here."""

    def picture(match: re.Match[str]) -> str:
        file = path.parent / match["to"]
        if file.suffix != ".png" or file.parent != path.parent or not file.is_file():
            return match["text"]
        return f"![{match['text']}](data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()})"

    text = path.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[(?P<text>[^\]]*)\]\((?P<to>(?!\w+:)[^)]+)\)", picture, text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)[^)]+\)", r"\1", text)


def _choose() -> str:
    """Let a model be chosen and used; the one to describe: what is chosen, even before it is used."""
    names = shipped_models()
    used = chosen_model()
    if used not in names:
        names.append(used)
    local = _visitor_is_local()
    with st.container(key="choose", horizontal=True, vertical_alignment="bottom"):
        choice = st.selectbox(
            "Model", [*names, *([_FOLDER] if local else [])], index=names.index(used), width="stretch"
        )
        folder = ""
        if choice == _FOLDER:
            folder = st.text_input("Folder", placeholder="/path/with/model.onnx and config.json", width="stretch")
        wanted = folder.strip() if choice == _FOLDER else choice
        pressed = st.button("Use this model", type="primary", disabled=not wanted or wanted == used)
    if pressed and wanted:
        try:
            choose_model(wanted)
        except MienError as error:
            st.error(f"{error}. Still using {used}.", icon=":material/error:")
        else:
            st.session_state["model_note"] = f"Using {wanted} from now on, in this browser tab."
            st.rerun()
    if note := st.session_state.pop("model_note", ""):
        st.success(note, icon=":material/check:")
    return choice if choice and choice != _FOLDER else used


def _visitor_is_local() -> bool:
    """Whether the visitor sits at this machine, and may name folders of it. Proxies tell for whom they ask."""
    told = {name.lower() for name in st.context.headers}
    return current().loopback and not told & {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}


def _figures(config: ModelConfig) -> str:
    tiles = []
    for key, (name, share, compared) in _NAMES.items():
        if key in config.figures:
            value = config.figures[key]
            shown = percent(value) if share else f"{value:.2f}"
            tiles.append(f"<div><strong>{shown}</strong><b>{name}</b><small>{compared}</small></div>")
    return f'<div class="mien-facts mien-figures">{"".join(tiles)}</div>'
