"""mien sends nothing anywhere: every door runs in a network namespace without a route, watched for look-ups,
connections and files that were not asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

_SEND = "connect,sendto,sendmsg,sendmmsg"
# As in: connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("9.9.9.9")}, 16)
_ADDRESS = re.compile(r'sa_family=AF_INET6?,.*?(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]+)"')
_LOOPBACK = re.compile(r"127\.|::1$|0\.0\.0\.0$|::$|::ffff:127\.")


def _can_watch() -> bool:
    tools = all(map(shutil.which, ("unshare", "strace", "ip")))
    if not tools or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    probe = ["unshare", "-n", "strace", "-f", "-qq", "-e", f"trace={_SEND}", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _can_watch(), reason="needs root, and unshare, ip and strace that may be used")


class Seen(NamedTuple):
    """What a program did besides its work: internet addresses it turned to, and files it left."""

    addresses: set[str]
    files: set[str]


class Watch:
    """Runs programs with an empty home and temporary folder, no route, and nothing of this session's environment."""

    def __init__(self, place: Path) -> None:
        self.place, self.work = place, place / "work"
        self.work.mkdir()

    def run(self, *command: str | Path, **variables: str) -> Seen:
        home, temporary, log = (self.place / name for name in ("home", "tmp", "calls.log"))
        for folder in (home, temporary):
            folder.mkdir()
        before = self._files(self.work)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "TMPDIR": str(temporary),
            **variables,
        }
        watched = ["strace", "-f", "-qq", "-e", "signal=none", "-e", f"trace={_SEND}", "-o", str(log), "--"]
        inside = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *watched, *map(str, command)]
        done = subprocess.run(
            inside, cwd=self.work, env=environment, capture_output=True, text=True, check=False, timeout=1200
        )
        assert done.returncode == 0, done.stdout + done.stderr
        called = set(_ADDRESS.findall(log.read_text(errors="replace")))
        return Seen(
            {address for address in called if not _LOOPBACK.match(address)},
            self._files(home) | self._files(temporary) | (self._files(self.work) - before),
        )

    @staticmethod
    def _files(folder: Path) -> set[str]:
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


MIEN = (sys.executable, "-m", "mien")


def test_the_watch_sees_look_ups_connections_and_files(watch: Watch) -> None:
    noisy = (
        "import pathlib, socket\n"
        "try: socket.create_connection(('192.0.2.7', 80), 1)\n"
        "except OSError: pass\n"
        "pathlib.Path('~/left').expanduser().write_text('x')\n"
    )
    seen = watch.run(sys.executable, "-c", noisy)
    assert seen == Seen({"192.0.2.7"}, {"left"})


def test_import(watch: Watch) -> None:
    """ONNX Runtime itself leaves files and looks for its maker's host unless told otherwise before its import."""
    code = "import mien, onnxruntime, time; mien.load(); time.sleep(3)"
    assert watch.run(sys.executable, "-c", code) == Seen(set(), set())


def test_worker_processes(watch: Watch) -> None:
    code = (
        "import multiprocessing as m, mien\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as pool: pool.apply(exec, ('import onnxruntime',))\n"
    )
    (watch.work / "script.py").write_text(code)
    assert watch.run(sys.executable, "script.py") == Seen(set(), set())


def test_photo_and_explain(watch: Watch, astronaut_path: Path) -> None:
    shutil.copy(astronaut_path, watch.work / "a.png")
    command = (
        f"{sys.executable} -m mien photo a.png --table t.csv && {sys.executable} -m mien explain a.png --out e.png"
    )
    assert watch.run("sh", "-c", command) == Seen(set(), {"t.csv", "e.png"})


def test_video(watch: Watch, astronaut: NDArray[np.uint8]) -> None:
    videos = pytest.importorskip("videos", reason="needs the extra video")
    videos.write(watch.work / "clip.mp4", videos.portrait(astronaut, 6))
    seen = watch.run(*MIEN, "video", "clip.mp4", "--table", "t.csv", "--out", "o.mp4")
    assert seen == Seen(set(), {"t.csv", "o.mp4"})


def test_service(watch: Watch, astronaut_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="needs the extra server")
    shutil.copy(astronaut_path, watch.work / "a.png")
    code = """
import re, signal, subprocess, sys, time, urllib.request
server = subprocess.Popen([sys.executable, "-m", "mien", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
(url,) = re.findall(r"http://\\S+", server.stderr.readline())
body = b'--b\\r\\nContent-Disposition: form-data; name="pictures"; filename="a.png"\\r\\n\\r\\n'
body += open("a.png", "rb").read() + b"\\r\\n--b--\\r\\n"
request = urllib.request.Request(url + "/v1/analyze", body, {"Content-Type": "multipart/form-data; boundary=b"})
assert b"happy" in urllib.request.urlopen(request).read()
for page in ("/docs", "/metrics", "/openapi.json"):
    urllib.request.urlopen(url + page).read()
time.sleep(2)
server.send_signal(signal.SIGTERM)
sys.exit(server.wait(30))
"""
    assert watch.run(sys.executable, "-c", code) == Seen(set(), set())


def test_evaluate_without_report(watch: Watch, drawn_csv: Path) -> None:
    assert watch.run(*MIEN, "evaluate", drawn_csv, "--json") == Seen(set(), set())


# Matplotlib keeps a list of the machine's fonts, PyTorch's compiler an empty folder; neither says anything to anyone.
_CACHES = re.compile(r"\.cache/matplotlib/|\.config/matplotlib/|\.cache/fontconfig/")


@pytest.mark.slow
def test_training_and_export(watch: Watch, drawn_csv: Path) -> None:
    pytest.importorskip("lightning", reason="needs the extra train")
    recipe = {"network": "cnn2-lite", "epochs": 1, "batch_size": 16, "precision": "32-true", "ema": 0}
    (watch.work / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command = (
        f"{sys.executable} -m mien train recipe.yaml --data {drawn_csv} --out run"
        f" && {sys.executable} -m mien export run --data {drawn_csv} --out model"
    )
    seen = watch.run("sh", "-c", command)
    assert seen.addresses == set()
    assert {file for file in seen.files if not file.startswith(("run/", "model/")) and not _CACHES.match(file)} == set()


@pytest.mark.slow
def test_timm_network(watch: Watch) -> None:
    """Weights that are not asked for are not looked up either."""
    pytest.importorskip("timm", reason="needs the extra train")
    code = "from mien.training.networks import build_network; build_network('timm:mobilenetv3_small_050')"
    assert watch.run(sys.executable, "-c", code) == Seen(set(), set())


def test_web_app(watch: Watch) -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    code = """
import re, signal, subprocess, sys, time, urllib.request
app = subprocess.Popen([sys.executable, "-m", "mien", "app", "--headless", "--port", "8599"])
for _ in range(1200):
    try:
        urllib.request.urlopen("http://127.0.0.1:8599/_stcore/health").read()
        break
    except OSError:
        time.sleep(0.1)
urllib.request.urlopen("http://127.0.0.1:8599/").read()
time.sleep(3)
app.send_signal(signal.SIGINT)
app.wait(30)
"""
    seen = watch.run(sys.executable, "-c", code)
    assert seen.addresses == set()
    assert {file for file in seen.files if not _CACHES.match(file)} == set()
