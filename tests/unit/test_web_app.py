"""The web app's parts without a browser."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.classification.model_config import find_model
from mien.emotions import Emotion
from mien.errors import ImageError, MissingExtraError, OptionError
from mien.options import AnalyzerOptions

pytest.importorskip("streamlit_webrtc", reason="not installed: pip install 'mien[app]'")

from streamlit.testing.v1 import AppTest

from mien.apps.web import cards, launch
from mien.apps.web.photos import as_csv, as_json, read_picture
from mien.apps.web.settings import Settings
from mien.apps.web.theme import logo
from mien.apps.web.views import model
from mien.results import Face, FrameResult

Frame = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's AppTest leaves a script of its own as the main module, which processes started later would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def face(**changes: object) -> Face:
    probabilities = dict.fromkeys(Emotion, 0.05) | {Emotion.HAPPY: 0.7}
    values = {
        "box": (10, 20, 30, 40),
        "score": 0.9,
        "emotion": Emotion.HAPPY,
        "confidence": 0.7,
        "probabilities": probabilities,
        "uncertain": False,
    }
    return Face(**(values | changes))  # type: ignore[arg-type]


# Settings and start


def test_no_ice_server_is_asked_unless_named() -> None:
    assert Settings().rtc_configuration == {"iceServers": []}


def test_only_turn_servers_get_the_password() -> None:
    urls = ("stun:a.example:3478", "turn:b.example:3478?transport=tcp")
    settings = Settings(ice_servers=urls, turn_user="anna", turn_password="secret")
    stun, turn = settings.rtc_configuration["iceServers"]
    assert stun == {"urls": urls[0]}
    assert turn == {"urls": urls[1], "username": "anna", "credential": "secret"}
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("url", ["", "turn", "http://a.example", "turn://a.example", "a.example:3478"])
def test_what_is_no_ice_server_is_refused(url: str) -> None:
    with pytest.raises(OptionError, match="expected stun:HOST:PORT or turn:HOST:PORT"):
        Settings(ice_servers=(url,))


def test_the_server_keeps_to_itself() -> None:
    flags = launch.flags(Settings(port=8600), headless=True)
    for flag in (
        "--server.address=127.0.0.1",
        "--server.port=8600",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--theme.dark.backgroundColor=#141519",
        "--theme.light.backgroundColor=#fbf9f5",
    ):
        assert flag in flags


def test_streamlit_knows_every_flag() -> None:
    from streamlit import config

    config.get_config_options()
    known = set(config._config_options_template)
    for flag in launch.flags(Settings(), headless=False):
        assert flag[2:].split("=")[0] in known


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"127.0.0.1:{port} cannot be used: .*choose another --port"):
            launch.run(Settings(port=port), True, pytest.fail)


def test_a_model_that_is_no_folder_is_refused_before_anyone_comes(tmp_path: Path) -> None:
    path = tmp_path / "phone.tflite"
    path.write_bytes(b"TFL3")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(OptionError, match="phone.tflite: is a file; a folder with model.onnx and config.json"):
        launch.run(Settings(port=port, options=AnalyzerOptions(model=str(path))), headless=True, announce=print)


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'mien[app]'")):
        launch.run(Settings(), True, pytest.fail)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--port", "0"], 2, "port must lie in 1..65535, found 0"),
        (["--ice-server", "nonsense"], 2, "nonsense: not an ICE server"),
        (["--model", "/nowhere"], 2, "no such model"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], code: int, message: str) -> None:
    command = [sys.executable, "-m", "mien", "app", "--headless", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# What is shown


def test_bars_show_all_seven() -> None:
    html = cards.bars(face().probabilities, Emotion.FEAR)
    shown = re.findall(r'data-emotion="(\w+)" data-value="([\d.]+)"', html)
    assert [(Emotion(name), float(value)) for name, value in shown] == list(face().probabilities.items())
    # The emotion that is named stands out, be it the largest or not.
    assert re.findall(r'mien-top" data-emotion="(\w+)"', html) == ["fear"]


def test_a_strip_is_empty_where_nobody_was_seen() -> None:
    assert cards._outline(np.array([50.0, np.nan, 100.0, 80.0])) == [
        (0, 0),
        *[(0, 0), (0, 50), (12.5, 50), (25, 50), (25, 0)],
        *[(50, 0), (50, 100), (62.5, 100), (87.5, 80), (100, 80), (100, 0)],
        (100, 0),
    ]


def test_names_and_hints_cannot_bring_html() -> None:
    card = cards.face_card("<b>Eve</b>", 1, face(uncertain=True, quality=("dark",)))
    assert "<b>Eve" not in card
    assert "&lt;b&gt;Eve" in card
    assert "not sure enough to rely on" in card
    assert "turn on a light" in card
    assert "<script" not in cards.notice("<script>", "<script>")


def test_a_photo_says_how_far_people_would_disagree() -> None:
    card = cards.face_card("Face", 1, face(ambiguity=0.34))
    assert "about 34% of people would name another emotion than most" in card
    assert "of people" not in cards.face_card("Face", 1, face())
    # What a video shows comes from several frames, an ambiguity from one.
    assert "of people" not in cards.face_card("#1", 1, face(ambiguity=0.34, smoothed=face().probabilities))


def test_the_logo_has_every_color() -> None:
    assert len(set(re.findall(r"stroke=\"(#\w+)\"", logo()))) == len(Emotion)


# Pictures


def test_a_picture_is_read_as_everywhere(analyzer: Analyzer, astronaut_path: Path) -> None:
    report = read_picture(analyzer, astronaut_path.read_bytes(), "eileen.png")
    expected = analyzer.analyze(astronaut_path)
    assert report.result.faces == expected.faces
    assert len(report.cards) == 1
    assert report.suffix == ".png"
    picture = cv2.imdecode(np.frombuffer(report.annotated, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == (expected.height, expected.width)
    assert json.loads(as_json([report.result])) == [expected.to_dict() | {"source": "eileen.png"}]


def test_a_table_has_a_row_for_pictures_without_faces_too() -> None:
    results = [FrameResult("a.jpg", 80, 60, (face(), face(box=(50, 20, 30, 40)))), FrameResult("b.jpg", 80, 60, ())]
    rows = list(csv.DictReader(io.StringIO(as_csv(results))))
    assert [(row["source"], row["face"], row["x"]) for row in rows] == [
        ("a.jpg", "1", "10"),
        ("a.jpg", "2", "50"),
        ("b.jpg", "", ""),
    ]
    assert not {"time_s", "track", "smoothed_happy"} & rows[0].keys()


def test_what_is_no_picture_is_called_by_its_name(analyzer: Analyzer) -> None:
    with pytest.raises(ImageError, match=r"^notes\.txt: is not a picture"):
        read_picture(analyzer, b"hello", "notes.txt")


# Pages


def test_streamlit_finds_no_pages_of_its_own() -> None:
    # It would run each file of such a folder alone, for the first visitor who opens /photo, and show an empty page.
    assert not (Path(launch.__file__).parent / "pages").exists()


def test_a_page_that_fails_shows_a_line_and_no_traceback() -> None:
    def script() -> None:
        from mien.apps.web.page import guarded
        from mien.errors import ModelError

        def crash() -> None:
            raise RuntimeError("secret detail")

        def miss() -> None:
            raise ModelError("/gone: no such model")

        guarded(crash)()
        guarded(miss)()

    app = AppTest.from_function(script).run(timeout=60)
    assert not app.exception
    first, second = (error.value for error in app.error)
    assert "Something went wrong here" in first
    assert "secret detail" not in first
    assert second == "/gone: no such model. Choose another one on the Model page."


def test_a_model_that_is_gone_is_told_on_every_page() -> None:
    def script() -> None:
        import streamlit as st

        from mien.apps.web.page import guarded
        from mien.apps.web.views import model, photo

        st.session_state["model"] = "/gone"
        st.session_state["sample"] = True
        guarded(photo.page)()
        guarded(model.page)()

    app = AppTest.from_function(script).run(timeout=60)
    assert not app.exception
    assert len(app.error) == 2
    assert all("/gone: no such model" in error.value for error in app.error)


@pytest.mark.parametrize(
    ("host", "headers", "local"),
    [
        ("127.0.0.1", {"Host": "localhost:8501"}, True),
        ("127.0.0.1", {"Host": "mien.example.org", "X-Forwarded-For": "203.0.113.9"}, False),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, False),
        ("0.0.0.0", {"Host": "localhost:8501"}, False),
    ],
)
def test_only_visitors_at_the_machine_may_name_its_folders(
    monkeypatch: pytest.MonkeyPatch, host: str, headers: dict[str, str], local: bool
) -> None:
    monkeypatch.setattr("streamlit.context", SimpleNamespace(headers=headers))
    monkeypatch.setattr(model, "current", lambda: Settings(host=host))
    assert model._visitor_is_local() is local


def test_the_model_page_opens_a_model_and_refuses_what_is_none(tmp_path: Path) -> None:
    def script() -> None:
        from mien.apps.web.views import model

        model.page()

    app = AppTest.from_function(script).run(timeout=60)
    app.selectbox[0].select("A folder of my own …").run(timeout=60)
    app.text_input[0].input(str(tmp_path)).run(timeout=60)
    app.button[0].click().run(timeout=60)
    assert "not a model folder, model.onnx is missing" in app.error[0].value
    assert "model" not in app.session_state


def test_a_model_whose_files_are_replaced_is_opened_again(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(find_model("mien-2"), folder)

    def script(folder: str) -> None:
        import streamlit as st

        from mien.apps.web.models import choose_model, model_key, open_model

        choose_model(folder)
        st.session_state["seen"] = open_model(folder).uncertain_below, model_key()

    app = AppTest.from_function(script, args=(str(folder),)).run(timeout=60)
    before, key = app.session_state["seen"]
    assert app.run(timeout=60).session_state["seen"] == (before, key)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"uncertain_below": 0.99}))
    later = config.stat().st_mtime + 10
    os.utime(config, (later, later))
    after, new_key = app.run(timeout=60).session_state["seen"]
    assert before != 0.99
    assert after == 0.99
    assert new_key != key
    # The network alone, too.
    network = folder / "model.onnx"
    os.utime(network, (later + 10, later + 10))
    assert app.run(timeout=60).session_state["seen"][1] not in (key, new_key)
