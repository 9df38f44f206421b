"""Networks for phones: from a model folder to LiteRT's ``.tflite`` files. Needs the extra ``phone``; no TensorFlow."""

from importlib.util import find_spec

from mien.errors import MissingExtraError

if not all(map(find_spec, ("ai_edge_litert", "flatbuffers", "onnx"))):
    raise MissingExtraError("writing .tflite files", "phone")
