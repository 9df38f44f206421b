"""Probabilities over time, divided into columns: what every strip of every front end is drawn from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.emotions import Emotion
from mien.live.colors import Rgb

BRIDGED_S = 0.5
"""A face that is missed for less is shown as seen throughout."""


def average_columns(
    times: ArrayLike, probabilities: ArrayLike, start_s: float, step_s: float, count: int
) -> NDArray[np.float32]:
    """Average probabilities over equal stretches of time.

    Short gaps are filled with what was seen before them: those of up to `BRIDGED_S`, and those that come from frames
    that lie farther apart than that.

    Args:
        times: When the person was seen, in seconds, in order.
        probabilities: What was read then, (N, 7).
        start_s: Where the first stretch begins; what lies outside the stretches is left out.
        step_s: Length of a stretch.
        count: Number of stretches.

    Returns:
        float32 (count, 7), NaN where the person was not seen.
    """
    sums, numbers = np.zeros((count, len(Emotion))), np.zeros(count)
    seconds = np.asarray(times, np.float64)
    places = np.floor((seconds - start_s) / step_s + 1e-9).astype(np.int64)
    inside = (places >= 0) & (places < count)
    if not inside.any():
        return np.full((count, len(Emotion)), np.nan, np.float32)
    np.add.at(sums, places[inside], np.asarray(probabilities, np.float64)[inside])
    np.add.at(numbers, places[inside], 1)
    with np.errstate(invalid="ignore"):
        columns = (sums / numbers[:, None]).astype(np.float32)
    distance_s = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    longest = round(max(BRIDGED_S, 1.5 * distance_s) / step_s)
    for before, after in pairwise(np.flatnonzero(numbers)):
        if 1 < after - before <= longest + 1:
            columns[before + 1 : after] = columns[before]
    return columns


def draw_strip(columns: NDArray[np.floating], height: int, ground: Rgb) -> NDArray[np.uint8]:
    """Emotions over time as a picture: every column divided between the emotions, neutral on top.

    Args:
        columns: Probabilities, (N, 7), NaN where the person was not seen.
        height: In pixels.
        ground: Color where the person was not seen, as (red, green, blue).

    Returns:
        uint8 (height, N, 3), red, green, blue.
    """
    tops = np.cumsum(columns, axis=1)
    level = (np.arange(height)[::-1] + 0.5) / height
    # Which emotion's share each pixel lies in; NaN compares false, so unseen columns come out as 0.
    number = (level[:, None, None] > tops[None] / tops[None, :, -1:]).sum(axis=2)
    picture = np.array([emotion.color for emotion in Emotion], np.uint8)[number.clip(0, len(Emotion) - 1)]
    picture[:, np.isnan(columns[:, 0])] = ground
    return np.asarray(picture, np.uint8)
