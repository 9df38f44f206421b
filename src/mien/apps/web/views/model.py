"""The page Model."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import streamlit as st

from mien.apps.web.models import choose_model, chosen_model, model_folder
from mien.apps.web.settings import current
from mien.apps.web.shell import title
from mien.classification.model_config import ModelConfig, load_config, shipped_models
from mien.errors import MienError

# What the figures that mien measures are called among people, and whether they are shares.
_NAMES = {
    "publictest_accuracy": ("accuracy on FER-2013", True),
    "publictest_macro_f1": ("macro-F1 on FER-2013", False),
    "publictest_ece": ("calibration error", False),
    "publictest_through_detector_accuracy": ("accuracy through the detector", True),
    "wild_faces_found": ("faces found on web photos", True),
    "wild_balanced_accuracy": ("balanced accuracy on web photos", True),
}

_FOLDER = "A folder of my own …"


def page() -> None:
    """What the model can do, and another one in its place."""
    title("Model", "What reads the faces, how well it does, and another one in its place.")
    _choose()
    name = chosen_model()
    folder = model_folder(name)
    config = load_config(folder)
    st.html(_figures(config))
    card = folder / "README.md"
    if card.is_file():
        with st.container(border=True, key="card"):
            st.markdown(_card(card))
    else:
        st.info(f"{config.name} has no card (README.md in its folder).", icon=":material/info:")


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


def _choose() -> None:
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


def _visitor_is_local() -> bool:
    """Whether the visitor sits at this machine, and may name folders of it. Proxies tell for whom they ask."""
    told = {name.lower() for name in st.context.headers}
    return current().loopback and not told & {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}


def _figures(config: ModelConfig) -> str:
    tiles = []
    for key, (name, share) in _NAMES.items():
        if key in config.figures:
            value = config.figures[key]
            shown = f"{100 * value:.0f} %" if share else f"{value:.2f}"
            tiles.append(f"<div><strong>{shown}</strong><small>{name}</small></div>")
    return f'<div class="mien-facts mien-figures">{"".join(tiles)}</div>'
