"""Faces found, by their size and that of the picture, and what is taken for a face and is none.

    python benchmarks/detection.py PHOTOS --backgrounds FOLDER --fer-python other-env/bin/python

Faces of PHOTOS, a folder of photos with one large face each, are pasted at random places, with soft edges, onto
pictures without faces: those of scikit-image and scikit-learn and the photos and videos of ``--backgrounds``, enlarged
so that four times four of them fill the picture. The result is saved as JPEG and read again. The size of a face is the
longer side of its box. A face counts as found if a box shares three tenths with it (intersection over union); what is
found elsewhere is false. Prints two Markdown tables: faces found by size, and what is found in backgrounds without
faces. Detectors: mien as photos are searched (``auto``), mien with ``detect_size=640``, OpenCV's Haar cascade as mien
runs it, and ``fer`` if an environment with it is named.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from mien import read_image
from mien.detection import DetectedFace, Frame, create_detector
from mien.detection.base import PhotoDetector
from mien.detection.tiles import is_same
from mien.files import is_video
from mien.images import is_picture
from mien.video.reader import open_video

Box = tuple[float, ...]
SIZES = (12, 16, 20, 24, 32, 45, 64, 100, 200)
PICTURES = {2: (2000, 1000), 12: (4000, 3000), 48: (8000, 6000)}
"""Megapixels, and width and height."""
FACES, LEAST = 120, 100
"""How many faces are pasted, and how large they must be in their photos."""
# Among the pictures of scikit-image these show neither faces nor drawings of them.
NAMES = [
    "coffee.png",
    "rocket.jpg",
    "chelsea.png",
    "gravel.png",
    "brick.png",
    "grass.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "retina.jpg",
    "ihc.png",
    "moon.png",
    "page.png",
    "text.png",
    "clock_motion.png",
]
_FER = """
import json, sys
import cv2
try:
    from fer.fer import FER
except ImportError:
    from fer import FER
detector = FER()
for line in sys.stdin:
    boxes = detector.find_faces(cv2.imread(line.strip()))
    print("JSON" + json.dumps([[int(value) for value in box] for box in boxes]), flush=True)
"""


def main(
    photos: Annotated[Path, typer.Argument(help="Folder of photos with one large face each.")],
    backgrounds: Annotated[Path | None, typer.Option(help="Folder with more photos and videos without faces.")] = None,
    fer_python: Annotated[Path | None, typer.Option(help="Python of an environment with fer.")] = None,
    faces: Annotated[int, typer.Option(help="Faces in a picture, at most.")] = 40,
    seeds: Annotated[int, typer.Option(help="Pictures per size.")] = 1,
) -> None:
    """Print the tables."""
    looks = {"mien, auto": photo_search(), "mien, 640": create_detector("yunet", threads=1, detect_size=640).detect}
    looks["haar"] = create_detector("haar", threads=1).detect
    cutouts = list(islice(read_faces(photos), FACES))
    own = list(own_pictures(backgrounds)) if backgrounds else []
    grounds = [*shipped_pictures(), *own]
    with tempfile.TemporaryDirectory() as folder, Fer(fer_python, Path(folder)) as fer:
        searches: dict[str, Callable[[Frame], list[Box]]] = {name: boxes_of(look) for name, look in looks.items()}
        if fer_python:
            searches["fer"] = fer.find
        print(row("megapixels", "size of the faces", "faces", *searches))
        print("|---:|---:|---:|" + "---:|" * len(searches))
        for mega, shape in PICTURES.items():
            for size in SIZES:
                found, false, count = dict.fromkeys(searches, 0), dict.fromkeys(searches, 0), 0
                for seed in range(seeds):
                    dice = np.random.default_rng((mega, size, seed))
                    picture, truth = compose(dice, shape, size, faces, cutouts, grounds)
                    count += len(truth)
                    for name, search in searches.items():
                        right, wrong = compare(search(picture), truth)
                        found[name] += right
                        false[name] += wrong
                cells = [f"{found[name] / count:.0%}, {false[name]} false" for name in searches]
                print(row(mega, size, count, *cells), flush=True)
        print("\n" + row("without faces", "pictures", *searches), "\n|---|---:|" + "---:|" * len(searches))
        empty = {
            f"{mega} megapixels": [
                background(np.random.default_rng((mega, seed)), PICTURES[mega], grounds) for seed in range(seeds)
            ]
            for mega in PICTURES
        }
        for what, pictures in (empty | ({"as they are": own} if own else {})).items():
            counts = [sum(len(search(picture)) for picture in pictures) for search in searches.values()]
            print(row(what, len(pictures), *(f"{count} false" for count in counts)), flush=True)


def photo_search() -> Callable[[Frame], list[DetectedFace]]:
    """The search of photos, as large as they are."""
    detector = create_detector("yunet", threads=1)
    assert isinstance(detector, PhotoDetector)
    return detector.detect_in_photo


def boxes_of(look: Callable[[Frame], list[DetectedFace]]) -> Callable[[Frame], list[Box]]:
    """A search that answers boxes alone."""
    return lambda picture: [face.box for face in look(picture)]


def read_faces(photos: Path) -> Iterator[tuple[Frame, Box]]:
    """Photos, in a fixed random order, with the box of their largest face."""
    detector = create_detector("yunet", threads=1)
    paths = sorted(photos.glob("*.jpg"))
    for number in np.random.default_rng(0).permutation(len(paths)):
        photo = read_image(paths[number])
        best = max(detector.detect(photo), key=lambda face: face.box[2], default=None)
        if best is not None and max(best.box[2:]) >= LEAST:
            yield photo, best.box


def shipped_pictures() -> Iterator[Frame]:
    """Photos without faces that come with scikit-image and scikit-learn."""
    import skimage
    import sklearn.datasets

    for name in NAMES:
        yield read_image(Path(skimage.__file__).parent / "data" / name)
    for name in ("china.jpg", "flower.jpg"):
        yield read_image(Path(sklearn.datasets.__file__).parent / "images" / name)


def own_pictures(folder: Path) -> Iterator[Frame]:
    """Photos of a folder, and every twentieth frame of its videos."""
    for path in sorted(folder.iterdir()):
        if is_video(path):
            with open_video(path) as video:
                yield from (frame.image for number, frame in enumerate(video) if number % 20 == 0)
        elif is_picture(path):
            yield read_image(path)


def background(dice: np.random.Generator, size: tuple[int, int], grounds: Sequence[Frame]) -> Frame:
    """A picture of four times four others, enlarged, half of them mirrored."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    width, height = size[0] // 4, size[1] // 4
    for place in range(16):
        ground = grounds[int(dice.integers(len(grounds)))]
        scale = max(height / ground.shape[0], width / ground.shape[1])
        down, across = min(ground.shape[0], int(height / scale)), min(ground.shape[1], int(width / scale))
        top, left = dice.integers(ground.shape[0] - down + 1), dice.integers(ground.shape[1] - across + 1)
        part = ground[top : top + down, left : left + across][:, :: dice.choice((1, -1))]
        y, x = height * (place // 4), width * (place % 4)
        interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        picture[y : y + height, x : x + width] = cv2.resize(part, (width, height), interpolation=interpolation)
    return picture


def compose(
    dice: np.random.Generator,
    size: tuple[int, int],
    side: int,
    count: int,
    faces: Sequence[tuple[Frame, Box]],
    grounds: Sequence[Frame],
) -> tuple[Frame, list[Box]]:
    """A picture with faces of one size that keep clear of each other, and their boxes."""
    picture, boxes = background(dice, size, grounds), list[Box]()
    margin = 1.5 * side
    for _ in range(100 * count):
        x, y = (dice.uniform(margin, length - margin) for length in size)
        near = (max(abs(x - b[0] - b[2] / 2), abs(y - b[1] - b[3] / 2)) < 2.5 * side for b in boxes)
        if len(boxes) < count and not any(near):
            boxes.append(paste(picture, *faces[int(dice.integers(len(faces)))], side, x, y))
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return read_image(encoded.tobytes()), boxes


def paste(picture: Frame, photo: Frame, box: Box, side: int, x: float, y: float) -> Box:
    """Paste a face and what is around it, fading out, with the middle of what is pasted at x and y; its box."""
    reach = 0.36 * max(box[2:])
    left, top = (max(0, round(start - reach)) for start in box[:2])
    right, bottom = round(box[0] + box[2] + reach), round(box[1] + box[3] + reach)
    part, scale = photo[top:bottom, left:right], side / max(box[2:])
    width, height = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(part, (width, height), interpolation=interpolation).astype(np.float32)
    down, across = np.mgrid[0:height, 0:width] + 0.5
    off_center = np.hypot(2 * across / width - 1, 2 * down / height - 1)
    weight = np.clip((1.05 - off_center) / 0.15, 0, 1)[:, :, None]
    x0, y0 = round(x - width / 2), round(y - height / 2)
    place = picture[y0 : y0 + height, x0 : x0 + width]
    place[:] = (weight * small + (1 - weight) * place).round().astype(np.uint8)
    return x0 + (box[0] - left) * scale, y0 + (box[1] - top) * scale, box[2] * scale, box[3] * scale


def compare(found: Sequence[Box], truth: Sequence[Box]) -> tuple[int, int]:
    """How many faces were found, and how many boxes are of none."""
    right = sum(any(is_same(box, face) for box in found) for face in truth)
    return right, sum(not any(is_same(box, face) for face in truth) for box in found)


class Fer:
    """The detector of the package fer, in a process of its own environment; without one it does nothing."""

    def __init__(self, python: Path | None, folder: Path) -> None:
        self._file = folder / "picture.png"
        command = [str(python), "-c", _FER]
        self._process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-3, text=True) if python else None

    def find(self, picture: Frame) -> list[Box]:
        """Its boxes."""
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        cv2.imwrite(str(self._file), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        print(self._file, file=self._process.stdin, flush=True)
        line = next(line for line in self._process.stdout if line.startswith("JSON"))
        return [tuple(box) for box in json.loads(line[4:])]

    def __enter__(self) -> Fer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def row(*cells: object) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    typer.run(main)
