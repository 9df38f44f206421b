"""A live session that is over, as the page Live shows it."""

from __future__ import annotations

import streamlit as st

from mien.apps.web.cards import facts, notice, session_card, thumbnail
from mien.clock import clock
from mien.live import session_report
from mien.live.session_log import Session

# Into how many columns the strip of a person divides the session.
_COLUMNS = 160

_DOWN = ":material/download:"


def show_session(session: Session, blurred: bool) -> None:
    """Who showed what for how long, the markers, and files to save.

    Args:
        session: The session.
        blurred: Whether faces must not be recognizable.
    """
    people = sorted(session.summary.tracks.values(), key=lambda person: -person.total_s)
    st.subheader("Your session", anchor=False)
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
    with st.container(key="session_files", horizontal=True):
        for label, content, suffix, kind in (
            ("Report", lambda: session_report.html_of(session, not blurred), ".html", "text/html"),
            ("CSV", lambda: session_report.table_of(session), ".csv", "text/csv"),
            ("JSON", lambda: session_report.json_of(session), ".json", "application/json"),
            ("Timeline", lambda: session_report.timeline_of(session), ".png", "image/png"),
        ):
            st.download_button(label, content, f"{stem}{suffix}", kind, on_click="ignore", icon=_DOWN)
    if session.markers:
        marks = (f"**{session_report.since_start(session, mark)}** {mark.note}" for mark in session.markers)
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
                session.start_s,
            )
            for person in people
        )
    )
