"""The page Live."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st
from streamlit_webrtc import Translations, WebRtcMode, WebRtcStreamerContext, webrtc_streamer

from mien.apps.web.camera import people_list, stage
from mien.apps.web.cards import card, face_card, face_row, grid, notice, row, strip
from mien.apps.web.connection import Connection, LiveState
from mien.apps.web.downloads import save_now
from mien.apps.web.models import analyzer
from mien.apps.web.page import guarded, literal, title
from mien.apps.web.photos import read_picture, show_photo
from mien.apps.web.sessions import show_session
from mien.apps.web.settings import current
from mien.clock import clock
from mien.live.history import SPAN_S

_STREAM, _SNAPSHOT = "Live stream", "Snapshots"

# Seconds between two looks at the connection, and after which one that does not come is given up on.
_STEP_S, _PATIENCE_S = 0.3, 15.0

# Into how many columns the last half minute is divided.
_COLUMNS = 100

# With more people than this, cards become rows that open.
_FULL_CARDS = 2

_VIDEO_STYLE = {"width": "100%", "borderRadius": "14px"}

# The frame's own buttons are hidden; the stage presses them by these names.
_TRANSLATIONS: Translations = {"start": "Start", "stop": "Stop"}


def page() -> None:
    """The visitor's camera, analyzed while it runs."""
    title("Live", "Your camera, frame by frame, on the machine that serves this page.")
    mode = st.segmented_control(
        "Mode", [_STREAM, _SNAPSHOT], default=_STREAM, required=True, key="mode", label_visibility="collapsed"
    )
    if mode == _SNAPSHOT:
        _snapshots()
    else:
        _live()


def _live() -> None:
    reader = analyzer()
    picture, side = st.columns([3, 2], gap="medium")
    with picture:
        place = st.container()
        with st.container(key="stream"):
            context: WebRtcStreamerContext[Connection, Any] = webrtc_streamer(
                key="camera-stream",
                mode=WebRtcMode.SENDRECV,
                rtc_configuration=current().rtc_configuration,
                media_stream_constraints={
                    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}},
                    "audio": False,
                },
                video_processor_factory=lambda: Connection(reader),
                video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": _VIDEO_STYLE},
                translations=_TRANSLATIONS,
            )
        if context.video_processor is not None:
            st.session_state["connection"] = context.video_processor
        busy = context.state.playing or context.state.signalling
        with place:
            stage("playing" if context.state.playing else "connecting" if busy else "idle")
        if busy:
            st.session_state.setdefault("connecting_since", time.monotonic())
        else:
            st.session_state.pop("connecting_since", None)
        connection: Connection | None = st.session_state.get("connection") if context.state.playing else None
        if connection is not None:
            _controls(connection)
        if not busy:
            _other_ways()
    with side:
        if busy:
            _people()
        else:
            _beside_the_stage()
    if not busy:
        _last_session()


def _other_ways() -> None:
    with st.container(key="ways", horizontal=True, vertical_alignment="center"):
        st.markdown("Without a camera:", width="content")
        if st.button("Try a sample", icon=":material/image:"):
            st.session_state["sample"] = True
            st.switch_page(st.session_state["pages"]["Photo"])
        for name, icon in (("Photo", ":material/photo:"), ("Video", ":material/movie:")):
            st.page_link(st.session_state["pages"][name], label=f"Open a {name.lower()}", icon=icon)


def _beside_the_stage() -> None:
    connection: Connection | None = st.session_state.get("connection")
    if connection is None or connection.session is None:
        st.html(
            notice(
                "What you will see",
                "A card for each person: all seven expressions now and over the last half minute. When you stop, the "
                "session stays here: who showed what for how long, to look at and to save.",
            )
        )
    else:
        show_session(connection.session, blurred=connection.blur)


def _last_session() -> None:
    """A recording that was made stays with its session."""
    connection: Connection | None = st.session_state.get("connection")
    if connection is not None:
        _take_recording(connection)
    _save_recording()
    _play_recording()


def _take_recording(connection: Connection) -> None:
    """Keep a recording that has just ended in place of the one before."""
    if connection.recording:
        st.session_state.pop("recording", None)
    elif (taken := connection.take_recording()) is not None:
        st.session_state["recording"] = taken


def _save_recording() -> None:
    if (kept := st.session_state.get("recording")) is not None:
        st.download_button(
            "Save recording", kept, "mien-recording.mp4", "video/mp4", on_click="ignore", icon=":material/download:"
        )


def _play_recording() -> None:
    if (kept := st.session_state.get("recording")) is not None:
        st.video(kept)


@st.fragment
@guarded
def _controls(connection: Connection) -> None:
    """Screenshot, recording, markers and what else can be done while it runs; runs by itself."""
    _take_recording(connection)
    with st.container(key="controls", horizontal=True, vertical_alignment="center"):
        wanted = st.button("Screenshot", icon=":material/photo_camera:")
        # Callbacks run before the buttons are redrawn, so that they show what is going on then.
        if connection.recording:
            end = connection.stop_recording
            st.button("End recording", icon=":material/stop_circle:", type="primary", on_click=end)
        else:
            st.button("Record", icon=":material/fiber_manual_record:", on_click=connection.start_recording)
        # Here, since buttons beside a player are moved by it when it comes, and a click goes astray.
        _save_recording()
        # An explanation shows the face.
        hidden = bool(st.session_state.get("live_blur", False))
        why = st.button("Why?", icon=":material/help:", help="Which part of the largest face decided", disabled=hidden)
        connection.mirrored = st.toggle("Mirror", value=connection.mirrored)
        connection.blur = st.toggle("Blur faces", key="live_blur", help="Here, and in everything you save")
    _mark(connection)
    if why:
        with st.spinner("Finding out which part of the face decided …"):
            picture = connection.explain()
        st.download_button(
            "Explanation", picture, "mien-explanation.png", "image/png", on_click="ignore", icon=":material/download:"
        )
        st.image(picture, alt="Which part of the face speaks for the emotion, and which against it", width="stretch")
    _play_recording()
    # Last, since there may be no picture yet.
    save_now(connection.screenshot() if wanted else None, "mien-screenshot.png", "image/png")


def _mark(connection: Connection) -> None:
    with st.form("mark", clear_on_submit=True, border=False), st.container(horizontal=True, key="marking"):
        note = st.text_input("Note", placeholder="Note for this moment", label_visibility="collapsed")
        if st.form_submit_button("Mark", icon=":material/bookmark_add:"):
            connection.mark(note)
    if connection.markers:
        last = connection.markers[-1]
        count = f"{len(connection.markers)} marker{'s' if len(connection.markers) > 1 else ''}"
        st.caption(f"{count}, the last at {clock(last.time_s)}{': ' + literal(last.note) if last.note else ''}")


@st.fragment(run_every=_STEP_S)
@guarded
def _people() -> None:
    """A card for each person, brought up to date by itself."""
    connection: Connection | None = st.session_state.get("connection")
    state = connection.state(_COLUMNS) if connection is not None else None
    if connection is None or state is None or not state.rates[0]:
        _waiting(time.monotonic() - st.session_state.get("connecting_since", time.monotonic()))
        return
    st.session_state["connecting_since"] = time.monotonic()
    if state.error:
        st.error(state.error, icon=":material/error:")
    connection.highlight = people_list(
        _rate(state) + (_cards(state) or notice("No face in sight", "Look into the camera."))
    )


def _rate(state: LiveState) -> str:
    arriving, read = state.rates
    recording = ""
    if state.recording_s is not None:
        recording = f'<span class="mien-recording">recording {state.recording_s:.0f} s</span>'
    details = f"{state.size[0]} by {state.size[1]} pixels; {arriving:.0f} frames arrive per second"
    return f'<div class="mien-rate" data-fps="{read:.1f}" title="{details}"><b>{read:.0f}</b> FPS{recording}</div>'


def _cards(state: LiveState) -> str:
    many = len(state.people) > _FULL_CARDS
    cards = []
    for person, columns in zip(state.people, state.histories, strict=True):
        name = f"Person #{person.track}"
        history = strip(columns, f"{name}, the last {SPAN_S:.0f} seconds")
        if not many:
            history += f'<div class="mien-scale"><span>{SPAN_S:.0f} s ago</span><span>now</span></div>'
        if person.away_s > 0:
            left = f"left {person.away_s:.0f} s ago"
            cards.append((row if many else card)(name, left, None, "", history, person.track))
        else:
            cards.append((face_row if many else face_card)(name, person.track, person.face, history=history))
    return ("".join(cards) if many else grid(cards)) if cards else ""


def _waiting(waited_s: float) -> None:
    if waited_s < _PATIENCE_S:
        st.html(notice("Connecting …", "The first picture takes a few seconds."))
        return
    st.error(
        "**Could not connect.** A network between browser and server is in the way. Press Stop, then Start. If that "
        "does not help, the operator of this server can name a TURN server (`mien app --ice-server turn:HOST:PORT`). "
        "**Snapshots**, above, work without.",
        icon=":material/wifi_off:",
    )


def _snapshots() -> None:
    picture, side = st.columns([3, 2], gap="medium")
    with picture:
        snapshot = st.camera_input("Take a picture", label_visibility="collapsed")
    with side:
        if snapshot is None:
            st.html(notice("One picture at a time", "For networks that let no stream through."))
            return
        with st.spinner("Analyzing …"):
            report = read_picture(analyzer(), snapshot.getvalue(), "snapshot.jpg")
        show_photo(report, "snapshot", narrow=True)
