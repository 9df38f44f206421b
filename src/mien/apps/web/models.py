"""Models, opened once for all visitors, and which one each visitor has chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

from mien.analyzer import Analyzer, load
from mien.apps.web.settings import current
from mien.classification.model_config import find_model
from mien.errors import ModelError, OptionError

# Sessions of ONNX Runtime that are kept open.
_KEPT = 4


def chosen_model() -> str:
    """Name or folder of the model that this visitor uses."""
    return str(st.session_state.get("model", current().options.model))


def choose_model(name: str) -> None:
    """Use another model from now on, for this visitor alone.

    Raises:
        ModelError: If it cannot be opened; the one before stays chosen.
    """
    open_model(name)
    st.session_state["model"] = name


def analyzer() -> Analyzer:
    """The pipeline with this visitor's model.

    Raises:
        ModelError: If the model cannot be opened.
    """
    return open_model(chosen_model())


def model_key() -> tuple[str, float]:
    """What changes when another model is chosen or the files of the chosen one are replaced."""
    folder = model_folder(chosen_model())
    return str(folder), _modified(folder)


def model_folder(name: str) -> Path:
    """The folder of a model.

    Raises:
        ModelError: If there is none.
    """
    try:
        return find_model(name)
    except OptionError as error:
        # Nobody has typed the name of a model that was fine a moment ago.
        raise ModelError(str(error)) from error


def open_model(name: str) -> Analyzer:
    """The pipeline with a model, opened when first asked for and again when its files have changed."""
    folder = model_folder(name)
    return _open(name, _modified(folder))


@st.cache_resource(max_entries=_KEPT, show_spinner="Opening the model …")
def _open(name: str, modified: float) -> Analyzer:
    del modified  # Part of the key alone.
    return load(replace(current().options, model=name))


def _modified(folder: Path) -> float:
    return max((folder / part).stat().st_mtime for part in ("model.onnx", "config.json"))
