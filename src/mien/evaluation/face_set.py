"""Face crops with labels, in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError

FACE_SIDE = 48
USAGES = ("Training", "PublicTest", "PrivateTest")
"""FER-2013's names for its splits: to learn from, to choose by, and for the final test."""


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Gray face crops with labels, held in memory.

    Attributes:
        pixels: uint8 (N, 48, 48).
        labels: int64 (N,), FER-2013's class numbers 0 to 6.
        usage: str (N,), one of `USAGES`.
        votes: float32 (N, 7), share of FER+ votes per emotion (rows add up to 1, or to 0 where no vote went to one of
            the seven), or None without FER+.
        no_face: bool (N,), rows that most FER+ voters called "not a face", or None without FER+.
        originals: str (N,), `pixel_digest` of the face that each is a varied copy of, or its own where it is none;
            None without copies.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    votes: NDArray[np.float32] | None = None
    no_face: NDArray[np.bool_] | None = None
    originals: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> FaceSet:
        """Some of the faces: where ``which`` (bool, (N,)) is true, or at these 0-based positions (int64)."""
        return FaceSet(
            self.pixels[which],
            self.labels[which],
            self.usage[which],
            None if self.votes is None else self.votes[which],
            None if self.no_face is None else self.no_face[which],
            None if self.originals is None else self.originals[which],
        )

    def of_usage(self, usage: str) -> FaceSet:
        """The faces of one split.

        Raises:
            DataError: If there are none; the message names the usages present.
        """
        require_usage(usage, set(self.usage.tolist()))
        return self.select(self.usage == usage)

    def digests(self) -> NDArray[np.str_]:
        """`pixel_digest` of each face, str (N,): equal for exact duplicates."""
        return np.array([pixel_digest(face) for face in self.pixels])

    def digest(self) -> str:
        """SHA-256 over all pixels, labels and usages: identifies the data a model was trained on."""
        total = hashlib.sha256()
        for array in (self.pixels, self.labels, np.char.encode(self.usage, "ascii")):
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def votes_digest(self) -> str:
        """SHA-256 over the votes and what is said to be no face; empty without votes."""
        if self.votes is None:
            return ""
        total = hashlib.sha256(np.ascontiguousarray(self.votes).tobytes())
        if self.no_face is not None:
            total.update(np.ascontiguousarray(self.no_face).tobytes())
        return total.hexdigest()


def pixel_digest(face: NDArray[np.uint8]) -> str:
    """SHA-1 of a face's pixels, in hex."""
    return hashlib.sha1(face.tobytes()).hexdigest()


def require_usage(usage: str, present: set[str], source: str | None = None) -> None:
    """Make sure that there are faces of a split.

    Args:
        usage: The wanted split.
        present: The splits of the data.
        source: The data, to be named in the message.

    Raises:
        DataError: If there are none.
    """
    if usage not in present:
        names = ", ".join(name for name in USAGES if name in present) or "none"
        raise DataError(f"no face has usage {usage!r}; usages present: {names}", source)
