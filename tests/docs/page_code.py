"""Code blocks of Markdown pages, and the sample files that they talk about.

A block runs unless the line above its fence says why not, ``<!-- not run: a camera -->``, or that it needs an extra,
``<!-- needs: train -->``. In shell blocks a line that ends with ``# not run: why`` is left out.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
PORTRAIT = ROOT / "examples/astronaut.jpg"
PICTURES, VIDEOS = (".jpg", ".jpeg", ".png"), (".mp4", ".mov")
_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>not run|needs): (?P<why>.+?) -->\n)?^```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its code, the line it begins in, and what keeps it from running."""

    language: str
    code: str
    line: int
    not_run: str = ""
    needs: str = ""


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        why = {match["mark"]: match["why"]}
        line = text.count("\n", 0, match.start("code"))
        yield Block(match["language"], match["code"], line, why.get("not run", ""), why.get("needs", ""))


def commands(block: Block) -> Iterator[list[str]]:
    """The ``mien`` commands of a shell block, as lists of arguments."""
    for line in block.code.replace("\\\n", " ").splitlines():
        for part in line.split("&&") if "# not run" not in line else ():
            words = shlex.split(part, comments=True)
            if words[:1] == ["mien"]:
                yield words[1 : words.index(">") if ">" in words else None]


def lay_out(folder: Path) -> None:
    """Put the sample files into a folder that a page's code runs in."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))


def provide(folder: Path, names: list[str]) -> None:
    """Make the pictures, videos and folders that code reads, where they are missing."""
    for name in names:
        path = folder / name.replace("**", "more").replace("*", "some")
        if path.exists() or "{" in name or folder not in path.parents:
            continue
        if name.endswith("/"):
            provide(folder, [f"{name}one.jpg", f"{name}clip.mp4"])
        elif path.suffix.lower() in (*PICTURES, *VIDEOS):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_clip() if path.suffix.lower() in VIDEOS else _photo(path.suffix))


@lru_cache
def _portrait() -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(PORTRAIT))[:256, 80:336], np.uint8)


@lru_cache
def _photo(suffix: str) -> bytes:
    """Two faces side by side, the left one larger."""
    second = cv2.copyMakeBorder(cv2.resize(_portrait(), (200, 200)), 56, 0, 0, 0, cv2.BORDER_REPLICATE)
    return cv2.imencode(suffix, np.hstack([_portrait(), second]))[1].tobytes()


@lru_cache
def _clip() -> bytes:
    import av

    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 240, 240, "yuv420p"
        for k in range(8):
            view = np.ascontiguousarray(_portrait()[:240, k : k + 240])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(view, format="bgr24")))
        file.mux(stream.encode())
    return buffer.getvalue()
