"""``manifest.json``: what made a folder of results, and what it holds."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import mien
from mien.batch.folder import ResultFolder
from mien.batch.reader import FaceReader
from mien.batch.tasks import Receipt
from mien.classification.classifier import choose_file
from mien.classification.model_config import find_model, load_config
from mien.errors import OptionError, OutputError

FILE = "manifest.json"


@dataclass(slots=True)
class BatchReport:
    """What a folder of results holds after a run.

    Attributes:
        photos: Photos read, in this run or before.
        videos: Videos and ranges of videos read.
        faces: Faces in the rows, of videos in every frame.
        rows: Number of rows.
        resumed: How many of the photos, videos and ranges were there before.
        failed: Sources that could not be read, or not to their end: as many as rows in ``_errors.parquet``.
        examples: The first few of these, as lines of text.
        copies: Photos found in this run and left out because they are copies that mien annotated.
        is_complete: Whether all sources were gone through.
    """

    photos: int = 0
    videos: int = 0
    faces: int = 0
    rows: int = 0
    resumed: int = 0
    failed: int = 0
    examples: list[str] = field(default_factory=list)
    copies: int = 0
    is_complete: bool = False

    def add(self, receipt: Receipt) -> None:
        """Count what a task has written."""
        self.photos += receipt.photos
        self.videos += receipt.done - receipt.photos
        self.faces += receipt.faces
        self.rows += receipt.rows
        self.copies += receipt.copies


class Manifest:
    """The manifest of a run; see `prepare`."""

    def __init__(self, folder: ResultFolder, values: dict[str, Any]) -> None:
        self._folder, self._values = folder, values

    @classmethod
    def prepare(cls, folder: ResultFolder, reader: FaceReader, engine: str) -> tuple[Manifest, FaceReader]:
        """The manifest of a run that may begin; nothing is written yet.

        Returns:
            The manifest; and the reader with its precision settled, so that all machines compute the same.

        Raises:
            OptionError: If the folder holds results of another model or of other options, or there is no such model.
            OutputError: If the folder cannot be read.
        """
        options = reader.options
        place = find_model(options.model)
        file = choose_file(place, options.device, options.precision)
        reader = copy.copy(reader)
        reader.options = dataclasses.replace(options, precision="fp32" if file.name == "model.onnx" else "int8")
        config = dataclasses.asdict(load_config(place))
        decisive = {key: value for key, value in config.items() if key not in ("figures", "training")}
        made_by = {
            "model": {
                "name": config["name"],
                "file": file.name,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                # The same network answers otherwise when it is calibrated again.
                "config_sha256": hashlib.sha256(json.dumps(decisive).encode()).hexdigest(),
            },
            "options": dataclasses.asdict(reader.options),
            "video": {"every": reader.every, "detect_every": reader.detect_every, "split_s": reader.split_s},
        }
        before = _load(folder)
        for part, values in made_by.items():
            if before and before.get(part) != values:
                raise OptionError(
                    f"holds results of another {part if part == 'model' else 'set of options'}; choose another folder",
                    folder.place,
                )
        manifest = cls(
            folder, {"mien": mien.__version__, **made_by, "engine": engine, "started": _now(), "complete": False}
        )
        return manifest, reader

    def begin(self) -> None:
        """Write what is known as the run begins.

        Raises:
            OutputError: If the folder cannot be written to.
        """
        self._write()

    def end(self, report: BatchReport) -> None:
        """Write what the folder holds now."""
        self._values |= {
            "finished": _now(),
            "complete": report.is_complete,
            "counts": {
                "photos": report.photos,
                "videos": report.videos,
                "faces": report.faces,
                "rows": report.rows,
                "errors": report.failed,
            },
        }
        self._write()

    def _write(self) -> None:
        self._folder.write(FILE, (json.dumps(self._values, indent=2) + "\n").encode())


def _load(folder: ResultFolder) -> dict[str, Any] | None:
    content = folder.read(FILE)
    if content is None:
        return None
    try:
        values = json.loads(content)
    except ValueError:
        values = None
    if not isinstance(values, dict) or "model" not in values:
        raise OutputError("was not written by mien batch; choose another folder", f"{folder.place}/{FILE}")
    return values


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
