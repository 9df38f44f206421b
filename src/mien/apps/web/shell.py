"""What every page has around it: header, navigation, footer, and somebody who catches what goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from mien.apps.web.theme import css_variables, logo
from mien.errors import MienError, ModelError

_LOG = logging.getLogger(__name__)

_P = ParamSpec("_P")

_FOOTER = """
<footer class="mien-footer">
<p><b>A guess about an expression, not about a mind.</b> People smile without being happy and are sad without showing
it. Do not use this to judge anybody. At work and in schools inferring emotions is prohibited in the European Union
(AI Act, Article 5(1)(f)), except for medical or safety reasons.</p>
<p>Pictures are read by the program that serves this page and by nobody else. Nothing is stored: what you show or
upload is gone when you leave.</p>
</footer>
"""


def show() -> None:
    """Run the page that the visitor is on."""
    # Pages import this module for its helpers.
    from mien.apps.web.views import live, model, photo, video

    st.html(f"<style>{css_variables()}</style>")
    st.html(Path(__file__).with_name("style.css"))
    pages = [
        st.Page(partial(_page, live.page), title="Live", default=True),
        st.Page(partial(_page, photo.page), title="Photo", url_path="photo"),
        st.Page(partial(_page, video.page), title="Video", url_path="video"),
        st.Page(partial(_page, model.page), title="Model", url_path="model"),
    ]
    chosen = st.navigation(pages, position="hidden")
    st.set_page_config(page_title=f"{chosen.title} · mien", page_icon=logo(), layout="wide")
    with st.container(key="header", horizontal=True, vertical_alignment="center"):
        st.html(f'<div class="mien-brand">{_image(logo())}<span>mien</span></div>', width="content")
        with st.container(key="nav", horizontal=True, width="content", wrap=False):
            for page in pages:
                with st.container(key=f"nav_{'on' if page is chosen else 'off'}_{page.title}", width="content"):
                    st.page_link(page, label=page.title)
    body = st.container()
    # Before the page, which may take its time.
    st.html(_FOOTER)
    with body:
        chosen.run()


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


def title(text: str, explanation: str) -> None:
    """The heading of a page, with a sentence below it."""
    st.html(f'<div class="mien-title"><h1>{text}</h1><p>{explanation}</p></div>')


def _page(show_page: Callable[[], None]) -> None:
    guarded(show_page)()


def _image(svg: str) -> str:
    # Streamlit lets no SVG into its HTML, but pictures of any kind.
    from base64 import b64encode

    return f'<img alt="" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
