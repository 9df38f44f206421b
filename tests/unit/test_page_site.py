"""The files of the page that runs in the browser, and how they are served."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien import preprocessing
from mien.browser.serve import open_server
from mien.browser.settings import page_settings
from mien.browser.site import POLICY, STATIC, page_files, write_page
from mien.classification.model_config import find_model, load_config
from mien.errors import MienError, OptionError
from mien.options import AnalyzerOptions
from mien.tables import FRAMES

VENDOR = STATIC / "vendor"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return page_files()


@pytest.fixture(scope="module")
def place(files: dict[str, bytes]) -> str:
    (folder,) = {name.split("/")[0] for name in files if "/" in name}
    return folder


@pytest.fixture(scope="module")
def address(files: dict[str, bytes]) -> Iterator[str]:
    with open_server(files, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_everything_is_small_enough_for_a_visitor(files: dict[str, bytes]) -> None:
    assert sum(len(gzip.compress(content, 6)) for content in files.values()) <= 8_000_000


def test_every_file_that_is_named_is_there(files: dict[str, bytes], place: str) -> None:
    text = files["index.html"].decode() + files["manifest.webmanifest"].decode()
    assert "@" not in re.sub(r"@media.*", "", text)
    for name in re.findall(rf"{place}/[\w./-]+", text):
        assert name in files
    for name, content in files.items():
        if name.endswith(".js") and "/app/" in name:
            for target in re.findall(r'from "(\.[^"]+)"', content.decode()):
                assert _resolve(Path(name).parent, target) in files, f"{name} imports {target}"


def _resolve(folder: Path, target: str) -> str:
    parts = list(folder.parts)
    for step in target.split("/"):
        if step == "..":
            parts.pop()
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


def test_the_service_worker_keeps_every_file(files: dict[str, bytes], place: str) -> None:
    listed = json.loads(re.search(r"FILES = (\[.*\])", files["sw.js"].decode()).group(1))
    assert set(listed) == (set(files) - {"sw.js"}) | {"./"}


def test_the_page_may_contact_no_other_server(files: dict[str, bytes]) -> None:
    assert f'content="{POLICY}"' in files["index.html"].decode()
    assert POLICY.startswith("default-src 'none'")
    assert "http" not in POLICY and "*" not in POLICY and "unsafe-inline" not in POLICY
    assert not re.search(r'(src|href)="https?:', files["index.html"].decode())


def test_settings_are_those_of_python() -> None:
    config = load_config(find_model("mien-2"))
    settings = page_settings(config, AnalyzerOptions(min_confidence=0.4, smoothing_s=0.9), 5)
    assert settings["crop"] == {"scale": preprocessing.CROP_SCALE, "shift": preprocessing.CROP_SHIFT}
    assert settings["model"]["uncertain_below"] == 0.4
    assert settings["smoothing"]["time_constant_s"] == 0.9
    assert settings["columns"]["video"] == [column for column in FRAMES.columns if column != "shot"]
    assert page_settings(config, AnalyzerOptions(), 5)["model"]["uncertain_below"] == config.uncertain_below


def test_another_model_gets_another_folder(place: str) -> None:
    tiny = page_files(AnalyzerOptions(model="mien-2-tiny"))
    assert not any(name.startswith(place) for name in tiny)


def test_only_yunet_runs_in_the_page() -> None:
    with pytest.raises(OptionError, match="detector must be yunet"):
        page_files(AnalyzerOptions(detector="haar"))


def test_writing_again_replaces_the_page_and_nothing_else(tmp_path: Path, files: dict[str, bytes], place: str) -> None:
    (tmp_path / "mine.txt").write_text("stays")
    write_page(tmp_path, files)
    assert all((tmp_path / name).read_bytes() == content for name, content in files.items())
    other = {name.replace(place, "feedfeedfeed"): content for name, content in files.items()}
    write_page(tmp_path, other)
    assert not (tmp_path / place).exists()
    assert (tmp_path / "feedfeedfeed" / "settings.json").is_file()
    assert (tmp_path / "mine.txt").read_text() == "stays"


def test_a_listing_cannot_name_files_elsewhere(tmp_path: Path, files: dict[str, bytes]) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("stays")
    out = tmp_path / "out"
    out.mkdir()
    (out / "page.json").write_text(json.dumps(["../outside.txt", str(outside)]))
    write_page(out, files)
    assert outside.read_text() == "stays"


def test_a_file_is_no_folder(tmp_path: Path, files: dict[str, bytes]) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OptionError, match="is a file, expected a folder"):
        write_page(tmp_path / "out", files)


def test_types_and_caching(address: str, files: dict[str, bytes], place: str) -> None:
    expected = {
        "": ("text/html; charset=utf-8", "no-cache"),
        "sw.js": ("text/javascript; charset=utf-8", "no-cache"),
        f"{place}/vendor/ort.wasm.min.mjs": ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        f"{place}/vendor/ort-wasm-simd-threaded.wasm": ("application/wasm", "public, max-age=31536000, immutable"),
    }
    for name, (kind, caching) in expected.items():
        with urllib.request.urlopen(address + name) as answer:
            assert answer.read() == files[name or "index.html"]
            assert answer.headers["Content-Type"] == kind
            assert answer.headers["Cache-Control"] == caching
            assert POLICY in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["absent", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"])
def test_nothing_else_is_served(address: str, name: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address + name)


def test_a_taken_port_is_named(files: dict[str, bytes]) -> None:
    with open_server(files, 0) as server, pytest.raises(MienError, match="choose another with --port"):
        open_server(files, server.server_port)


def test_vendored_files_are_the_listed_ones() -> None:
    sums = dict(reversed(line.split()) for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    assert {"ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"} <= sums.keys()
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    assert "MIT License" in (VENDOR / "LICENSE").read_text(encoding="utf-8")
