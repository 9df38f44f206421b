"""Damaged pictures of all kinds, made from a good one: each gets an answer or one line, and nothing breaks."""

from __future__ import annotations

import io
import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

COUNT = 40
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000")
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")


def damage(content: bytes, dice: random.Random) -> bytes:
    """Cut off, with bits turned, with extreme numbers in the header, or with a part missing."""
    damaged = bytearray(content)
    header = min(200, len(damaged))
    match dice.randrange(4):
        case 0:
            return content[: dice.randrange(len(content))]
        case 1:
            for _ in range(dice.choice((1, 2, 8, 40))):
                damaged[dice.randrange(dice.choice((header, len(damaged))))] ^= 1 << dice.randrange(8)
        case 2:
            place = dice.randrange(header)
            damaged[place : place + 4] = dice.choice(EXTREMES)
        case _:
            place = dice.randrange(len(damaged))
            del damaged[place : place + dice.randrange(200)]
    return bytes(damaged)


@pytest.fixture
def damaged(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    dice = random.Random(20)
    image = Image.fromarray(astronaut[:, :, ::-1]).resize((96, 96))
    for kind in KINDS:
        stream = io.BytesIO()
        image.save(stream, kind)
        for number in range(COUNT):
            (tmp_path / f"{kind}{number}.jpg").write_bytes(damage(stream.getvalue(), dice))
    return tmp_path


def test_damaged_pictures(damaged: Path) -> None:
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    command = [sys.executable, "-m", "mien", "photo", str(damaged), "--json", "--threads", "1"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, preexec_fn=limit)
    assert run.returncode == 1
    refusals = run.stderr.splitlines()
    assert all(line.startswith(f"mien: {damaged}/") for line in refusals)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(refusals) + len(answers) == COUNT * len(KINDS)
    assert min(len(refusals), len(answers)) > COUNT
