"""``mien batch`` on real files: several workers, interruptions, storages."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from programs import is_running
from videos import numbered, portrait, write

from mien.batch import BatchReport, FaceReader, run_batch
from mien.classification.model_config import SHIPPED, load_config, save_config
from mien.errors import OptionError
from mien.runtime import has_gpu

parquet = pytest.importorskip("pyarrow.parquet")
dataset = pytest.importorskip("pyarrow.dataset")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """200 small photos, two of them broken, and two videos, one of them broken."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "photos").mkdir()
    face = cv2.resize(astronaut[:320, 60:380], (200, 200), interpolation=cv2.INTER_AREA)
    for number in range(200):
        shade = cv2.convertScaleAbs(face, alpha=0.6 + number / 500)
        cv2.imwrite(str(folder / f"photos/{number:03}.jpg"), shade)
    (folder / "photos/050.jpg").write_bytes(b"")
    (folder / "photos/150.jpg").write_bytes(b"no picture")
    write(folder / "clip.mp4", [*portrait(astronaut, 20), *numbered(5, 192, 192)])
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def rows(out: Path) -> list[tuple[Any, ...]]:
    """All rows of a folder of results, in an order that does not depend on who wrote them."""
    table = dataset.dataset(out / "faces", partitioning="hive").to_table()
    return sorted(tuple(map(repr, row.values())) for row in table.to_pylist())


def errors(out: Path) -> dict[str, str]:
    return {Path(row["source"]).name: row["error"] for row in parquet.read_table(out / "_errors.parquet").to_pylist()}


@pytest.fixture(scope="module")
def alone(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of the sources."""
    out = tmp_path_factory.mktemp("alone")
    report = run_batch([sources], out, workers=1)
    assert (report.photos, report.videos, report.failed, report.resumed) == (198, 1, 3, 0)
    return out


def test_the_folder_holds_what_the_reader_says_of_every_source(alone: Path, sources: Path) -> None:
    reader = FaceReader()
    expected = [row for path in sources.rglob("*.*") for row in reader({"path": str(path)})]
    good = [row for row in expected if row["error"] is None]
    kinds = {True: "video", False: "photo"}
    named = [{k: v for k, v in row.items() if k != "error"} | {"kind": kinds[row["source"][-1] == "4"]} for row in good]
    assert rows(alone) == sorted(tuple(map(repr, row.values())) for row in named)
    assert errors(alone) == {
        "050.jpg": "ImageError: is empty (0 bytes)",
        "150.jpg": "ImageError: is not a picture in a known format; save it as JPEG or PNG",
        "broken.mp4": "VideoError: is a text file, expected a video file",
    }


def test_the_manifest_says_what_made_the_results(alone: Path) -> None:
    manifest = json.loads((alone / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"] is True
    assert manifest["counts"] == {"photos": 198, "videos": 1, "faces": 218, "rows": 223, "errors": 3}
    assert len(manifest["model"]["sha256"]) == len(manifest["model"]["config_sha256"]) == 64
    assert manifest["options"]["precision"] in ("fp32", "int8")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "mien", "batch", *map(str, arguments)]


def mien(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), check=False, capture_output=True, text=True, timeout=300)


def test_two_workers_give_the_rows_of_one_and_the_command_reports(alone: Path, sources: Path, tmp_path: Path) -> None:
    done = mien(sources, "--out", tmp_path / "out", "--workers", 2)
    assert done.returncode == 1
    assert "198 photos, 1 video or part of one, 218 faces, 223 rows" in done.stdout
    assert "050.jpg: ImageError: is empty (0 bytes)" in done.stderr
    assert "not read, or not to the end: 3; see _errors.parquet" in done.stderr
    assert rows(tmp_path / "out") == rows(alone)


def test_a_second_run_reads_only_what_failed(sources: Path, tmp_path: Path) -> None:
    photos = [sources / f"photos/{name}.jpg" for name in ("000", "001", "050")]
    copies = [tmp_path / path.name for path in photos]
    for path, copy in zip(photos, copies, strict=True):
        copy.write_bytes(path.read_bytes())
    out = tmp_path / "out"
    first = run_batch([tmp_path], out, workers=1)
    assert (first.photos, first.failed) == (2, 1)
    files = {path: path.stat().st_mtime_ns for path in out.glob("faces/*/*")}
    copies[2].write_bytes(copies[0].read_bytes())
    second = run_batch([tmp_path], out, workers=1)
    assert (second.photos, second.failed, second.resumed) == (3, 0, 2)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert sorted(row[0] for row in rows(out)) == sorted(repr(str(path)) for path in copies)
    assert errors(out) == {}


def test_other_options_need_another_folder(alone: Path, sources: Path) -> None:
    with pytest.raises(OptionError, match="holds results of another set of options"):
        run_batch([sources], alone, reader=FaceReader(detector="haar"))


def test_a_model_that_was_calibrated_again_needs_another_folder(sources: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(SHIPPED / "mien-2-tiny", tmp_path / "model"))
    photo, out = sources / "photos/000.jpg", tmp_path / "out"
    run_batch([photo], out, reader=FaceReader(model=str(model)), workers=1)
    config = load_config(model)
    save_config(dataclasses.replace(config, figures={}), model)
    assert run_batch([photo], out, reader=FaceReader(model=str(model)), workers=1).resumed == 1
    save_config(dataclasses.replace(config, photo_temperature=2.0), model)
    with pytest.raises(OptionError, match="holds results of another model"):
        run_batch([photo], out, reader=FaceReader(model=str(model)), workers=1)


def workers_of(program: subprocess.Popen[str]) -> list[int]:
    """Process ids of the workers of a run."""
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="ascii").split()
    return [pid for pid in map(int, children) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def parts(out: Path) -> int:
    return len(list(out.glob("faces/*/part-*.parquet")))


def start_and_wait_for_parts(sources: Path, out: Path) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        command(sources / "photos", "--out", out, "--workers", 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not parts(out) and time.monotonic() < end:
        time.sleep(0.002)
    assert program.poll() is None, program.communicate()
    return program


@pytest.fixture(scope="module")
def photos_alone(alone: Path) -> list[tuple[Any, ...]]:
    return [row for row in rows(alone) if ".jpg" in row[0]]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the workers")
def test_a_killed_worker_costs_nothing(sources: Path, photos_alone: list[tuple[Any, ...]], tmp_path: Path) -> None:
    program = start_and_wait_for_parts(sources, tmp_path / "out")
    for pid in workers_of(program):
        os.kill(pid, signal.SIGKILL)
    out, err = program.communicate(timeout=300)
    assert (program.returncode, "198 photos" in out) == (1, True), err
    assert rows(tmp_path / "out") == photos_alone


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the workers")
def test_a_killed_run_goes_on_where_it_ended(
    sources: Path, photos_alone: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = start_and_wait_for_parts(sources, out)
    workers = workers_of(program)
    program.kill()
    program.communicate(timeout=60)
    end = time.monotonic() + 30
    while any(map(is_running, workers)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(map(is_running, workers)), "workers outlive the run"
    written = {path: path.stat().st_mtime_ns for path in out.glob("faces/*/part-*.parquet")}
    assert 0 < len(written) < 13
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["complete"] is False
    report = run_batch([sources / "photos"], out, workers=2)
    assert report.resumed >= 16 * (len(written) - 1)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert rows(out) == photos_alone
    assert len(errors(out)) == 2
    assert list(out.glob("faces/*/.part*")) == []


def test_progress_grows_to_the_report(sources: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    report: BatchReport = run_batch(
        [sources / "photos"], tmp_path, workers=1, on_progress=lambda report: seen.append(report.photos)
    )
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, report.photos)


def test_a_single_source_is_read_as_one(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(sources / "photos/000.jpg", tmp_path / "x.jpg")
    monkeypatch.chdir(tmp_path)
    for number, source in enumerate(["x.jpg", Path("x.jpg")]):
        report = run_batch(source, tmp_path / f"out{number}", workers=1)
        assert (report.photos, report.failed) == (1, 0)


def test_a_folder_gives_the_photos_that_mien_photo_reads_there(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    photos.mkdir()
    for name in ("a.jpg", "b.JPEG", "no_suffix"):
        shutil.copy(sources / "photos/000.jpg", photos / name)
    (photos / "Makefile").write_text("all:\n")
    command_line = [sys.executable, "-m", "mien", "photo", str(photos), "--json"]
    annotated = subprocess.run([*command_line, "--annotate", photos / "seen"], check=True, capture_output=True)
    assert len(list((photos / "seen").iterdir())) == 3
    read = subprocess.run(command_line, check=True, capture_output=True)
    assert read.stdout == annotated.stdout
    # Each is named in two ways.
    done = mien(photos, "photos/*.*", "photos/seen/*.*", "--out", out, "--workers", 1)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "files skipped because they are annotated copies that mien made: 3\n" in done.stderr
    names = [json.loads(line)["source"] for line in read.stdout.splitlines()]
    assert sorted(row[0] for row in rows(out)) == sorted(map(repr, names))
    report = run_batch(photos, out, workers=1)
    assert (report.photos, report.resumed, report.copies) == (3, 3, 3)
    # A copy that is named is a picture like any other.
    assert run_batch(photos / "seen/a.jpg", out, workers=1).photos == 4


def test_nothing_to_read_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = mien(tmp_path / "empty", "--out", tmp_path / "out")
    assert (done.returncode, "no photos or videos there" in done.stderr) == (1, True)


def test_an_empty_path_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a path is empty"):
        run_batch("", tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "dask"], "--engine must be one of local, ray, found 'dask'"),
        (["--address", "auto"], "--address goes with the engine ray"),
        (["--workers", "-1"], "--workers must be 0 (one per core) or more, found -1"),
        (["--split", "1"], "--split must be 10 seconds or more, found 1"),
        (["--model", "nonesuch"], "no such model"),
        pytest.param(
            ["--device", "cuda"],
            "--device cuda is not available",
            marks=pytest.mark.skipif(has_gpu(), reason="has CUDA"),
        ),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = mien(tmp_path, "--out", tmp_path / "o", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists(), "a manifest would tie the folder to the wrong options"


@pytest.mark.slow
@pytest.mark.skipif(has_gpu(), reason="has CUDA")
def test_what_the_workers_of_ray_cannot_open_leaves_no_manifest(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    done = mien(tmp_path, "--out", tmp_path / "o", "--engine", "ray", "--device", "cuda")
    assert done.returncode == 2, done.stderr
    assert "mien: --device cuda is not available" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_ray_gives_the_rows_of_one_process(alone: Path, sources: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    done = mien(sources, "--out", tmp_path / "out", "--engine", "ray", "--workers", 2)
    assert done.returncode == 1
    assert "198 photos" in done.stdout, done.stderr
    assert rows(tmp_path / "out") == rows(alone)
