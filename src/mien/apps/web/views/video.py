"""The page Video."""

from __future__ import annotations

import cv2
import streamlit as st

from mien.apps.web.cards import card, legend, notice, strip
from mien.apps.web.models import analyzer, model_key
from mien.apps.web.settings import MAX_UPLOAD_MB
from mien.apps.web.shell import title
from mien.apps.web.theme import hexadecimal
from mien.apps.web.videos import Progress, VideoReport, read_video
from mien.emotions import Emotion
from mien.errors import VideoError
from mien.video.summary import TrackSummary
from mien.video.timeline import MAX_PEOPLE

_PREVIEW_WIDTH = 640

_DOWN = ":material/download:"

# Less than this would be shown as 0.0 seconds.
_BRIEF_S = 0.05

_MIME = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet", ".json": "application/json"}


def page() -> None:
    """A video is uploaded, read, and shown with everybody's emotions over time."""
    title("Video", "Upload a clip; everybody in it is followed from the first frame to the last.")
    upload = st.file_uploader("Video", max_upload_size=MAX_UPLOAD_MB, label_visibility="collapsed")
    if upload is None:
        st.session_state.pop("viewing", None)
        return
    key = (upload.file_id, model_key())
    # What was read stays while the upload does, in this visitor's session alone.
    known = st.session_state.get("viewing")
    if known is None or known[0] != key:
        st.session_state.pop("viewing", None)
        if st.session_state.get("stopped") == key:
            st.info("The reading was stopped.", icon=":material/stop_circle:")
            st.button("Read it from the beginning", on_click=_stop, args=(None,))
            return
        viewing = _read(upload.getvalue(), key)
        if viewing is None:
            return
        st.session_state["viewing"] = known = (key, viewing)
    _show(known[1], upload.name.rsplit(".", 1)[0] or "video")


def _read(content: bytes, key: object) -> VideoReport | None:
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Opening the video …")
        st.button("Stop", icon=":material/stop_circle:", on_click=_stop, args=(key,))
        picture = st.empty()

    def report(progress: Progress) -> None:
        text = f"{_clock(progress.time_s)} read, {progress.speed:.1f} times as fast as it plays"
        bar.progress(min(1.0, progress.share or 0.0), text)
        width = min(_PREVIEW_WIDTH, progress.shown.shape[1])
        size = (width, round(progress.shown.shape[0] * width / progress.shown.shape[1]))
        small = cv2.resize(progress.shown, size, interpolation=cv2.INTER_AREA)
        picture.image(small, channels="BGR", output_format="JPEG")

    try:
        return read_video(analyzer(), content, report)
    except VideoError as error:
        st.error(f"The upload {error.reason}.", icon=":material/broken_image:")
        return None
    finally:
        place.empty()


def _stop(key: object) -> None:
    """Called when the button is pressed, which ends the run of the page that reads."""
    st.session_state["stopped"] = key


def _show(viewing: VideoReport, stem: str) -> None:
    for remark in viewing.remarks:
        st.warning(remark, icon=":material/warning:")
    people = sorted(viewing.summary.tracks.values(), key=lambda person: person.track)
    picture, side = st.columns([3, 2], gap="medium")
    with picture:
        st.video(viewing.video)
        st.download_button(
            "Annotated video", viewing.video, f"{stem}-mien.mp4", "video/mp4", on_click="ignore", icon=_DOWN
        )
    with side:
        st.html(_facts(viewing))
        with st.container(key="tables", horizontal=True):
            for suffix, content in viewing.tables.items():
                label = {".csv": "CSV", ".parquet": "Parquet", ".json": "JSON"}[suffix]
                st.download_button(label, content, f"{stem}-mien{suffix}", _MIME[suffix], on_click="ignore", icon=_DOWN)
            st.download_button(
                "Timeline", viewing.timeline, f"{stem}-mien.png", "image/png", on_click="ignore", icon=_DOWN
            )
    if not people:
        st.html(notice("No face found", "Nobody in this video could be seen well enough."))
        return
    st.subheader("Over time", anchor=False)
    st.html(legend())
    longest = sorted(people, key=lambda person: -person.total_s)[:MAX_PEOPLE]
    st.html("".join(_person(person, viewing) for person in people if person in longest))
    if len(people) > MAX_PEOPLE:
        st.caption(f"The {MAX_PEOPLE} people seen longest. The tables have all {len(people)}.")
    with st.expander("The timeline as a picture"):
        st.image(viewing.timeline, alt="Everybody's emotions over time", width="stretch")


def _facts(viewing: VideoReport) -> str:
    people = len(viewing.summary.tracks)
    facts = {
        "people" if people != 1 else "person": str(people),
        "length": _clock(viewing.length_s),
        "frames": f"{viewing.summary.frames}",
    }
    return (
        '<div class="mien-facts">'
        + "".join(f"<div><strong>{value}</strong><small>{name}</small></div>" for name, value in facts.items())
        + "</div>"
    )


def _person(person: TrackSummary, viewing: VideoReport) -> str:
    most = max(Emotion, key=lambda emotion: person.seconds[emotion])
    shown = sorted(
        (emotion for emotion in Emotion if person.seconds[emotion] >= _BRIEF_S), key=lambda e: -person.seconds[e]
    )
    seconds = "".join(
        f'<span><i style="background:{hexadecimal(emotion)}"></i>{emotion} {person.seconds[emotion]:.1f} s</span>'
        for emotion in shown
    )
    if person.uncertain_s >= _BRIEF_S:
        seconds += f"<span>uncertain for {person.uncertain_s:.1f} s of these</span>"
    name = f"Person {person.track}"
    history = strip(viewing.strips[person.track], f"{name} over the whole video")
    scale = f'<div class="mien-scale"><span>0:00</span><span>{_clock(viewing.length_s)}</span></div>'
    seen = f"{name} · {_clock(person.first_s)} to {_clock(person.last_s)}"
    portrait = viewing.portraits[person.track]
    return card(seen, f"mostly {most}", most, portrait, f'{history}{scale}<div class="mien-legend">{seconds}</div>')


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
