"""Cases by seed: damaged and hostile input of every kind. The same seed and number give the same cases."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from mien.options import AnalyzerOptions

NUMBERS = (
    *("0", "-1", "1", "nan", "inf", "-inf", "1e308", "1e-308", "100000000000000000000", "-100000000000000000000"),
    *("", " ", "x", "1_0", "٣", "0x10", "1e", ":smile:", "\x1b]0;title\x07", "a\nb", "9" * 5000, "true", "None"),
)


@dataclass(frozen=True)
class Case:
    """One thing to try.

    Attributes:
        kind: What is tried.
        name: Tells it apart, and makes it again.
        content: What it is tried with, depending on the kind.
    """

    kind: str
    name: str
    content: Any


def mutate(dice: Generator, content: bytes) -> bytes:
    """Damage a file: cut, flip, repeat, zero, or lie about a number."""
    data = bytearray(content)
    for _ in range(int(dice.integers(1, 4))):
        if not data:
            break
        place = int(dice.integers(len(data)))
        how = int(dice.integers(7))
        if how == 0:
            del data[place:]
        elif how == 1:
            data[place] ^= 1 << int(dice.integers(8))
        elif how == 2:
            end = min(len(data), place + int(dice.integers(1, 64)))
            data[place:end] = dice.bytes(end - place)
        elif how == 3:
            data[place:place] = data[place : place + int(dice.integers(1, 200))]
        elif how == 4:
            data[place : place + 32] = bytes(min(32, len(data) - place))
        elif how == 5 and len(data) > place + 4:
            data[place : place + 4] = struct.pack(">I", int(dice.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 65535])))
        else:
            del data[place : place + int(dice.integers(1, 100))]
    return bytes(data)


def picture_seeds(portrait: np.ndarray) -> list[tuple[str, bytes]]:
    """A portrait in many formats and color modes."""
    image = Image.fromarray(portrait[:, :, ::-1]).resize((96, 96))
    seeds = []
    for kind, mode, options in (
        ("JPEG", "RGB", {}), ("JPEG", "L", {}), ("JPEG", "CMYK", {}), ("JPEG", "RGB", {"progressive": True}),
        ("PNG", "RGB", {}), ("PNG", "RGBA", {}), ("PNG", "P", {}), ("PNG", "1", {}), ("PNG", "I;16", {}),
        ("PNG", "LA", {}), ("WEBP", "RGB", {}), ("WEBP", "RGBA", {"lossless": True}), ("GIF", "P", {}),
        ("BMP", "RGB", {}), ("TIFF", "RGB", {}), ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "F", {}), ("PPM", "RGB", {}), ("PPM", "L", {}), ("AVIF", "RGB", {}), ("JPEG2000", "RGB", {}),
    ):  # fmt: skip
        stream = BytesIO()
        try:
            image.convert("L" if mode == "I;16" else mode).convert(mode).save(stream, kind, **options)
        except (OSError, KeyError, ValueError):
            continue  # This Pillow cannot write it.
        seeds.append((f"{kind}-{mode}", stream.getvalue()))
    return seeds


def arrays(dice: Generator) -> Any:
    """Something that may be taken for a picture."""
    kinds = (np.uint8, np.uint16, np.int8, np.int64, np.float32, np.bool_, np.complex64, "U1", "O", "M8[s]")
    how = int(dice.integers(6))
    if how == 0:
        return dice.choice(np.array([None, 3, 2.5, True, "", "\0", "x" * 5000, b"", [], {}], object))
    if how == 1:
        return Image.new(
            str(dice.choice(["RGB", "L", "1", "RGBA", "F", "I"])), tuple(map(int, dice.integers(0, 40, 2)))
        )
    if how == 2:
        return memoryview(dice.bytes(200))[:: int(dice.integers(1, 4))]
    shape = tuple(map(int, dice.integers(0, 40, int(dice.integers(0, 5)))))
    if how == 3:
        shape = (*map(int, dice.integers(1, 60, 2)), int(dice.choice([1, 2, 3, 4, 5])))
    array = np.zeros(shape, kinds[int(dice.integers(len(kinds)))])
    return array[..., ::-1] if how == 4 and array.ndim else array


def config(dice: Generator, values: dict[str, Any]) -> str:
    """A model's description with something wrong in it."""
    values = json.loads(json.dumps(values))
    key = str(dice.choice(sorted(values)))
    bad: list[Any] = [float("nan"), float("inf"), 10**400, -1, 0, "", "x", None, [], {}, [[]], True, "[" * 900]
    how = int(dice.integers(4))
    if how == 0:
        del values[key]
    elif how == 1 and isinstance(values[key], list) and values[key]:
        values[key][0] = bad[int(dice.integers(len(bad)))]
    else:
        values[key] = bad[int(dice.integers(len(bad)))]
    text = json.dumps(values)
    return mutate(dice, text.encode()).decode("utf-8", "replace") if how == 3 else text


def labels(dice: Generator) -> str:
    """A fer2013.csv with something wrong in it."""
    rows = [f"{int(dice.integers(7))},{' '.join(map(str, dice.integers(0, 256, 2304)))},Training" for _ in range(2)]
    number = str(dice.choice(np.array(NUMBERS[:18], object)))
    how = int(dice.integers(7))
    if how == 0:
        rows[1] = f"{number},{rows[1].split(',', 1)[1]}"
    elif how == 1:
        rows[1] = rows[1].replace(" ", f" {number} ", 1)
    elif how == 2:
        rows[1] = rows[1].replace("Training", number)
    elif how == 3:
        rows.append("")
        rows.append(",,")
    text = "\n".join(["emotion,pixels,Usage", *rows])
    return mutate(dice, text.encode()).decode("latin-1") if how > 3 else text


YAML = (
    *("!!int abc", "!!timestamp foo", "2001-99-99", ".nan", ".inf", "-.inf", "[" * 300, "{a: 1", "&a [*a]", "*b"),
    *("!!python/object/apply:os.system [true]", "~", "[]", "{}", "'", "0x1F", "1:2:3", "\0", "!!binary x"),
)


def yaml_text(dice: Generator, text: str) -> str:
    """A recipe, or the description of a run's data, with something wrong in it."""
    lines = text.splitlines()
    how = int(dice.integers(4))
    if how == 0:
        return mutate(dice, text.encode()).decode("utf-8", "replace")
    place = int(dice.integers(len(lines)))
    if how == 1:
        del lines[place]
    else:
        bad = str(dice.choice(np.array(YAML if how == 2 else NUMBERS, object)))
        key, colon, _ = lines[place].partition(":")
        lines[place] = f"{key}{colon or ':'} {bad}"
    return "\n".join(lines)


def tree(dice: Generator, pictures: list[tuple[str, bytes]]) -> dict[str, bytes | None]:
    """A folder of labeled pictures, more or less: contents by name; None is a named pipe."""
    names = [
        "angry",
        "happy",
        "7",
        "0",
        "Sad ",
        "train/fear",
        "val/fear",
        "test/disgust",
        "nonsense",
        ".hidden",
        "a\nb",
    ]
    files: dict[str, bytes | None] = {}
    for number in range(int(dice.integers(0, 6))):
        _, content = pictures[int(dice.integers(len(pictures)))]
        kind = str(dice.choice(["jpg", "PNG", "txt", "heic", "m3u8"]))
        content = mutate(dice, content) if dice.random() < 0.4 else content
        files[f"{dice.choice(names)}/{number}.{kind}"] = content if dice.random() < 0.9 else None
    if dice.random() < 0.5:
        listed = [f"{name},{dice.choice(names)},{dice.choice(['train', 'val', 'PublicTest', 'x'])}" for name in files]
        text = "\n".join(
            [str(dice.choice(["file,emotion,usage", "file,emotion", "\ufefffile,emotion", "a,b"])), *listed]
        )
        text += str(dice.choice(["", "\n../../etc/passwd,happy,train", "\n,,", '\n"open', "\n/dev/zero,happy,train"]))
        files["labels.csv"] = text.encode() if dice.random() < 0.7 else mutate(dice, text.encode())
    return files


def option_values(dice: Generator, names: list[str]) -> dict[str, Any]:
    """Options of the library, one or two of them wrong."""
    bad = [*NUMBERS[:20], float("nan"), float("inf"), 10**20, -1, 0, None, True, [], {}, b"x", 0.5, 640, np.int64(3)]
    return {str(name): bad[int(dice.integers(len(bad)))] for name in dice.choice(names, int(dice.integers(1, 3)))}


OPTIONS = (
    *("--detector", "--detect-size", "--rotate", "--model", "--precision", "--mirror", "--min-confidence"),
    *("--device", "--threads", "--nonsense"),
)


def command(dice: Generator, picture: Path) -> list[str]:
    """A command line that is more or less wrong."""
    value = str(NUMBERS[int(dice.integers(len(NUMBERS)))])
    option = str(dice.choice(OPTIONS))
    forms: tuple[Callable[[], list[str]], ...] = (
        lambda: ["photo", str(picture), option, value],
        lambda: ["photo", str(picture), f"{option}={value}", "--json"],
        lambda: ["photo", value],
        lambda: [value],
        lambda: ["explain", value, "--out", value],
        lambda: ["serve", "--port", value, "--workers", "-1"],
        lambda: ["models", value],
        lambda: ["data", "info", value],
        lambda: ["evaluate", value, "--usage", value],
    )
    return forms[int(dice.integers(len(forms)))]()


def cases(
    seed: int, count: int, portrait: np.ndarray, clip: bytes, model: dict[str, Any], recipe: str, place: Path
) -> Iterator[Case]:
    """So many cases.

    Args:
        seed: Of the random numbers.
        count: How many.
        portrait: uint8 (H, W, 3) BGR.
        clip: A short video file.
        model: A model's config.json.
        recipe: A recipe, as its file.
        place: A picture in the file system.
    """
    pictures = picture_seeds(portrait)
    shares = {"picture": 8, "array": 3, "video": 1, "model": 2, "csv": 2, "command": 1, "recipe": 2, "folder": 1}
    shares |= {"options": 1, "run": 1}
    names = [field.name for field in fields(AnalyzerOptions)]
    kinds = [kind for kind, share in shares.items() for _ in range(share)]
    for number in range(count):
        dice = np.random.default_rng((seed, number))
        kind = kinds[number % len(kinds)]
        name = f"{kind}-{seed}-{number}"
        if kind == "picture":
            form, content = pictures[int(dice.integers(len(pictures)))]
            yield Case(kind, f"{name}-{form}", mutate(dice, content))
        elif kind == "array":
            yield Case(kind, name, arrays(dice))
        elif kind == "video":
            yield Case(kind, name, mutate(dice, clip))
        elif kind == "model":
            yield Case(kind, name, config(dice, model))
        elif kind == "csv":
            yield Case(kind, name, labels(dice))
        elif kind == "recipe":
            yield Case(kind, name, yaml_text(dice, recipe))
        elif kind == "folder":
            yield Case(kind, name, tree(dice, pictures))
        elif kind == "options":
            yield Case(kind, name, option_values(dice, names))
        elif kind == "run":
            # Which file of a run is damaged, and how, is decided where the run is.
            yield Case(kind, name, dice)
        else:
            yield Case(kind, name, command(dice, place))
