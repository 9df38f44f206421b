"""Faces cut out of pictures, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.detection import Frame
    from mien.results import FrameResult


def open_crops(folder: Path, force: bool) -> None:
    """Make a folder for crops.

    Args:
        folder: The folder.
        force: Whether there may be files in it, to be replaced by those of the same name.

    Raises:
        OptionError: If there are files in it already, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise OptionError(f"--crops {folder}: folder cannot be made: {error.strerror}") from error
    if not is_empty and not force:
        raise OptionError(f"--crops {folder}: is not empty; choose a new folder, or add --force to replace files in it")


def write_crops(frame: Frame, result: FrameResult, folder: Path, relative: Path) -> None:
    """Write the faces of a picture, ``a.jpg-1.png``, ``a.jpg-2.png``, ... from left to right.

    Args:
        frame: The picture.
        result: Its faces.
        folder: Where to.
        relative: Name of the picture below the folder.
    """
    from mien.images import write_image
    from mien.preprocessing import crop_face

    for number, face in enumerate(result, start=1):
        target = folder / relative.with_name(f"{relative.name}-{number}.png")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_image(crop_face(frame, face), target)
