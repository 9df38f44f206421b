"""One page with everything that is measured: machine, date, versions, and the output of each benchmark.

    python benchmarks/all.py --data ../shared/data --media ../shared/media --out build/benchmarks.md
    python benchmarks/all.py --only accuracy --only video
    python benchmarks/all.py --fer-python other-env/bin/python

Each section comes from a program in this folder, run in a process of its own, one after the other. A section whose
program fails, takes too long or lacks what it needs says so in its place. DATA holds ``fer2013/fer2013.csv`` (or
``.csv.xz``) and ``wild/`` with ``labels.csv``; MEDIA holds ``group_walk_pexels.mp4``; both are no part of this project.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from mien.files import write_whole

HERE = Path(__file__).parent
PACKAGES = ("mien", "numpy", "onnxruntime", "opencv-python-headless", "av", "streamlit", "fastapi", "ray")


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: As in ``--only``.
        title: Its heading.
        command: The program in this folder and its arguments.
        needs: Files without which it cannot run.
        missing: What is said where one of them is not there.
    """

    name: str
    title: str
    command: tuple[object, ...]
    needs: tuple[Path | None, ...] = ()
    missing: str = ""


def sections(data: Path, media: Path, fer_python: Path | None) -> list[Section]:
    """All parts of the page, in order."""
    faces = next((path for path in sorted((data / "fer2013").glob("fer2013.csv*"))), data / "fer2013/fer2013.csv")
    photos, clip = data / "wild", media / "group_walk_pexels.mp4"
    fer = ("--fer-python", fer_python) if fer_python else ()
    return [
        Section("accuracy", "Accuracy", ("accuracy.py", faces, photos), (faces, photos), "needs FER-2013 and photos"),
        Section("detection", "Faces found, by size", ("detection.py", photos), (photos,), "needs photos"),
        Section("photo", "A photo, stage by stage", ("photo_speed.py",)),
        Section(
            "peers",
            "Beside the package fer",
            ("peers.py", faces, photos, *fer),
            (faces, photos, fer_python),
            "needs FER-2013, photos and --fer-python, the Python of an environment with `pip install fer`",
        ),
        Section("video", "Videos", ("video_throughput.py", clip, *fer), (clip,), "needs a clip of one person"),
        Section("tracking", "People told apart over time", ("tracking.py", photos), (photos,), "needs photos"),
        Section("live", "The live view of the web app", ("live_latency.py",)),
        Section("service", "The HTTP service", ("server_load.py", "--requests", 1000)),
        Section("browser", "The page in the browser", ("browser_page.py",)),
        Section("batch", "Many files", ("batch_speed.py", photos), (photos,), "needs photos"),
    ]


def main(
    data: Annotated[Path, typer.Option(help="Folder of the data sets.")] = HERE.parents[1] / "shared/data",
    media: Annotated[Path, typer.Option(help="Folder of clips.")] = HERE.parents[1] / "shared/media",
    out: Annotated[Path, typer.Option(help="The page.")] = HERE.parent / "build/benchmarks.md",
    fer_python: Annotated[Path | None, typer.Option(help="Python of an environment with fer.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="These sections alone.")] = None,
    minutes: Annotated[float, typer.Option(help="What a section may take at most.")] = 60.0,
) -> None:
    """Write the page, section by section."""
    wanted = [section for section in sections(data, media, fer_python) if not only or section.name in only]
    if not wanted:
        known = ", ".join(section.name for section in sections(data, media, fer_python))
        raise typer.BadParameter(f"known sections are {known}", param_hint="--only")
    parts = [
        "# Benchmarks",
        "Written by `make benchmarks`. Speeds are of this machine alone, and of what else it did; ratios within a "
        "section were measured in one run.",
        machine(),
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    for section in wanted:
        print(section.title, "…", file=sys.stderr, flush=True)
        parts.append(f"## {section.title}\n\n{run(section, minutes * 60)}")
        # After each section, so that what was measured stays whatever comes next.
        write_whole(out, "\n\n".join(parts) + "\n")
    print(out)


def machine() -> str:
    """Date, machine and versions, as a table."""
    rows = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": platform.platform(),
        "Python": platform.python_version(),
    }
    rows |= {package: installed(package) for package in PACKAGES}
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def installed(package: str) -> str:
    """A package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """Name of the processor, and what its instructions for 8-bit networks are called."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split("\t: ") for line in text.splitlines() if "\t: " in line)
    flags = set(fields.get("flags\t", fields.get("flags", "")).split())
    kinds = [name for name in ("avx2", "avx512f", "avx512_vnni", "avx_vnni") if name in flags]
    name = fields.get("model name", platform.machine())
    return f"{name} ({', '.join(kinds)})" if kinds else name


def run(section: Section, seconds: float) -> str:
    """What a section's program printed, or why there is nothing."""
    program, *arguments = section.command
    said = f"`python benchmarks/{' '.join(shown(part) for part in section.command)}`"
    if any(path is None or not path.exists() for path in section.needs):
        return f"{said}\n\n**Not run**: {section.missing}."
    if not (HERE / str(program)).is_file():
        return f"{said}\n\n**Not run**: there is no such program."
    load, begun = loads(), perf_counter()
    command = [sys.executable, str(HERE / str(program)), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"{said}\n\n**Failed**: not done after {seconds / 60:.0f} minutes."
    said += f", {perf_counter() - begun:.0f} s{load}"
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        return f"{said}\n\n**Failed**: {lines[-1]}"
    output = done.stdout.strip()
    return f"{said}\n\n{output if '|---' in output else f'```text{os.linesep}{output}{os.linesep}```'}"


def loads() -> str:
    """How busy the machine was before, where the system tells."""
    return f", load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""


def shown(part: object) -> str:
    """A path without the folders of this machine."""
    return part.name + ("/" if part.is_dir() else "") if isinstance(part, Path) else str(part)


if __name__ == "__main__":
    typer.run(main)
