"""Many people in a real window: everyone is to be seen, in rows that open, and in what is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driver import Start, count, until
from numpy.typing import NDArray
from PIL import Image

from mien.images import read_image
from mien.video import VideoWriter

PEOPLE = 15
SURFACE, PLATE, WHITE = (38, 38, 38), (56, 56, 56), (255, 255, 255)


@pytest.fixture(scope="module")
def crowd(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute in which fifteen people sit still."""
    path = tmp_path_factory.mktemp("crowd") / "crowd.mp4"
    one = np.asarray(Image.fromarray(astronaut[:280, 100:350]).resize((150, 168), Image.Resampling.BILINEAR))
    with VideoWriter(path) as video:
        for number in range(300):
            video.write(np.tile(one, (3, 5, 1)), number / 5)
    return path


def rows(panel: NDArray[np.uint8], x: int = 5) -> list[int]:
    """The heights of the cards that a column left of their words crosses."""
    inside = (np.abs(panel[:, x].astype(int) - SURFACE).max(axis=1) <= 3).astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside, [0]])))
    return [int(height) for height in edges[1::2] - edges[::2] if height > 10]


def test_everyone_is_in_the_window_and_in_what_is_saved(start: Start, crowd: Path) -> None:
    app = start("--camera", str(crowd))

    def has_more() -> bool:
        """Whether the foot of the panel says that there are more below."""
        return count(app.look()[722:742, 937:941], PLATE) > 40

    until(lambda: len(rows(app.panel())) >= 10, "rows of people")
    until(has_more, "a line that says that there are more")
    app.press("space")
    until(lambda: not app.moves(), "a picture that stands still")

    plain = count(app.picture(), WHITE)
    app.xdotool("mousemove", "1000", "80")
    until(lambda: count(app.picture(), WHITE) > plain + 200, "the box of the person whose row is pointed at")
    before = rows(app.panel())
    app.xdotool("click", "1")
    until(lambda: rows(app.panel())[0] > before[0] + 100, "the row has opened")
    app.xdotool("click", "1")
    until(lambda: rows(app.panel()) == before, "the row has closed")
    app.press("Next", "Next", "Next")
    until(lambda: not has_more(), "the last rows")

    app.press("s")
    until(lambda: app.saved(".png"), "a screenshot")
    picture = read_image(app.saved(".png")[0])[:, 750:, ::-1]
    assert len(rows(np.ascontiguousarray(picture), 8)) == PEOPLE
    app.press("q")
    assert app.wait_for_end() == 0
