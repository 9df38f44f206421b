"""The pages Photo and Video in a real browser."""

from __future__ import annotations

import base64
import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.classification.model_config import find_model
from mien.drawing import describe
from mien.results import FrameResult
from mien.video import VideoWriter

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
Wait = Callable[[Callable[[], bool]], None]

FRAMES = 24


def _upload(page: Page, *files: Path | dict[str, Any]) -> None:
    page.locator("input[type=file]").set_input_files(list(files))  # type: ignore[arg-type]


def _download(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(download.value.path()).read_bytes()


def _picture(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _text_file(name: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/plain", "buffer": b"no picture, no video"}


@pytest.fixture(scope="module")
def clip(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a face that moves to the right."""
    path = tmp_path_factory.mktemp("clip") / "smile.mp4"
    with VideoWriter(path) as video:
        for number in range(FRAMES):
            video.write(np.ascontiguousarray(astronaut[:240, 80 - number : 320 - number]), number / FRAMES)
    return path


def test_photos_are_read_and_can_be_taken_home(
    visit: Visit, astronaut_path: Path, analyzer: Analyzer, tmp_path: Path
) -> None:
    page = visit("/photo")
    (tmp_path / "notes.jpg").write_text("no picture")
    _upload(page, astronaut_path, tmp_path / "notes.jpg")
    page.get_by_text("notes.jpg is not a picture in a known format").wait_for()
    page.locator(".mien-card").wait_for()
    expected = analyzer.analyze(astronaut_path)
    assert page.locator(".mien-card strong").inner_text() == describe(expected.faces[0])
    assert page.locator(".mien-bar").count() == 7

    (read,) = (FrameResult.from_dict(values) for values in json.loads(_download(page, "JSON")))
    assert read.faces == expected.faces
    assert read.source == "astronaut.png"
    (row,) = csv.DictReader(io.StringIO(_download(page, "CSV").decode()))
    assert (row["source"], row["face"], row["emotion"]) == ("astronaut.png", "1", "happy")
    assert float(row["happy"]) == expected.faces[0].probabilities[expected.faces[0].emotion]
    picture = cv2.imdecode(np.frombuffer(_download(page, "Annotated picture"), np.uint8), cv2.IMREAD_COLOR)
    original = cv2.imread(str(astronaut_path))
    assert picture.shape == original.shape
    assert 0.001 < (picture != original).any(axis=2).mean() < 0.2


def test_the_sample_and_a_picture_without_faces(visit: Visit) -> None:
    page = visit("/photo")
    page.get_by_role("button", name="Try it with a sample").click()
    page.locator(".mien-card").get_by_text("happy").first.wait_for()
    blank = cv2.imencode(".png", np.full((200, 300, 3), 128, np.uint8))[1].tobytes()
    _upload(page, {"name": "wall.png", "mimeType": "image/png", "buffer": blank})
    page.get_by_text("No face found").wait_for()
    assert page.locator(".mien-card").count() == 0


def _large(path: Path) -> Path:
    """Make a file of 41 MB."""
    with path.open("wb") as file:
        file.truncate(41 * 1024 * 1024)
    return path


def test_a_photo_that_is_too_large_is_refused(visit: Visit, tmp_path: Path) -> None:
    page = visit("/photo")
    _upload(page, _large(tmp_path / "huge.png"))
    page.get_by_text("has 41 MB; pictures of up to 40 MB are taken").wait_for()
    assert page.locator(".mien-card").count() == 0


def test_names_of_files_are_shown_as_they_are(visit: Visit, astronaut_path: Path) -> None:
    """In Markdown, a picture in a name would be asked for elsewhere; `visit` notes who is asked."""
    name = "![a](https:&#47;&#47;elsewhere.example&#47;a.png) **b** $c$ <i>d<i>.png"
    page = visit("/photo")
    picture = {"name": name, "mimeType": "image/png", "buffer": astronaut_path.read_bytes()}
    _upload(page, picture, {**picture, "name": "other.png"}, _text_file(f"no {name}"), _text_file(f"{name}.mp4"))
    page.locator("h2", has_text=name).wait_for()
    page.get_by_text(f"no {name} is not a picture").wait_for()
    page.get_by_text(f"{name}.mp4 is a video").wait_for()


def test_a_program_that_has_ended_is_told_in_our_words(visit: Visit) -> None:
    page = visit(
        "/model",
        script="""const sockets = [], Real = WebSocket;
            window.disconnect = () => sockets.forEach((socket) => socket.close());
            window.WebSocket = class extends Real {
                constructor(...wanted) { super(...wanted); sockets.push(this); }
            };""",
    )
    page.context.set_offline(True)
    page.evaluate("window.disconnect()")
    dialog = page.get_by_role("dialog", name="Connection error")
    dialog.wait_for()
    assert "Streamlit" not in dialog.inner_text()
    said = "(all) => all.map((element) => getComputedStyle(element, '::after').content).join()"
    assert "start it again with “mien app”" in dialog.locator("div").evaluate_all(said)


def test_switches_and_links_can_be_seen_whole(visit: Visit) -> None:
    page = visit("/photo")
    page.emulate_media(color_scheme="dark")
    page.get_by_text("Blur faces").click()
    knob = page.locator("[data-testid=stCheckbox] label[data-selected=true] > div:first-of-type > div")
    knob.wait_for()
    color = "element => getComputedStyle(element).backgroundColor"
    assert knob.evaluate(color) != knob.locator("..").evaluate(color)
    assert page.locator(".st-key-nav").evaluate("element => getComputedStyle(element).overflow") == "visible"
    assert not page.get_by_text("200MB per file").is_visible(), "the label says 40 MB"


def test_a_video_larger_than_a_photo_may_be_is_handed_on(visit: Visit, tmp_path: Path) -> None:
    page = visit("/photo")
    _upload(page, _large(tmp_path / "long.mp4"))
    page.get_by_text("long.mp4 is a video.").wait_for()
    page.get_by_role("button", name="Open it on the Video page").wait_for()


def test_a_video_is_read_played_and_taken_home(visit: Visit, wait_until: Wait, clip: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    page = visit("/video")
    _upload(page, clip)
    page.locator(".mien-card").wait_for()
    assert "mostly happy" in page.locator(".mien-card").inner_text()
    video = page.locator("video")
    video.evaluate("v => { v.muted = true; return v.play(); }")
    wait_until(lambda: video.evaluate("v => v.currentTime > 0.3 && v.videoWidth === 240"))

    (tmp_path / "seen.mp4").write_bytes(_download(page, "Annotated video"))
    with av.open(str(tmp_path / "seen.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
    rows = list(csv.DictReader(io.StringIO(_download(page, "CSV").decode())))
    assert len(rows) == FRAMES
    assert {row["track"] for row in rows} == {"1"}
    assert len(json.loads(_download(page, "JSON"))) == FRAMES
    assert pq.read_table(io.BytesIO(_download(page, "Parquet"))).num_rows == FRAMES
    assert cv2.imdecode(np.frombuffer(_download(page, "Timeline"), np.uint8), cv2.IMREAD_COLOR) is not None


def test_what_is_no_video_and_what_breaks_off_is_told(visit: Visit, clip: Path, tmp_path: Path) -> None:
    page = visit("/video")
    _upload(page, _text_file("notes.mp4"))
    page.get_by_text("is a text file").wait_for()
    # Matroska can be read without its end.
    whole = tmp_path / "whole.mkv"
    with VideoWriter(whole) as video:
        for number in range(100):
            video.write(np.full((120, 160, 3), number, np.uint8), number / 10)
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    _upload(page, torn)
    page.get_by_text("What could be read was read").wait_for()
    page.get_by_text("No face found").wait_for()


def test_reading_a_video_can_be_stopped(visit: Visit, clip: Path, tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    # Four faces, so that it takes longer than the page takes to show the button.
    long, faces = tmp_path / "long.mp4", np.tile(astronaut[:120, 100:260], (2, 2, 1))
    with VideoWriter(long) as video:
        for number in range(3000):
            video.write(faces, number / 10)
    page = visit("/video")
    _upload(page, long)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("the rest of the video was not analyzed").wait_for()
    page.get_by_role("button", name="Analyze from the beginning").wait_for()
    # What was analyzed before is kept.
    assert 0 < len(list(csv.DictReader(io.StringIO(_download(page, "CSV").decode())))) < 3000


def test_readings_survive_a_look_at_another_page(visit: Visit, clip: Path, astronaut_path: Path) -> None:
    page = visit("/photo")
    _upload(page, astronaut_path)
    page.locator(".mien-card").wait_for()
    page.get_by_role("link", name="Video", exact=True).click()
    page.get_by_role("heading", name="Video").wait_for()
    _upload(page, clip)
    page.locator(".mien-card", has_text="mostly happy").wait_for()
    page.get_by_role("link", name="Photo", exact=True).click()
    page.locator(".mien-photo .mien-card").wait_for()
    page.get_by_role("link", name="Video", exact=True).click()
    page.locator(".mien-card", has_text="mostly happy").wait_for()
    page.get_by_text("smile.mp4").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.locator(".mien-card").wait_for(state="detached")


def test_files_for_another_page_are_handed_over(visit: Visit, clip: Path, astronaut_path: Path) -> None:
    page = visit("/photo")
    _upload(page, clip)
    page.get_by_role("button", name="Open it on the Video page").click()
    page.locator(".mien-card", has_text="mostly happy").wait_for()
    page = visit("/video")
    _upload(page, astronaut_path)
    page.get_by_role("button", name="Open it on the Photo page").click()
    page.locator(".mien-photo .mien-card").wait_for()


def _transfer(page: Page, path: Path) -> Any:
    """A file as the clipboard or a drag holds it."""
    content = base64.b64encode(path.read_bytes()).decode()
    return page.evaluate_handle(
        """([name, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [path.name, content],
    )


def _drop(page: Page, path: Path) -> None:
    """Drop a file on the uploader, as from a folder's window."""
    dragged = _transfer(page, path)
    zone = page.get_by_test_id("stFileUploaderDropzone")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": dragged})


def _paste(page: Page, path: Path) -> None:
    """Paste a file, wherever on the page."""
    paste = "(held) => document.body.dispatchEvent("
    paste += "new ClipboardEvent('paste', { clipboardData: held, bubbles: true, cancelable: true }))"
    page.evaluate(paste, _transfer(page, path))


@pytest.mark.parametrize("hand", [_drop, _paste])
def test_files_are_dropped_and_pasted(
    visit: Visit, clip: Path, astronaut_path: Path, hand: Callable[[Page, Path], None]
) -> None:
    page = visit("/photo")
    page.get_by_text("Drop them here, paste them").wait_for()
    hand(page, astronaut_path)
    page.locator(".mien-photo .mien-card").wait_for()
    page.get_by_role("link", name="Video", exact=True).click()
    page.get_by_text("Drop it here, paste it").wait_for()
    hand(page, clip)
    page.locator(".mien-card", has_text="mostly happy").wait_for()


def test_many_people_are_rows_that_open_and_mark_their_box(
    visit: Visit, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "three.png"), np.hstack([astronaut[:280, 100:350]] * 3))
    page = visit("/photo")
    _upload(page, tmp_path / "three.png")
    rows = page.locator(".mien-photo .mien-row")
    rows.nth(2).wait_for()
    assert rows.count() == 3
    assert not rows.nth(1).locator(".mien-bars").is_visible()

    def marked() -> list[str]:
        boxes = page.locator(".mien-photo figure b")
        opacities: list[str] = boxes.evaluate_all("boxes => boxes.map((box) => getComputedStyle(box).opacity)")
        return opacities

    assert marked() == ["0", "0", "0"]
    rows.nth(1).locator("summary").click()
    assert rows.nth(1).locator(".mien-bars").is_visible()
    assert marked() == ["0", "1", "0"]


def test_a_video_read_with_other_settings_is_offered_again_and_blurred(
    visit: Visit, clip: Path, wait_until: Wait, tmp_path: Path
) -> None:
    def detail(name: str) -> float:
        (tmp_path / name).write_bytes(_download(page, "Annotated video"))
        with av.open(str(tmp_path / name)) as container:
            middle = next(container.decode(video=0)).to_ndarray(format="gray")[90:150, 90:150]
        return float(cv2.Laplacian(middle, cv2.CV_64F).var())

    page = visit("/video")
    _upload(page, clip)
    page.locator(".mien-card").wait_for()
    sharp = detail("sharp.mp4")
    page.get_by_text("Blur faces").click()
    page.get_by_text("This was made with other settings.").wait_for()
    page.get_by_role("button", name="Analyze again").click()
    page.get_by_text("This was made with other settings.").wait_for(state="detached")
    page.locator(".mien-card").wait_for()
    assert detail("blurred.mp4") < 0.7 * sharp


def test_a_face_is_explained_and_faces_are_blurred(visit: Visit, astronaut_path: Path) -> None:
    page = visit("/photo")
    _upload(page, astronaut_path)
    page.locator(".mien-card").wait_for()
    plain = _picture(_download(page, "Annotated picture"))
    page.get_by_role("radio", name="Why?").click()
    page.get_by_role("button", name="Explanation").wait_for()
    assert _picture(_download(page, "Explanation")).ndim == 3
    page.get_by_text("Blur faces").click()
    page.get_by_role("radio", name="Why?").wait_for(state="detached")
    blurred = _picture(_download(page, "Annotated picture"))
    assert blurred.shape == plain.shape
    assert 0.005 < (blurred != plain).any(axis=2).mean() < 0.3


def test_visitors_do_not_mix(visit: Visit, astronaut_path: Path, tmp_path: Path) -> None:
    mine, other = visit("/model"), visit("/photo")
    folder = tmp_path / "mine"
    shutil.copytree(find_model("mien-2"), folder)
    config = json.loads((folder / "config.json").read_text())
    # Everything this model says is uncertain.
    (folder / "config.json").write_text(json.dumps(config | {"uncertain_below": 1.0}))
    mine.get_by_role("combobox").click()
    mine.get_by_text("A folder of my own").click()
    mine.get_by_role("textbox", name="Folder").fill(str(folder))
    mine.keyboard.press("Enter")
    mine.get_by_role("button", name="Use this model").click()
    mine.get_by_text("from now on").wait_for()
    mine.get_by_role("link", name="Photo").click()
    for page in (mine, other):
        page.get_by_role("button", name="Try it with a sample").wait_for()
    _upload(mine, astronaut_path)
    mine.locator(".mien-card strong", has_text="happy?").wait_for()
    assert mine.get_by_text("not sure enough").is_visible()
    assert other.locator(".mien-card").count() == 0
    _upload(other, astronaut_path)
    other.locator(".mien-card strong", has_text="happy").wait_for()
    assert other.get_by_text("not sure enough").count() == 0


@pytest.mark.parametrize("path", ["/", "/photo", "/video", "/model"])
def test_pages_fit_a_phone_and_say_what_they_are_not(visit: Visit, path: str, astronaut_path: Path, clip: Path) -> None:
    page = visit(path, width=360)
    footer = page.locator(".mien-footer").inner_text()
    for words in ("not about a mind", "in schools", "AI Act", "Nothing is stored"):
        assert words in footer
    if path in ("/photo", "/video"):
        _upload(page, astronaut_path if path == "/photo" else clip)
        page.locator(".mien-card").wait_for()
    elif path == "/model":
        page.get_by_text("The model card").click()
        page.get_by_text("What it must not be used for").wait_for()
    else:
        page.get_by_role("button", name="Start", exact=True).wait_for()
    widths = page.evaluate(
        "[...document.querySelectorAll('html, [data-testid=stMain], [data-testid=stMainBlockContainer]')]"
        ".map((part) => part.scrollWidth)"
    )
    assert max(widths) <= 360
    assert page.locator(".mien-brand").is_visible()
    for name in ("Live", "Photo", "Video", "Model"):
        box = page.get_by_role("link", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
