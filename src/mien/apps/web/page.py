"""What every page needs: a heading, and a guard that turns what goes wrong into a line of text."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from mien.errors import MienError, ModelError

_LOG = logging.getLogger(__name__)

_P = ParamSpec("_P")


def guarded(function: Callable[_P, None]) -> Callable[_P, None]:
    """Show what goes wrong in a page, or a part of one, as a line that says what to do; never a traceback."""

    @wraps(function)
    def run(*arguments: _P.args, **named: _P.kwargs) -> None:
        try:
            function(*arguments, **named)
        except ModelError as error:
            st.error(f"{error}. Choose another one on the Model page.", icon=":material/error:")
        except MienError as error:
            st.error(str(error), icon=":material/error:")
        except Exception:
            _LOG.exception("%s failed", function.__name__)
            st.error(
                "Something went wrong here. Reload the page and try again; the program that serves it has logged why.",
                icon=":material/error:",
            )

    return run


def literal(text: str) -> str:
    """Markdown that shows a text as it is: pictures that a file's name speaks of would be fetched from elsewhere."""
    return re.sub(r"[!-/:-@\[-`{-~]", r"\\\g<0>", text)


def title(text: str, explanation: str) -> None:
    """The heading of a page, with a sentence below it."""
    st.html(f'<div class="mien-title"><h1>{text}</h1><p>{explanation}</p></div>')


def entered(page: str) -> bool:
    """Whether the visitor has just come to this page, from another one or for the first time."""
    before = st.session_state.get("page")
    st.session_state["page"] = page
    return bool(before != page)
