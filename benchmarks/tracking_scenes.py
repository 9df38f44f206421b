"""Composed clips whose truth is known: still photos of faces that move, leave, hide and are cut to.

The faces are web photos beside the checkout (`shared/data/wild`), one person each, cut out as ovals and drawn over a
blurred background with jitter, changing light and noise. Frames are 640x360 at 25 frames a second, made as they are
read. Still photos are harsh on telling people apart by their clothes (there are none) and easy on finding them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer

Picture = NDArray[np.uint8]

WIDTH, HEIGHT, RATE = 640, 360, 25
# Faces of which more is hidden need not be found.
VISIBLE = 0.5
_SIDE = 220


@dataclass(frozen=True, slots=True)
class Truth:
    """A face of a frame: who it is, and where: left, top, width, height."""

    person: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """A face to draw: whose, where its center lies and how wide its box is, in pixels."""

    person: int
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Moment:
    """What a frame of a scene shows.

    Attributes:
        faces: From back to front.
        background: Number of the background.
        shift: Where the background lies, in pixels.
        bars: Things in front of everything: left, top, right, bottom.
        light: Factor of the brightness.
        flash: How much white lies over it, 0..1.
        glimpses: Faces that are drawn but are not people to be found.
    """

    faces: list[Placed]
    background: int = 0
    shift: tuple[float, float] = (0.0, 0.0)
    bars: list[tuple[float, float, float, float]] = field(default_factory=list)
    light: float = 1.0
    flash: float = 0.0
    glimpses: list[Placed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip.

    Attributes:
        seconds: Its length.
        at: What it shows at a time in seconds.
        cuts: Times of its cuts in seconds; None where it is open to opinion whether there are any.
    """

    seconds: float
    at: Callable[[float], Moment]
    cuts: tuple[float, ...] | None = ()

    @property
    def frames(self) -> int:
        return round(self.seconds * RATE)


@dataclass(frozen=True, slots=True)
class _Sprite:
    """A face to draw, uint8 (S, S, 3), its opacity, float32 (S, S), and where its box lies, in shares of S."""

    pixels: Picture
    opacity: NDArray[np.float32]
    box: tuple[float, float, float, float]


class Cast:
    """The people of the clips, by number from 0: photos with one face that is found, each of another person.

    Args:
        folder: Photos whose names are ``Person_number.jpg``.
        analyzer: Finds the faces.
        seed: Chooses the people.
        count: How many.
    """

    def __init__(self, folder: Path, analyzer: Analyzer, seed: int = 13, count: int = 12) -> None:
        paths = sorted(folder.glob("*_00*.jpg"))
        rng = np.random.default_rng(seed)
        self._sprites: list[_Sprite] = []
        seen: set[str] = set()
        for index in rng.permutation(len(paths)):
            name = paths[index].stem.rsplit("_", 1)[0]
            image = cv2.imread(str(paths[index]))
            if name in seen or image is None or min(image.shape[:2]) < 250:
                continue
            faces = analyzer.detector.detect(np.asarray(image, np.uint8))
            if len(faces) == 1 and faces[0].score > 0.88:
                seen.add(name)
                self._sprites.append(_sprite(np.asarray(image, np.uint8), faces[0].box))
            if len(self._sprites) == count:
                break
        self._background = cache(_background)

    def frames(self, scene: Scene, seed: int = 0) -> Iterator[tuple[Picture, list[Truth]]]:
        """The frames of a clip, uint8 (360, 640, 3) BGR, each with the faces that are to be found."""
        rng = np.random.default_rng(seed)
        for number in range(scene.frames):
            yield self._frame(scene.at(number / RATE), rng)

    def _frame(self, moment: Moment, rng: np.random.Generator) -> tuple[Picture, list[Truth]]:
        background = self._background(moment.background)
        shift = np.array([[1, 0, moment.shift[0] - 320], [0, 1, moment.shift[1] - 180]], np.float32)
        canvas = cv2.warpAffine(background, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT).astype(np.float32)
        covers: list[NDArray[np.float32]] = []
        truths: list[Truth] = []
        for face in moment.faces:
            cover, box = self._draw(canvas, face, rng)
            covers.append(cover)
            truths.append(Truth(face.person, box))
        covers.extend(self._draw(canvas, face, rng, light=0.45)[0] for face in moment.glimpses)
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        for left, top, right, bottom in moment.bars:
            canvas[max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)] = (60, 70, 80)
            mask[max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)] = 1
        covers.append(mask)
        visible = [truth for k, truth in enumerate(truths) if _visible(truth.box, covers[k + 1 :]) > VISIBLE]
        canvas = canvas * moment.light * (1 - moment.flash) + 255 * moment.flash
        small = rng.normal(0, 5, (HEIGHT // 2, WIDTH // 2)).astype(np.float32)
        canvas += cv2.resize(small, (WIDTH, HEIGHT))[..., None]
        return np.clip(canvas, 0, 255).astype(np.uint8), visible

    def _draw(
        self, canvas: NDArray[np.float32], face: Placed, rng: np.random.Generator, light: float = 1.0
    ) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
        sprite = self._sprites[face.person]
        x, y = face.x + rng.normal(0, 0.4), face.y + rng.normal(0, 0.4)
        left, top, width, height = sprite.box
        scale = face.width / (width * _SIDE)
        turn = np.deg2rad(4 * np.sin(0.9 * x / 40 + face.person))
        cos, sin = scale * np.cos(turn), scale * np.sin(turn)
        middle = np.array([(left + width / 2) * _SIDE, (top + height / 2) * _SIDE])
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
        matrix[:, 2] = np.array([x, y]) - matrix[:, :2] @ middle
        radius = math.ceil(0.75 * scale * _SIDE) + 2
        x0, y0, x1, y1 = max(0, int(x) - radius), max(0, int(y) - radius), int(x) + radius, int(y) + radius
        size = max(1, min(WIDTH, x1) - x0), max(1, min(HEIGHT, y1) - y0)
        matrix[:, 2] -= x0, y0
        cover = np.zeros((HEIGHT, WIDTH), np.float32)
        h = face.width * height / width
        box = (x - face.width / 2, y - h / 2, face.width, h)
        if x0 >= WIDTH or y0 >= HEIGHT or x1 <= 0 or y1 <= 0:
            return cover, box
        pixels = cv2.warpAffine(sprite.pixels, matrix, size, flags=cv2.INTER_AREA).astype(np.float32)
        part = cv2.warpAffine(sprite.opacity, matrix, size, flags=cv2.INTER_LINEAR)
        place = slice(y0, y0 + size[1]), slice(x0, x0 + size[0])
        cover[place] = part
        gain = light * (1 + 0.08 * np.sin(x / 37 + face.person))
        canvas[place] += part[..., None] * (gain * pixels - canvas[place])
        return cover, box


def _sprite(image: Picture, box: tuple[float, float, float, float]) -> _Sprite:
    height, width = image.shape[:2]
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    left, top, w, h = box[0] / width, box[1] / height, box[2] / width, box[3] / height
    away = np.hypot((columns - left - w / 2) / (0.62 * w), (rows - top - h / 2) / (0.6 * h))
    opacity = np.clip((1.0 - away) / 0.08, 0, 1).astype(np.float32)
    opacity[[0, -1]] = opacity[:, [0, -1]] = 0
    return _Sprite(np.asarray(small, np.uint8), opacity, (left, top, w, h))


def _background(number: int) -> Picture:
    """A blurred texture twice as wide and high as a frame, uint8 (720, 1280, 3)."""
    rng = np.random.default_rng(1000 + number)
    coarse = rng.uniform(20, 200, (9, 16, 3)).astype(np.float32)
    fine = rng.normal(0, 14, (90, 160, 1)).astype(np.float32)
    texture = cv2.resize(coarse, (1280, 720), interpolation=cv2.INTER_CUBIC)
    texture += cv2.resize(fine, (1280, 720), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.clip(texture, 0, 255).astype(np.uint8)


def _visible(box: tuple[float, float, float, float], covers: list[NDArray[np.float32]]) -> float:
    """The share of a box that is inside the frame and not covered."""
    left, top, width, height = box
    x0, y0 = max(0, round(left)), max(0, round(top))
    x1, y1 = min(WIDTH, round(left + width)), min(HEIGHT, round(top + height))
    if x1 <= x0 or y1 <= y0:
        return 0.0
    free = np.ones((y1 - y0, x1 - x0), np.float32)
    for cover in covers:
        free *= 1 - cover[y0:y1, x0:x1]
    return float(free.sum() / (width * height))


def _swing(low: float, high: float, period_s: float, time_s: float, phase: float = 0.0) -> float:
    return low + (high - low) * (0.5 - 0.5 * float(np.cos(2 * np.pi * time_s / period_s + phase)))


def _still(people: list[int], y: float = 170, width: float = 80) -> list[Placed]:
    step = WIDTH / (len(people) + 1)
    return [Placed(person, step * (k + 1), y, width) for k, person in enumerate(people)]


def _cross(period_s: float) -> Callable[[float], Moment]:
    def at(time_s: float) -> Moment:
        x = _swing(90, 550, period_s, time_s)
        return Moment([Placed(0, x, 160, 80), Placed(1, WIDTH - x, 175, 90)])

    return at


def _bounce(time_s: float) -> Moment:
    near = _swing(0, 200, 3.0, time_s)
    return Moment([Placed(2, 90 + near, 170, 80), Placed(3, 550 - near, 170, 80)])


def _crowd(time_s: float) -> Moment:
    faces = [
        Placed(
            k,
            _swing(60, 580, 7 + 0.9 * k, time_s, 2.4 * k),
            _swing(80, 280, 5 + 0.7 * k, time_s, 1.3 * k),
            58 + 3 * k,
        )
        for k in range(8)
    ]
    return Moment(faces)


_GAPS = ((2.0, 0.6), (4.5, 1.2), (7.5, 3.0), (12.5, 6.0))
"""When a person is away in `leave`: from when, how many seconds."""


def _leave(time_s: float) -> Moment:
    # Walks out to the right within 0.4 s, and comes back the same way.
    x = 450.0
    for begin, length in _GAPS:
        out = min(max((time_s - begin + 0.4) / 0.4, 0), 1) - min(max((time_s - begin - length) / 0.4, 0), 1)
        x += 260 * out
    return Moment([Placed(4, 180, 170, 85), Placed(5, x, 165, 85)])


_HIDES = ((1.5, 0.3), (3.3, 1.0), (6.0, 2.0), (9.5, 4.0))


def _occluder(time_s: float) -> Moment:
    bars = [(380.0, 0.0, 530.0, 360.0) for begin, length in _HIDES if begin <= time_s < begin + length]
    return Moment([Placed(6, 180, 170, 85), Placed(7, 455 + 8 * np.sin(time_s), 165, 85)], bars=bars)


def _shot_reverse(time_s: float) -> Moment:
    shot = int(time_s / 1.6 + 1e-6)
    person = shot % 2
    sway = 12 * np.sin(1.3 * time_s)
    return Moment([Placed(8 + person, 320 + sway, 175, 130)], background=1 + person)


def _cuts(time_s: float) -> Moment:
    shot = int(time_s / 2 + 1e-6)
    sway = 10 * np.sin(1.1 * time_s)
    faces = [
        [Placed(0, 150 + sway, 160, 80), Placed(1, 330, 180 + sway, 90), Placed(2, 510, 170, 80)],
        [Placed(3, 160, 170 + sway, 110), Placed(4, 470 + sway, 180, 110)],
        [Placed(1, 150, 180, 80 + sway / 3), Placed(3, 330 + sway, 170, 85), Placed(0, 500, 180 + sway, 95)],
    ][min(shot, 2)]
    return Moment(faces, background=3 + shot)


def _zoom_shake(time_s: float) -> Moment:
    zoom = 1.9 if int(time_s / 1.5 + 1e-6) % 2 else 1.0
    shake_x, shake_y = 14 * np.sin(11 * time_s), 9 * np.sin(13 * time_s + 1)
    faces = [
        Placed(person, 320 + zoom * x + shake_x, 180 + zoom * y + shake_y, zoom * 72)
        for person, x, y in ((10, -90, -5), (11, 85, 8))
    ]
    return Moment(faces, shift=(shake_x, shake_y))


def _flashes(time_s: float) -> Moment:
    flash = max((1 - abs(time_s - at) / 0.06 for at in (1.0, 1.3, 2.6, 4.0)), default=0)
    light = 0.65 if 4.6 < time_s < 5.2 else 1.0
    return Moment(_still([0, 1]), flash=0.85 * min(max(flash, 0), 1), light=light)


def _fast(time_s: float) -> Moment:
    # A pan that whips to and fro, and a large thing that crosses the picture.
    pan = 320 * np.sin(np.pi * (time_s - 2) / 0.6) * np.sin(np.pi * (time_s - 2) / 2.4) if 2 < time_s < 4.4 else 0.0
    bars = [(2000 * (time_s - 5) - 250, 0, 2000 * (time_s - 5), 360)] if 5 <= time_s < 5.6 else []
    faces = [Placed(2, 220 + 0.25 * pan, 170, 80), Placed(3, 430 + 0.25 * pan, 170, 80)]
    return Moment(faces, shift=(pan, 0), bars=bars)


def _ghosts(time_s: float) -> Moment:
    glimpses = [
        Placed(6 + k, 90 + 150.0 * k, 70 + 10 * k, 40) for k in range(4) if 1 + 1.2 * k <= time_s < 1.24 + 1.2 * k
    ]
    return Moment(_still([4, 5], y=220), glimpses=glimpses)


SCENES: dict[str, Scene] = {
    "still3": Scene(4, lambda time_s: Moment(_still([0, 1, 2]))),
    "cross_slow": Scene(6, _cross(6.0)),
    "cross_fast": Scene(5, _cross(2.5)),
    "bounce": Scene(6, _bounce),
    "crowd8": Scene(10, _crowd),
    "leave": Scene(20, _leave),
    "occluder": Scene(15, _occluder),
    "shot_reverse": Scene(16, _shot_reverse, tuple(1.6 * k for k in range(1, 10))),
    "cuts": Scene(6, _cuts, (2.0, 4.0)),
    "zoom_shake": Scene(9, _zoom_shake, None),
    "flashes": Scene(6, _flashes),
    "fast": Scene(6.5, _fast),
    "ghosts": Scene(6, _ghosts),
}
"""The clips, by name."""
