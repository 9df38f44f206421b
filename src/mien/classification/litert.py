"""Reading faces with a ``.tflite`` file, as phones do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.classification.base import PHOTO, check_head
from mien.classification.classifier import ambiguity, answer
from mien.classification.model_config import parse_config
from mien.errors import MissingExtraError, ModelError, OptionError
from mien.options import available_cores

SUFFIX = ".tflite"
FACES, PROBABILITIES, LOGITS = "faces", "probabilities", "logits"
"""What the input and the two outputs are called."""
NOTE = "mien.json"
"""Name of the metadata: see `mien.litert.network.describe`."""


def file_names(name: str) -> tuple[str, str, str]:
    """What the files of a model are called: in 32 bits, in 8 bits, and their description."""
    return f"{name}{SUFFIX}", f"{name}-int8{SUFFIX}", f"{name}.json"


class LiteRtClassifier:
    """A ``.tflite`` file that ``mien export --litert`` wrote.

    Safe to use from several threads; they take turns.

    Args:
        path: The file.
        device: ``auto`` or ``cpu``.
        threads: Threads for one run; 0 takes all cores.
        precision: ``auto``, or the one that the file has.

    Attributes:
        config: What is known of the model.
        precision: ``fp32`` or ``int8``, whichever the file has.

    Raises:
        MissingExtraError: If LiteRT is not installed.
        ModelError: If the file is damaged, or was not written by mien.
        OptionError: If there is no such file, or the device or the precision is not possible.
    """

    def __init__(self, path: Path, device: str = "auto", threads: int = 0, precision: str = "auto") -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtraError("running .tflite files", "phone") from error
        if device not in ("auto", "cpu"):
            raise OptionError(f"must be auto or cpu for a .tflite file, found {device!r}", field="device")
        content = _read(path)
        notes = _read_note(content, path)
        self.config = parse_config(notes.get("config"), path)
        self.precision = str(notes.get("precision"))
        if precision not in ("auto", self.precision):
            raise OptionError(f"must be auto or {self.precision} for this file, found {precision!r}", field="precision")
        self._file = path
        self._turn = Lock()
        try:
            self._interpreter: Any = Interpreter(model_content=content, num_threads=threads or available_cores())
            self._interpreter.allocate_tensors()
            signature = self._interpreter._get_full_signature_list()["serving_default"]
            self._input = signature["inputs"][FACES]
            self._outputs = [signature["outputs"][name] for name in (PROBABILITIES, LOGITS)]
            self._run(np.full((1, self.input_size, self.input_size), 128, np.uint8))
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError("cannot be run by LiteRT: it is damaged, or newer than this LiteRT", path) from error

    @property
    def input_size(self) -> int:
        """Side in pixels of the crops that `predict_proba` takes."""
        return self.config.input_size

    def predict_proba(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], head: str = PHOTO
    ) -> NDArray[np.float32]:
        """Calibrated probabilities; see `mien.classification.base.Classifier.predict_proba`.

        The answer for photos is the one that the file itself computes.

        Raises:
            OptionError: If the model has no such head.
            ModelError: If the network answers with infinite numbers or NaN.
        """
        check_head(head, self.config)
        probabilities, logits = self._answers(crops)
        return probabilities if head == PHOTO else answer(logits, self.config, head)

    def predict_with_ambiguity(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """See `mien.classification.base.AmbiguityClassifier`; raises as `predict_proba`."""
        probabilities, logits = self._answers(crops)
        return probabilities, ambiguity(logits, self.config)

    def _answers(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Probabilities (N, 7) and logits (N, heads, 7), finite."""
        if not len(crops):
            heads, labels = len(self.config.heads), len(self.config.labels)
            return [np.zeros((0, labels), np.float32), np.zeros((0, heads, labels), np.float32)]
        answers = self._run(crops)
        if not all(np.isfinite(part).all() for part in answers):
            raise ModelError("answers with infinite numbers or NaN: its weights are damaged", self._file)
        return answers

    def _run(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        faces = np.asarray(crops, np.float32)[..., None]
        with self._turn:
            if self._interpreter.get_input_details()[0]["shape"][0] != len(faces):
                self._interpreter.resize_tensor_input(self._input, faces.shape)
                self._interpreter.allocate_tensors()
            self._interpreter.set_tensor(self._input, faces)
            self._interpreter.invoke()
            return [np.asarray(self._interpreter.get_tensor(number), np.float32) for number in self._outputs]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise OptionError("no such file", path) from None
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", path) from error


def _read_note(content: bytes, path: Path) -> dict[str, Any]:
    """The metadata of a file.

    Raises:
        ModelError: If it has none of mien's.
    """
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != b"TFL3":
        raise ModelError("is not a .tflite file", path)
    try:
        model = schema.Model.GetRootAs(content, 0)
        for number in range(model.MetadataLength()):
            if model.Metadata(number).Name() == NOTE.encode():
                note = model.Buffers(model.Metadata(number).Buffer()).DataAsNumpy().tobytes()
                values = json.loads(note)
                if isinstance(values, dict):
                    return values
    except Exception as error:  # Offsets that lead anywhere raise errors of many kinds.
        raise ModelError("is damaged", path) from error
    raise ModelError("was not written by mien export --litert: it does not say what its answers mean", path)
