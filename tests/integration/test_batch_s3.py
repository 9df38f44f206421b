"""``mien batch`` with sources and results in an object store: moto's S3 on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from videos import numbered, write

pytest.importorskip("s3fs", reason="needs s3fs: pip install s3fs 'moto[s3]' flask-cors")
moto = pytest.importorskip("moto.server", reason="needs moto and flask-cors: pip install 'moto[s3]' flask-cors")
dataset = pytest.importorskip("pyarrow.dataset")


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    """A file system of an empty bucket named faces; programs find it by the environment."""
    import s3fs

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        files = s3fs.S3FileSystem()
        files.mkdir("faces")
        yield files
    server.stop()


@pytest.fixture(scope="module")
def sources(store: Any, astronaut_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """120 photos, one of them broken, and a video."""
    content = astronaut_path.read_bytes()
    for number in range(120):
        store.pipe_file(f"faces/photos/{number % 3}/{number:03}.jpg", content if number != 7 else b"no picture")
    clip = write(tmp_path_factory.mktemp("clip") / "clip.mp4", numbered(5))
    store.put_file(str(clip), "faces/clip.mp4")
    return ["s3://faces/photos", "s3://faces/clip.mp4"]


def command(sources: list[str], out: str | Path) -> list[str]:
    return [sys.executable, "-m", "mien", "batch", *sources, "--out", str(out), "--workers", "2"]


def rows(files: Any, out: str) -> list[tuple[Any, ...]]:
    table = dataset.dataset(f"{out}/faces", filesystem=files, partitioning="hive").to_table()
    return sorted(tuple(map(repr, row.values())) for row in table.to_pylist())


def test_rows_are_those_of_local_files_and_a_killed_run_goes_on(store: Any, sources: list[str], tmp_path: Path) -> None:
    for source in sources:
        store.get(source, str(tmp_path / Path(source).name), recursive=True)
    local = subprocess.run(
        command([str(tmp_path / Path(source).name) for source in sources], tmp_path / "out"),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert "119 photos" in local.stdout, local.stderr

    killed = subprocess.Popen(command(sources, "s3://faces/out"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while time.monotonic() < end and not store.glob("faces/out/faces/kind=photo/*.parquet"):
        store.invalidate_cache()
        time.sleep(0.01)
    assert killed.poll() is None, "a run that has ended cannot be killed"
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)

    again = subprocess.run(command(sources, "s3://faces/out"), capture_output=True, text=True, check=False, timeout=300)
    assert again.returncode == 1, "one photo is broken"
    assert "119 photos, 1 video or part of one" in again.stdout, again.stderr
    assert "were done before" in again.stdout
    assert "s3://faces/photos/1/007.jpg: ImageError: is not a picture" in again.stderr
    store.invalidate_cache()
    stored, here = rows(store, "faces/out"), rows(None, str(tmp_path / "out"))
    assert [row[0].replace("s3://faces", str(tmp_path)) for row in stored] == [row[0] for row in here]
    assert [row[1:] for row in stored] == [row[1:] for row in here]


def test_a_missing_bucket_is_one_line(store: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        command(["s3://no-such-bucket/photos"], tmp_path / "out"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert "s3://no-such-bucket/photos" in done.stderr
    assert "Traceback" not in done.stderr
