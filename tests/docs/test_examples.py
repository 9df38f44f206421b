"""The programs in examples/ run as their first lines say."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PORTRAIT = EXAMPLES / "astronaut.jpg"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def run(*command: object, timeout_s: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(
        words, env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def test_folder_study(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(PORTRAIT, photos)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    done = run(sys.executable, EXAMPLES / "folder_study.py", photos, tmp_path / "study")
    assert done.returncode == 0, done.stderr
    assert "1 photos, 1 faces, 0 of them uncertain\ncertain: happy 1" in done.stdout
    assert "broken.jpg" in done.stderr
    rows = list(csv.DictReader((tmp_path / "study/faces.csv").open()))
    assert [row["emotion"] for row in rows] == ["happy"]
    assert len(list((tmp_path / "study/check").iterdir())) == 1


def test_own_labels(tmp_path: Path) -> None:
    shutil.copy(PORTRAIT, tmp_path / "a.jpg")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((80, 80, 3), np.uint8))
    (tmp_path / "labels.csv").write_text("file,emotion\na.jpg,happiness\nb.png,sad\n")
    done = run(sys.executable, EXAMPLES / "own_labels.py", tmp_path)
    assert done.returncode == 0, done.stderr
    shares = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert shares == {"all": "50.0%", "happy": "100.0%", "sad": "0.0%"}


def test_mirror_draws_every_frame(tmp_path: Path) -> None:
    """With a window that counts in place of OpenCV's, which the headless build lacks."""
    portrait = np.asarray(cv2.imread(str(PORTRAIT)))[:256, 80:336]
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (256, 256))
    for _ in range(3):
        writer.write(portrait)
    writer.release()
    code = f"""
import runpy, sys, cv2
shown = []
cv2.imshow, cv2.waitKey = lambda name, picture: shown.append(picture.mean()), lambda wait: -1
sys.argv = ["mirror.py", {str(tmp_path / "clip.avi")!r}]
runpy.run_path({str(EXAMPLES / "mirror.py")!r}, run_name="__main__")
print(len(shown))
"""
    done = run(sys.executable, "-c", code)
    assert done.stdout.strip() == "3", done.stderr


def test_the_mirror_says_that_there_is_no_camera() -> None:
    done = run(sys.executable, EXAMPLES / "mirror.py", "no-such.mp4")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("cannot open no-such.mp4")


@pytest.mark.parametrize("program", ["folder_study.py", "own_labels.py", "ray_job.py"])
def test_a_program_without_arguments_says_what_it_takes(program: str) -> None:
    if program == "ray_job.py":
        pytest.importorskip("ray")
    done = run(sys.executable, EXAMPLES / program)
    assert done.returncode == 1
    assert f"python examples/{program} " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_ray_job(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    pq = pytest.importorskip("pyarrow.parquet")
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(PORTRAIT, photos)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    done = run(sys.executable, EXAMPLES / "ray_job.py", photos, tmp_path / "faces", timeout_s=300)
    assert done.returncode == 0, done.stderr
    rows = {Path(row["source"]).name: row for row in pq.read_table(tmp_path / "faces").to_pylist()}
    assert rows["astronaut.jpg"]["emotion"] == "happy"
    assert rows["broken.jpg"]["error"]


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    pytest.importorskip("fastapi")
    command = [sys.executable, "-m", "mien", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "http://127.0.0.1:" in line:
                sleep(0.2)
                yield "http://127.0.0.1:" + line.split("http://127.0.0.1:")[1].split()[0].rstrip("/,.")
                break
        else:
            pytest.fail("the service did not start")
    finally:
        process.terminate()
        process.wait(20)


both_clients = pytest.mark.parametrize(
    "program", [[sys.executable, "client.py"], ["node", "client.mjs"]], ids=["python", "node"]
)


@both_clients
def test_clients(program: list[str], service: str, tmp_path: Path) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    (tmp_path / "bad.jpg").write_text("no picture")
    done = run(program[0], EXAMPLES / program[1], PORTRAIT, tmp_path / "bad.jpg", MIEN_URL=service)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("astronaut.jpg happy 9")
    assert "bad.jpg: " in done.stderr


def test_a_client_says_what_is_wrong(service: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("no picture")
    done = run(sys.executable, EXAMPLES / "client.py", tmp_path / "bad.jpg", MIEN_URL=service)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@both_clients
def test_a_client_says_that_no_service_runs(program: list[str]) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    done = run(program[0], EXAMPLES / program[1], PORTRAIT, MIEN_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.startswith("no answer from http://127.0.0.1:9 (")
    assert len(done.stderr.splitlines()) == 1


def test_a_client_says_which_file_is_missing() -> None:
    done = run(sys.executable, EXAMPLES / "client.py", "no-such.jpg")
    assert (done.returncode, done.stderr) == (1, "no such file: no-such.jpg\n")
