"""What every page has around it: header, navigation and footer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from mien.apps.web.page import guarded
from mien.apps.web.theme import css_variables, logo
from mien.apps.web.views import live, model, photo, video
from mien.live.session_report import GUESS

_FOOTER = f"""
<footer class="mien-footer">
<p><b>{GUESS}</b> People smile without being happy and are sad without showing
it. Do not use this to judge people. At work and in schools inferring emotions is prohibited in the European Union
(AI Act, Article 5(1)(f)), except for medical or safety reasons.</p>
<p>Pictures are analyzed by the program that serves this page and sent nowhere else. Nothing is stored: what you show or
upload is gone when you leave.</p>
</footer>
"""


def show() -> None:
    """Run the page that the visitor is on."""
    st.html(f"<style>{css_variables()}</style>")
    st.html(Path(__file__).with_name("style.css"))
    pages = [
        st.Page(partial(_page, live.page), title="Live", default=True),
        st.Page(partial(_page, photo.page), title="Photo", url_path="photo"),
        st.Page(partial(_page, video.page), title="Video", url_path="video"),
        st.Page(partial(_page, model.page), title="Model", url_path="model"),
    ]
    # For links from one page to another.
    st.session_state["pages"] = {page.title: page for page in pages}
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
        if chosen.title in ("Live", "Model"):
            # Photo and Video note for themselves that they have been left.
            st.session_state["page"] = chosen.title
        chosen.run()


def _page(show_page: Callable[[], None]) -> None:
    guarded(show_page)()


def _image(svg: str) -> str:
    # Streamlit lets no SVG into its HTML, but pictures of any kind.
    return f'<img alt="" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
