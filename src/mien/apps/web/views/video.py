"""The page Video."""

from __future__ import annotations

import cv2
import streamlit as st

from mien.apps.web.cards import facts, legend, notice, session_card
from mien.apps.web.models import analyzer, model_key
from mien.apps.web.page import entered, guarded, literal, title
from mien.apps.web.settings import MAX_UPLOAD_MB
from mien.apps.web.uploads import complaint, hand_over, handed_over, is_picture, take_pasted
from mien.apps.web.videos import VideoJob, VideoReport, read_video
from mien.clock import clock
from mien.errors import MienError
from mien.video.timeline import MAX_PEOPLE

_PREVIEW_WIDTH = 640

# Seconds between two looks at a video that is being analyzed.
_STEP_S = 0.5

_DOWN = ":material/download:"

_MIME = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet", ".json": "application/json"}


def page() -> None:
    """A video is uploaded, analyzed, and shown with everyone's emotions over time.

    Video, job and report stay in the visitor's session until another video comes, whatever page is looked at.
    """
    title("Video", "Upload a clip; each person in it is followed from the first frame to the last.")
    blur = st.toggle("Blur faces", key="video_blur", help="Here, and in everything you save", persist_state="session")
    _take_upload()
    video: tuple[str, bytes] | None = st.session_state.get("video")
    if video is None:
        return
    key = f"{model_key()} {blur}"
    job: VideoJob | None = st.session_state.get("video_job")
    if job is None:
        job = _begin(video, key, blur)
    if not job.done:
        _progress()
        return
    if job.error is not None:
        _fail(job, video)
        return
    if st.session_state["video_key"] != key:
        with st.container(key="read_again", horizontal=True, vertical_alignment="center"):
            st.info("This was made with other settings.", icon=":material/tune:")
            st.button("Analyze again", on_click=_forget_job)
    if job.report is not None:
        _show(job.report, job.name.rsplit(".", 1)[0] or "video")


def _take_upload() -> None:
    if entered("Video"):
        # The uploader is a new one and knows nothing of the video from before.
        st.session_state.pop("video_upload", None)
    upload = st.file_uploader(
        f"Video: MP4, MOV, MKV, WebM, AVI and others, up to {MAX_UPLOAD_MB} MB. Drop it here, paste it, or browse.",
        max_upload_size=MAX_UPLOAD_MB,
    )
    take_pasted()
    before = st.session_state.get("video_upload")
    if upload is not None and upload.file_id != before:
        _take(upload.name, upload.getvalue())
    elif upload is None and before is not None:
        _clear()
    st.session_state["video_upload"] = upload.file_id if upload is not None else None
    if (handed := handed_over("Video")) is not None:
        _take(*handed)
    if upload is None and "video" in st.session_state:
        with st.container(key="kept", horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{literal(st.session_state['video'][0])}**", width="content")
            st.button("Clear", icon=":material/close:", on_click=_clear)


def _take(name: str, content: bytes) -> None:
    _forget_job()
    st.session_state["video"] = name, content


def _clear() -> None:
    _forget_job()
    st.session_state.pop("video", None)


def _forget_job() -> None:
    job: VideoJob | None = st.session_state.pop("video_job", None)
    if job is not None:
        job.stop()


def _begin(video: tuple[str, bytes], key: str, blur: bool) -> VideoJob:
    name, content = video
    reader = analyzer()
    job = VideoJob(name, lambda report, cancelled: read_video(reader, content, report, blur=blur, cancelled=cancelled))
    st.session_state["video_job"], st.session_state["video_key"] = job, key
    return job


@st.fragment(run_every=_STEP_S)
@guarded
def _progress() -> None:
    job: VideoJob | None = st.session_state.get("video_job")
    if job is None or job.done:
        st.rerun()
        return
    progress = job.progress
    text = "Opening the video …"
    if progress is not None:
        text = f"{clock(progress.time_s)} analyzed, {progress.speed:.1f} times as fast as it plays"
    st.progress(min(1.0, (progress.share if progress else None) or 0.0), text)
    st.button("Stop", icon=":material/stop_circle:", on_click=job.stop, help="What was analyzed so far is kept")
    if progress is not None:
        width = min(_PREVIEW_WIDTH, progress.shown.shape[1])
        size = (width, round(progress.shown.shape[0] * width / progress.shown.shape[1]))
        small = cv2.resize(progress.shown, size, interpolation=cv2.INTER_AREA)
        st.image(small, channels="BGR", output_format="JPEG", alt="The frame that was analyzed last")
    st.caption("You can look at other pages meanwhile.")


def _fail(job: VideoJob, video: tuple[str, bytes]) -> None:
    name, content = video
    if is_picture(name, content):
        hand_over("Photo", name, content)
    elif isinstance(job.error, MienError):
        st.error(complaint(name, job.error), icon=":material/broken_image:")
    else:
        st.error("Something went wrong here. Try again, or try another video.", icon=":material/error:")


def _show(report: VideoReport, stem: str) -> None:
    for remark in report.remarks:
        st.warning(remark, icon=":material/warning:")
    people = sorted(report.summary.tracks.values(), key=lambda person: person.track)
    picture, side = st.columns([3, 2], gap="medium")
    with picture:
        st.video(report.video)
    with side:
        st.html(
            facts(
                {
                    "person" if len(people) == 1 else "people": str(len(people)),
                    "length": clock(report.length_s),
                    "frames": str(report.summary.frames),
                }
            )
        )
        # Beside the player, not below: it takes its height only when it has come, and a click would go astray.
        with st.container(key="tables", horizontal=True):
            video = report.video
            st.download_button("Annotated video", video, f"{stem}-mien.mp4", "video/mp4", on_click="ignore", icon=_DOWN)
            for suffix, content in report.tables.items():
                label = {".csv": "CSV", ".parquet": "Parquet", ".json": "JSON"}[suffix]
                st.download_button(label, content, f"{stem}-mien{suffix}", _MIME[suffix], on_click="ignore", icon=_DOWN)
            st.download_button(
                "Timeline", report.timeline, f"{stem}-mien.png", "image/png", on_click="ignore", icon=_DOWN
            )
        if any(remark.startswith("Stopped") for remark in report.remarks):
            st.button("Analyze from the beginning", on_click=_forget_job)
    if not people:
        st.html(notice("No face found", "No face in this video could be seen well enough."))
        return
    st.header("Over time", anchor=False)
    st.html(legend())
    longest = sorted(people, key=lambda person: -person.total_s)[:MAX_PEOPLE]
    span = "0:00", clock(report.length_s)
    st.html(
        "".join(
            session_card(person, report.strips[person.track], report.portraits[person.track], span)
            for person in people
            if person in longest
        )
    )
    if len(people) > MAX_PEOPLE:
        st.caption(f"The {MAX_PEOPLE} people seen longest. The tables have all {len(people)}.")
    with st.expander("The timeline as a picture"):
        st.image(report.timeline, alt="Emotions of each person over time", width="stretch")
