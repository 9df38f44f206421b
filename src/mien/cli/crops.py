"""Faces cut out of pictures, as files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mien.cli.inputs import Input
from mien.cli.output import check_output_folder, refuse_same
from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.detection import Frame
    from mien.results import FrameResult


def check_crops_folder(folder: Path, force: bool) -> None:
    """Refuse a folder that crops cannot, or should not, be written to.

    Args:
        folder: The folder.
        force: Whether there may be files in it, to be replaced by those of the same name.

    Raises:
        OptionError: If there are files in it already, or it cannot be written to.
    """
    check_output_folder("--crops", folder)
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise OptionError(f"--crops {folder}: is not empty; choose a new folder, or add --force to replace files in it")


def check_crops(folder: Path, pictures: Sequence[Input]) -> None:
    """Refuse pictures whose crops would have the same names, or the name of one of the pictures.

    Args:
        folder: Where the crops go.
        pictures: What is to be read.

    Raises:
        OptionError: If that is so.
    """
    read = [picture.path for picture in pictures]
    starts = [folder / picture.relative for picture in pictures]
    refuse_same(f"--crops {folder}", starts, read, "cut them out one by one, into a folder each")
    names = {os.path.realpath(start) for start in starts}
    for path in read:
        crop = re.fullmatch(r"(.+)-\d+\.png", os.path.realpath(path))
        if crop and crop[1] in names:
            raise OptionError(f"--crops {folder}: would overwrite the input file {path}; choose another folder")


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
