"""A model folder's network as a ``.tflite`` file that takes gray values and answers calibrated probabilities."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

import mien
from mien.classification.litert import FACES, LOGITS, NOTE, PROBABILITIES
from mien.classification.model_config import ModelConfig, load_config
from mien.errors import ModelError
from mien.litert.graph import read_graph
from mien.litert.operations import translate
from mien.litert.translator import UnsupportedError
from mien.litert.writer import LiteRtWriter
from mien.preprocessing import CROP_SCALE, CROP_SHIFT


def convert(folder: Path, int8: bool) -> tuple[bytes, dict[str, object]]:
    """Write a model folder's network as LiteRT wants it.

    It takes ``faces``, float32 (1, S, S, 1), gray values 0..255, and answers ``probabilities``, (1, 7), which are the
    calibrated answer for photos, and ``logits``, (1, heads, 7). More faces at a time are possible after resizing.

    Args:
        folder: The model folder.
        int8: Whether to write the weights in 8 bits.

    Returns:
        The file, and the description that is in it as well.

    Raises:
        ModelError: If the network is damaged, or has an operation that cannot be written.
    """
    config = load_config(folder)
    path = folder / "model.onnx"
    graph = read_graph(path)
    side, heads, classes = config.input_size, len(config.heads), len(config.labels)
    writer = LiteRtWriter(int8)
    faces = writer.value(FACES, (1, side, side, 1))
    try:
        logits = translate(graph, writer, _normalize(writer, faces, config))
    except UnsupportedError as error:
        raise ModelError(error.reason, path) from error
    if graph.shapes[graph.input] != (1, 1, side, side) or graph.shapes[graph.output] != (1, heads, classes):
        raise ModelError("takes or answers something else than config.json says", path)
    answers = {PROBABILITIES: _answer(writer, logits, config), LOGITS: logits}
    notes = describe(config, "int8" if int8 else "fp32")
    content = json.dumps(notes, allow_nan=False).encode()
    return writer.finish({FACES: faces}, answers, f"{config.name}: facial expressions", {NOTE: content}), notes


def describe(config: ModelConfig, precision: str) -> dict[str, object]:
    """What an app needs to know: the model's config, and how faces are cut out."""
    return {
        "format": 1,
        "mien": mien.__version__,
        "precision": precision,
        "input": {"name": FACES, "shape": [1, config.input_size, config.input_size, 1], "gray": [0, 255]},
        "outputs": [PROBABILITIES, LOGITS],
        "crop": {"scale": CROP_SCALE, "shift": CROP_SHIFT},
        "config": dataclasses.asdict(config),
    }


def _normalize(writer: LiteRtWriter, faces: int, config: ModelConfig) -> int:
    shape = (1, config.input_size, config.input_size, 1)
    values = 1 / (255 * config.std), -config.mean / config.std
    factor, shift = (
        writer.constant(f"{FACES}/{name}", np.array(value, np.float32))
        for name, value in zip(("factor", "shift"), values, strict=True)
    )
    scaled = writer.add("MUL", [faces, factor], f"{FACES}/scaled", shape, schema.MulOptionsT())
    return writer.add("ADD", [scaled, shift], f"{FACES}/normalized", shape, schema.AddOptionsT())


def _answer(writer: LiteRtWriter, logits: int, config: ModelConfig) -> int:
    """The answer for photos: `mien.classification.classifier.answer` in LiteRT's operations."""
    heads, classes = len(config.heads), len(config.labels)
    biases = np.array(config.biases) - config.prior_power * np.log(config.priors)

    def constant(name: str, values: NDArray[np.float64]) -> int:
        return writer.constant(f"{PROBABILITIES}/{name}", values.astype(np.float32))

    def name(step: str) -> str:
        return f"{PROBABILITIES}/{step}"

    each, softmax, reduce = (1, heads, classes), schema.SoftmaxOptionsT(), schema.ReducerOptionsT()
    softmax.beta, reduce.keepDims = 1.0, False
    scales = constant("scales", np.array(config.scales)[None])
    value = writer.add("MUL", [logits, scales], name("scaled"), each, schema.MulOptionsT())
    value = writer.add("ADD", [value, constant("biases", biases[None])], name("shifted"), each, schema.AddOptionsT())
    value = writer.add("SOFTMAX", [value], name("heads"), each, softmax)
    axis = writer.constant(name("axis"), np.array([1], np.int32))
    weights = constant("weights", np.array(config.head_weights)[None, :, None])
    value = writer.add("MUL", [value, weights], name("weighted"), each, schema.MulOptionsT())
    value = writer.add("SUM", [value, axis], name("mean"), (1, classes), reduce)
    least = constant("least", np.array(1e-9))
    value = writer.add("ADD", [value, least], name("above_zero"), (1, classes), schema.AddOptionsT())
    value = writer.add("LOG", [value], name("logarithm"), (1, classes))
    cooling = constant("cooling", np.array(1 / config.photo_temperature))
    value = writer.add("MUL", [value, cooling], name("cooled"), (1, classes), schema.MulOptionsT())
    return writer.add("SOFTMAX", [value], PROBABILITIES, (1, classes), softmax)
