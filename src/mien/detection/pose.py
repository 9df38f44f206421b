"""How a head is turned, estimated from its five landmarks.

A rigid head of average proportions is fitted to the points, seen from far away (scaled orthographic projection).
`benchmarks/head_angles.py` measures how far the angles can be relied on; docs/photos.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mien.results import HeadAngles

# Middles of the eyes, tip of the nose and corners of the mouth in centimeters: to the right as seen, down, and toward
# the viewer. After the mean face of MediaPipe's face mesh (Apache-2.0).
_HEAD = np.array([[-3.15, 0, 0], [3.15, 0, 0], [0, 3.75, 4.01], [-2.46, 6.96, 0.82], [2.46, 6.96, 0.82]])
# The landmarks show the median head of photos of people who face the camera, so many degrees turned upward.
_LEVEL_PITCH = 9.0
_FIT = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))


def head_angles(landmarks: Sequence[tuple[float, float]]) -> HeadAngles:
    """Roll, yaw and pitch of a head in degrees, see `HeadAngles`.

    Args:
        landmarks: Five points as in `DetectedFace.landmarks`.
    """
    points = np.asarray(landmarks, float)
    # The affine map from the head to the picture, and of all rotations the nearest to it.
    left, _, right = np.linalg.svd((_FIT @ (points - points.mean(axis=0))).T, full_matrices=False)
    across, down = left @ right
    toward = np.cross(across, down)
    # The rotation is roll after yaw after pitch; its columns are the axes of the head in the picture.
    roll = math.degrees(math.atan2(down[0], across[0]))
    yaw = math.degrees(math.asin(np.clip(-toward[0], -1, 1)))
    pitch = math.degrees(math.atan2(toward[1], toward[2])) - _LEVEL_PITCH
    return HeadAngles(round(roll, 1), round(yaw, 1), round(pitch, 1))
