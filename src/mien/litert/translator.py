"""What is needed to say an ONNX operation in LiteRT's terms: values and shapes of both, side by side.

LiteRT lays pictures out with channels last, and names axes and pads accordingly; all else keeps its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.litert.graph import Graph, Node, clip_range
from mien.litert.writer import LiteRtWriter

# From this version on LiteRT's operations take weights in 8 bits with a scale per channel.
_HYBRID = {"CONV_2D": 5, "DEPTHWISE_CONV_2D": 6, "FULLY_CONNECTED": 12}


class UnsupportedError(ModelError):
    """An operation, or a setting of one, that cannot be written."""


class Translator:
    """The values of a graph on their way into a file.

    Args:
        graph: What to write.
        writer: Where to.
        faces: Number of the tensor with normalized faces, channels last.
    """

    def __init__(self, graph: Graph, writer: LiteRtWriter, faces: int) -> None:
        self._graph, self._writer = graph, writer
        self._tensors = {graph.input: faces}

    def keep(self, name: str, number: int) -> None:
        """Note which tensor a value is."""
        self._tensors[name] = number

    def shape(self, name: str) -> tuple[int, ...]:
        """A value's shape as LiteRT lays it out."""
        return _channels_last(self._graph.shapes[name])

    def onnx_shape(self, name: str) -> tuple[int, ...]:
        """A value's shape as ONNX lays it out."""
        return self._graph.shapes[name]

    def fixed(self, name: str) -> NDArray[Any] | None:
        """A constant as ONNX lays it out; None for computed values."""
        return self._graph.constants.get(name)

    def weights_of(self, node: Node, number: int = 1) -> NDArray[np.float32]:
        """An input that must be constant."""
        values = self.fixed(node.inputs[number])
        if values is None:
            raise refused(node, "weights that are computed")
        return np.asarray(values, np.float32)

    def bias_of(self, node: Node, count: int) -> int:
        """The third input of a convolution or dense layer, zeros where there is none."""
        named = len(node.inputs) > 2 and node.inputs[2]
        values = self.weights_of(node, 2) if named else np.zeros(count, np.float32)
        return self._writer.constant(f"{node.output}/bias", values.reshape(-1))

    def limits_of(self, node: Node) -> tuple[float, float]:
        """See `clip_range`."""
        return clip_range(node, self._graph)

    def tensor(self, name: str, rank: int) -> int:
        """The tensor of a value that goes into an operation with one of this rank."""
        if name in self._tensors:
            return self._tensors[name]
        values = np.asarray(self._graph.constants[name], np.float32)
        if rank == 4:
            # Shapes of fewer axes are meant to be filled up from the left.
            values = values.reshape((1,) * (4 - values.ndim) + values.shape).transpose(0, 2, 3, 1)
        return self._writer.constant(name, np.ascontiguousarray(values))

    def add(
        self, operator: str, inputs: Sequence[int], node: Node, options: Any = None, version: int = 1, part: str = ""
    ) -> int:
        """Append an operation that gives a node's result, or a part on the way to it of the same shape."""
        name = f"{node.output}/{part}" if part else node.output
        return self._writer.add(operator, inputs, name, self.shape(node.output), options, version)

    def add_shaped(self, operator: str, inputs: Sequence[int], name: str, shape: Sequence[int], options: Any) -> int:
        """Append an operation that gives another shape than the node's."""
        return self._writer.add(operator, inputs, name, shape, options)

    def weigh(
        self, operator: str, node: Node, values: NDArray[np.float32], channel: int, options: Any, small: bool = True
    ) -> int:
        """Append a convolution or dense layer.

        Args:
            operator: LiteRT's name for it.
            node: The node.
            values: Weights as LiteRT lays them out.
            channel: Their axis of output channels.
            options: Settings.
            small: Whether the weights may be in 8 bits.
        """
        name = f"{node.output}/weights"
        weights, is_small = (
            self._writer.weights(name, values, channel) if small else (self.constant(name, values), False)
        )
        given = self.tensor(node.inputs[0], len(self.onnx_shape(node.output)))
        inputs = [given, weights, self.bias_of(node, values.shape[channel])]
        return self.add(operator, inputs, node, options, _HYBRID[operator] if is_small else 1)

    def numbers(self, name: str, values: Sequence[int]) -> int:
        """A constant of whole numbers."""
        return self._writer.constant(name, np.array(values, np.int32))

    def number(self, name: str, value: float) -> int:
        """A constant with one number."""
        return self._writer.constant(name, np.array(value, np.float32))

    def constant(self, name: str, values: NDArray[np.float32]) -> int:
        """A constant as LiteRT lays it out."""
        return self._writer.constant(name, values)

    def pad(self, node: Node, pads: Sequence[int], value: float) -> None:
        """Lay a border around a picture before the node takes it."""
        top, left, bottom, right = pads
        name = f"{node.output}/padded"
        batch, height, width, channels = self.shape(node.inputs[0])
        shape = (batch, height + top + bottom, width + left + right, channels)
        borders = self._writer.constant(
            f"{name}/pads", np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
        )
        inputs = [self._tensors[node.inputs[0]], borders]
        if value:
            inputs.append(self.number(f"{name}/value", value))
            padded = self._writer.add("PADV2", inputs, name, shape, schema.PadV2OptionsT())
        else:
            padded = self._writer.add("PAD", inputs, name, shape, schema.PadOptionsT())
        self._tensors[name] = padded
        self._graph.shapes[name] = (batch, channels, *shape[1:3])
        node.inputs = [name, *node.inputs[1:]]


def _channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape


def refused(node: Node, what: str) -> UnsupportedError:
    """What to raise for a setting that cannot be written."""
    return UnsupportedError(f"has the operation {node.kind} with {what}, which mien cannot write as .tflite")
