"""An ONNX network as a list of simple nodes, for one face at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, shape_inference

from mien.errors import ModelError

# What LiteRT computes together with an activation that follows.
_FUSE = frozenset({"Conv", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "AveragePool", "MaxPool"})
# Only the first so many inputs count: the sizes to enlarge to are known from the shapes.
_INPUTS = {"Resize": 1}


@dataclass(slots=True)
class Node:
    """One operation.

    Attributes:
        kind: ONNX's name for it.
        inputs: Names of what it takes; empty where an optional input is left out.
        output: Name of what it gives.
        attributes: Its settings.
        activation: What follows it at once: ``NONE``, ``RELU`` or ``RELU6``.
    """

    kind: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any]
    activation: str = "NONE"


@dataclass(slots=True)
class Graph:
    """A network.

    Attributes:
        nodes: Its operations, each after those whose results it takes.
        constants: Weights and other fixed values by name.
        shapes: Shape of every value, with one face, as ONNX lays it out: channels before rows and columns.
        input: Name of the faces.
        output: Name of the answer.
    """

    nodes: list[Node]
    constants: dict[str, NDArray[Any]]
    shapes: dict[str, tuple[int, ...]]
    input: str
    output: str


def read_graph(path: Path) -> Graph:
    """Read an ONNX file with one input and one output.

    Raises:
        ModelError: If it is damaged, or has several inputs or outputs.
    """
    try:
        model = shape_inference.infer_shapes(_for_one_face(onnx.load(path)), data_prop=True)
    except Exception as error:  # Damaged files raise errors of protobuf, of ONNX and of Python.
        raise ModelError("cannot be read as an ONNX network", path) from error
    proto = model.graph
    constants = {value.name: numpy_helper.to_array(value) for value in proto.initializer}
    for node in proto.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    inputs = [value.name for value in proto.input if value.name not in constants]
    if len(inputs) != 1 or len(proto.output) != 1:
        raise ModelError(f"has {len(inputs)} inputs and {len(proto.output)} outputs, expected one of each", path)
    graph = Graph([], constants, {}, inputs[0], proto.output[0].name)
    for value in (*proto.input, *proto.value_info, *proto.output):
        graph.shapes[value.name] = tuple(int(size.dim_value) for size in value.type.tensor_type.shape.dim)
    graph.nodes = _needed([_node(node) for node in proto.node if node.output[0] not in constants], graph.output)
    _fuse_activations(graph)
    return graph


def _for_one_face(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    for value in (*graph.input, *graph.value_info, *graph.output):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param and size.dim_param == graph.input[0].type.tensor_type.shape.dim[0].dim_param:
                size.Clear()
                size.dim_value = 1
    return model


def _node(proto: onnx.NodeProto) -> Node:
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in proto.attribute}
    inputs = list(proto.input)[: _INPUTS.get(proto.op_type)]
    return Node(proto.op_type, inputs, proto.output[0], attributes)


def _needed(nodes: list[Node], output: str) -> list[Node]:
    """The nodes on whose results the output depends."""
    wanted, kept = {output}, []
    for node in reversed(nodes):
        if node.output in wanted:
            wanted.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _fuse_activations(graph: Graph) -> None:
    uses: dict[str, int] = {graph.output: 1}
    for node in graph.nodes:
        for name in node.inputs:
            uses[name] = uses.get(name, 0) + 1
    makers = {node.output: node for node in graph.nodes}
    kept = []
    for node in graph.nodes:
        maker = makers.get(node.inputs[0])
        activation = "RELU" if node.kind == "Relu" else "RELU6" if _is_relu6(node, graph) else "NONE"
        if (
            activation != "NONE"
            and maker is not None
            and maker.kind in _FUSE
            and maker.activation == "NONE"
            and uses[maker.output] == 1
        ):
            maker.activation, maker.output = activation, node.output
            makers[node.output] = maker
        else:
            kept.append(node)
    graph.nodes = kept


def _is_relu6(node: Node, graph: Graph) -> bool:
    return node.kind == "Clip" and clip_range(node, graph) == (0.0, 6.0)


def clip_range(node: Node, graph: Graph) -> tuple[float, float]:
    """The least and the largest value that a ``Clip`` lets through."""
    limits = [-np.inf, np.inf]
    for number, name in enumerate(node.inputs[1:3]):
        if name:
            limits[number] = float(graph.constants[name].item())
    return limits[0], limits[1]
