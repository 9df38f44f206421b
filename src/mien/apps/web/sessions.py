"""A live session that is over, as the page Live shows it."""

from __future__ import annotations

import streamlit as st

from mien.apps.web.cards import facts, notice, session_card, thumbnail
from mien.apps.web.page import literal
from mien.clock import clock
from mien.live import session_report
from mien.live.session_log import Session

# Into how many columns the strip of a person divides the session.
_COLUMNS = 160

_DOWN = ":material/download:"

_FILES = (
    ("Report", ".html", "text/html"),
    ("CSV", ".csv", "text/csv"),
    ("JSON", ".json", "application/json"),
    ("Timeline", ".png", "image/png"),
)


def show_session(session: Session, blurred: bool) -> None:
    """Who showed what for how long, the markers, and files to save.

    Args:
        session: The session.
        blurred: Whether faces must not be recognizable.
    """
    people = sorted(session.summary.tracks.values(), key=lambda person: -person.total_s)
    st.header("Your session", anchor=False)
    st.html(
        facts(
            {
                "duration": clock(session.duration_s),
                "person" if len(people) == 1 else "people": str(len(people)),
                "frames": str(session.summary.frames),
            }
        )
    )
    stem = f"mien-{session.begun:%Y-%m-%d-%H%M%S}"
    with st.spinner("Preparing the files …"):
        contents = _contents(session, blurred)
    with st.container(key="session_files", horizontal=True):
        for (label, suffix, kind), content in zip(_FILES, contents, strict=True):
            st.download_button(label, content, f"{stem}{suffix}", kind, on_click="ignore", icon=_DOWN)
    if session.markers:
        marks = (f"**{clock(mark.time_s)}** {literal(mark.note)}" for mark in session.markers)
        st.markdown("Markers: " + " · ".join(marks))
    if not people:
        st.html(notice("No face was seen", "Faces must be about 20 pixels wide or more."))
        return
    strips = session_report.strips_of(session, _COLUMNS)
    span = "0:00", clock(session.duration_s)
    st.html(
        "".join(
            session_card(
                person,
                strips[person.track],
                "" if blurred else thumbnail(session.portraits[person.track]),
                span,
            )
            for person in people
        )
    )


def _contents(session: Session, blurred: bool) -> tuple[str | bytes, ...]:
    """What the files hold, made once: a file that is made on demand is lost when the page is redrawn meanwhile."""
    made = st.session_state.get("session_contents")
    if made is None or made[0] is not session or made[1] != blurred:
        contents = (
            session_report.html_of(session, not blurred),
            session_report.table_of(session),
            session_report.json_of(session),
            session_report.timeline_of(session),
        )
        made = st.session_state["session_contents"] = (session, blurred, contents)
    return tuple(made[2])
