"""The page Live."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st
from streamlit_webrtc import Translations, WebRtcMode, WebRtcStreamerContext, webrtc_streamer

from mien.apps.web.camera import MESSAGES, camera_state
from mien.apps.web.cards import card, face_card, grid, notice, strip
from mien.apps.web.connection import Connection, LiveState
from mien.apps.web.models import analyzer
from mien.apps.web.photos import read_picture, show_reading
from mien.apps.web.settings import current
from mien.apps.web.shell import guarded, title
from mien.live.history import SPAN_S

_STREAM, _SNAPSHOT = "Live stream", "Snapshots"

# Seconds between two looks at the connection, and after which one that does not come about is given up on.
_STEP_S, _PATIENCE_S = 0.5, 15.0

# Into how many columns the last half minute is divided.
_COLUMNS = 100

_VIDEO_STYLE = {"width": "100%", "borderRadius": "14px"}

_TRANSLATIONS: Translations = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose camera",
    "device_ask_permission": "Please allow this page to use the camera.",
    "device_access_denied": "The camera was refused. Allow it in the browser's address bar and reload the page",
    "device_not_available": "No camera was found, or another program uses it",
    "media_api_not_available": "The browser gives its camera to secure pages only: localhost or HTTPS.",
}


def page() -> None:
    """The visitor's camera, read as it goes."""
    title("Live", "Your camera, read frame by frame on the machine that serves this page.")
    mode = st.segmented_control(
        "Mode", [_STREAM, _SNAPSHOT], default=_STREAM, required=True, key="mode", label_visibility="collapsed"
    )
    if mode == _SNAPSHOT:
        _snapshots()
    else:
        _live()


def _live() -> None:
    reads = analyzer()
    picture, side = st.columns([3, 2], gap="medium")
    with picture:
        camera = camera_state()
        context: WebRtcStreamerContext[Connection, Any] = webrtc_streamer(
            key="camera-stream",
            mode=WebRtcMode.SENDRECV,
            rtc_configuration=current().rtc_configuration,
            media_stream_constraints={
                "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}},
                "audio": False,
            },
            video_processor_factory=lambda: Connection(reads),
            video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": _VIDEO_STYLE},
            translations=_TRANSLATIONS,
        )
        if context.video_processor is not None:
            st.session_state["connection"] = context.video_processor
        if not (context.state.playing or context.state.signalling):
            _tell_about_camera(camera)
            st.session_state.pop("connecting_since", None)
        else:
            st.session_state.setdefault("connecting_since", time.monotonic())
        connection: Connection | None = st.session_state.get("connection") if context.state.playing else None
        _controls(connection)
    with side:
        if context.state.playing or context.state.signalling:
            _people()
        else:
            st.html(
                notice(
                    "Press Start",
                    "Everybody in the picture gets a card here: what their face shows now, and over the last half "
                    "minute.",
                )
            )


def _tell_about_camera(state: str) -> None:
    if state in MESSAGES:
        heading, text = MESSAGES[state]
        st.error(f"**{heading}.** {text}", icon=":material/videocam_off:")


@st.fragment
@guarded
def _controls(connection: Connection | None) -> None:
    """Screenshot and recording; runs by itself when a button is pressed."""
    last: Connection | None = st.session_state.get("connection")
    with st.container(key="controls", horizontal=True):
        st.download_button(
            "Screenshot",
            connection.screenshot if connection is not None else b"",
            "mien-screenshot.png",
            "image/png",
            on_click="ignore",
            icon=":material/photo_camera:",
            disabled=connection is None,
        )
        # Callbacks run before the buttons are drawn anew, so that they show what is going on then.
        if connection is not None and connection.recording:
            end = connection.stop_recording
            st.button("End recording", icon=":material/stop_circle:", type="primary", on_click=end)
        else:
            begin = None if connection is None else connection.start_recording
            st.button("Record", icon=":material/fiber_manual_record:", disabled=connection is None, on_click=begin)
    if connection is not None and connection.recording:
        st.session_state.pop("recording", None)
    elif last is not None and (taken := last.take_recording()) is not None:
        st.session_state["recording"] = taken
    if (kept := st.session_state.get("recording")) is not None:
        st.video(kept)
        st.download_button(
            "Recording", kept, "mien-recording.mp4", "video/mp4", on_click="ignore", icon=":material/download:"
        )


@st.fragment(run_every=_STEP_S)
@guarded
def _people() -> None:
    """A card for everybody, brought up to date by itself."""
    connection: Connection | None = st.session_state.get("connection")
    moment = connection.moment(_COLUMNS) if connection is not None else None
    if moment is None or not moment.rates[0]:
        waited_s = time.monotonic() - st.session_state.get("connecting_since", time.monotonic())
        _waiting(waited_s)
        return
    st.session_state["connecting_since"] = time.monotonic()
    if moment.error:
        st.error(moment.error, icon=":material/error:")
    arriving, read = moment.rates
    recording = ""
    if moment.recording_s is not None:
        recording = f'<span class="mien-recording">recording {moment.recording_s:.0f} s</span>'
    st.html(
        f'<div class="mien-rate" data-fps="{read:.1f}"><b>{read:.0f}</b> of {arriving:.0f} FPS'
        f"<span>{moment.size[0]}×{moment.size[1]}</span>{recording}</div>"  # noqa: RUF001
        + (grid(_cards(moment)) if moment.people else notice("Nobody in sight", "Look into the camera."))
    )


def _cards(moment: LiveState) -> list[str]:
    cards = []
    for person, columns in zip(moment.people, moment.histories, strict=True):
        name = f"Person {person.track}"
        history = strip(columns, f"{name}, the last {SPAN_S:.0f} seconds")
        history += f'<div class="mien-scale"><span>{SPAN_S:.0f} s ago</span><span>now</span></div>'
        if person.away_s > 0:
            cards.append(card(name, f"left {person.away_s:.0f} s ago", None, "", history))
        else:
            cards.append(face_card(name, person.face, history=history))
    return cards


def _waiting(waited_s: float) -> None:
    if waited_s < _PATIENCE_S:
        st.html(notice("Connecting …", "The first picture takes a few seconds."))
        return
    st.error(
        "**Could not connect.** A network between browser and server is in the way. Press Stop and "
        "Start once more. If that does not help, whoever runs this server can name a TURN server "
        "(`mien app --ice-server turn:HOST:PORT`). **Snapshots**, above, work without.",
        icon=":material/wifi_off:",
    )


def _snapshots() -> None:
    _tell_about_camera(camera_state())
    picture, side = st.columns([3, 2], gap="medium")
    with picture:
        shot = st.camera_input("Take a picture", label_visibility="collapsed")
    with side:
        if shot is None:
            st.html(notice("One picture at a time", "For networks that let no stream through."))
            return
        with st.spinner("Reading …"):
            reading = read_picture(analyzer(), shot.getvalue(), "snapshot.jpg")
        show_reading(reading, "snapshot", narrow=True)
