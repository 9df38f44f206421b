"""How each operation of ONNX is said in LiteRT's terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from mien.litert.graph import Graph, Node
from mien.litert.translator import Translator, UnsupportedError, refused
from mien.litert.writer import LiteRtWriter

_AXES = (0, 3, 1, 2)
"""Where ONNX's axes of a picture lie in LiteRT's."""


def translate(graph: Graph, writer: LiteRtWriter, faces: int) -> int:
    """Write all nodes of a graph.

    Args:
        graph: What to write.
        writer: Where to.
        faces: Number of the tensor with normalized faces, channels last.

    Returns:
        The number of the tensor with the answer.

    Raises:
        UnsupportedError: If there is an operation, or a setting of one, that cannot be written.
    """
    to = Translator(graph, writer, faces)
    for node in graph.nodes:
        if node.kind not in _WRITERS:
            raise UnsupportedError(f"has the operation {node.kind}, which mien cannot write as .tflite")
    for node in graph.nodes:
        if not all(graph.shapes.get(node.output, ())):
            raise refused(node, "a shape that is not fixed")
        to.keep(node.output, _WRITERS[node.kind](to, node))
    return to.tensor(graph.output, len(graph.shapes[graph.output]))


def _activation(node: Node) -> int:
    return int(getattr(schema.ActivationFunctionType, node.activation))


def _geometry(to: Translator, node: Node, border: float) -> Callable[[Any], Any]:
    """Settle pads; gives a function that fills strides and padding of options in."""
    if node.attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise refused(node, "automatic padding")
    if len(to.onnx_shape(node.output)) != 4:
        raise refused(node, "other data than pictures")
    kernel = node.attributes["kernel_shape"]
    strides, pads = node.attributes.get("strides", [1, 1]), node.attributes.get("pads", [0, 0, 0, 0])
    dilations = node.attributes.get("dilations", [1, 1])
    given, wanted = to.onnx_shape(node.inputs[0])[2:], to.onnx_shape(node.output)[2:]
    reach = [(side - 1) * step + 1 for side, step in zip(kernel, dilations, strict=True)]
    # What LiteRT calls SAME puts the larger half of the border behind; ONNX's networks mostly have as much before.
    total = [max((w - 1) * s + r - g, 0) for w, s, r, g in zip(wanted, strides, reach, given, strict=True)]
    same = all(w == -(-g // s) for w, s, g in zip(wanted, strides, given, strict=True))
    if not any(pads):
        padding = schema.Padding.VALID
    elif same and [side // 2 for side in total] == list(pads[:2]):
        padding = schema.Padding.SAME
    else:
        to.pad(node, pads, border)
        padding = schema.Padding.VALID

    def fill(options: Any) -> Any:
        options.padding = padding
        options.strideH, options.strideW = strides
        options.fusedActivationFunction = _activation(node)
        return options

    return fill


def _convolution(to: Translator, node: Node) -> int:
    values = to.weights_of(node)
    groups, channels = node.attributes.get("group", 1), to.onnx_shape(node.inputs[0])[1]
    fill = _geometry(to, node, 0.0)
    rows, columns = node.attributes.get("dilations", [1, 1])
    if groups == channels > 1:
        options = fill(schema.DepthwiseConv2DOptionsT())
        options.depthMultiplier = values.shape[0] // groups
        options.dilationHFactor, options.dilationWFactor = rows, columns
        return to.weigh("DEPTHWISE_CONV_2D", node, values.transpose(1, 2, 3, 0), 3, options)
    options = fill(schema.Conv2DOptionsT())
    options.dilationHFactor, options.dilationWFactor = rows, columns
    # LiteRT has no convolution by groups with weights in 8 bits.
    return to.weigh("CONV_2D", node, values.transpose(0, 2, 3, 1), 0, options, small=groups == 1)


def _pool(to: Translator, node: Node) -> int:
    average = node.kind == "AveragePool"
    if node.attributes.get("dilations", [1, 1]) != [1, 1]:
        raise refused(node, "dilation")
    strides = node.attributes.get("strides", [1, 1])
    given, wanted = to.onnx_shape(node.inputs[0])[2:], to.onnx_shape(node.output)[2:]
    pads = node.attributes.get("pads", [0, 0, 0, 0])
    kernel = node.attributes["kernel_shape"]
    padded = [side + pads[k] + pads[k + 2] for k, side in enumerate(given)]
    if any((w - 1) * s + k > p for w, s, k, p in zip(wanted, strides, kernel, padded, strict=True)):
        raise refused(node, "ceil_mode")
    if average and any(pads):
        if not node.attributes.get("count_include_pad", 0):
            raise refused(node, "pads that do not count")
        # SAME would leave the border out of the mean.
        to.pad(node, pads, 0.0)
        node.attributes["pads"] = [0, 0, 0, 0]
    options = _geometry(to, node, float(np.finfo(np.float32).min))(schema.Pool2DOptionsT())
    options.filterHeight, options.filterWidth = kernel
    inputs = [to.tensor(node.inputs[0], 4)]
    return to.add("AVERAGE_POOL_2D" if average else "MAX_POOL_2D", inputs, node, options)


def _dense(to: Translator, node: Node) -> int:
    settings = node.attributes
    if settings.get("alpha", 1.0) != 1.0 or settings.get("beta", 1.0) != 1.0 or settings.get("transA", 0):
        raise refused(node, "alpha, beta or transA")
    if len(to.onnx_shape(node.output)) != 2:
        raise refused(node, "more than two axes")
    values = to.weights_of(node)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _activation(node)
    options.asymmetricQuantizeInputs = True
    return to.weigh("FULLY_CONNECTED", node, values if settings.get("transB", 0) else values.T, 0, options)


_ARITHMETIC = {
    "Add": ("ADD", schema.AddOptionsT),
    "Sub": ("SUB", schema.SubOptionsT),
    "Mul": ("MUL", schema.MulOptionsT),
    "Div": ("DIV", schema.DivOptionsT),
}


def _arithmetic(to: Translator, node: Node) -> int:
    rank = len(to.onnx_shape(node.output))
    computed = [name for name in node.inputs if to.fixed(name) is None]
    if any(len(to.onnx_shape(name)) != rank for name in computed):
        raise refused(node, "inputs of different numbers of axes")
    operator, settings = _ARITHMETIC[node.kind]
    options = settings()
    options.fusedActivationFunction = _activation(node)
    return to.add(operator, [to.tensor(name, rank) for name in node.inputs], node, options)


def _normalization(to: Translator, node: Node) -> int:
    scale, shift, mean, variance = (to.weights_of(node, number) for number in range(1, 5))
    factor = scale / np.sqrt(variance + np.float32(node.attributes.get("epsilon", 1e-5)))
    return _scale_and_shift(to, node, factor, shift - mean * factor)


def _scale_and_shift(
    to: Translator, node: Node, factor: NDArray[np.float32], shift: NDArray[np.float32], activation: str = "NONE"
) -> int:
    given = to.tensor(node.inputs[0], len(to.onnx_shape(node.output)))
    constants = (to.constant(f"{node.output}/{k}", v) for k, v in (("factor", factor), ("shift", shift)))
    multiplied = to.add("MUL", [given, next(constants)], node, schema.MulOptionsT(), part="multiplied")
    options = schema.AddOptionsT()
    options.fusedActivationFunction = int(getattr(schema.ActivationFunctionType, activation))
    return to.add("ADD", [multiplied, next(constants)], node, options, part="shifted" if activation != "NONE" else "")


def _hard_sigmoid(to: Translator, node: Node) -> int:
    # LiteRT cuts off at 6 rather than at 1.
    slope, shift = (np.float32(6 * node.attributes.get(k, v)) for k, v in (("alpha", 0.2), ("beta", 0.5)))
    cut = _scale_and_shift(to, node, np.array(slope), np.array(shift), "RELU6")
    return to.add("MUL", [cut, to.number(f"{node.output}/sixth", 1 / 6)], node, schema.MulOptionsT())


def _clip(to: Translator, node: Node) -> int:
    low, high = to.limits_of(node)
    value = to.tensor(node.inputs[0], len(to.onnx_shape(node.output)))
    if (low, high) == (0.0, 6.0):
        return to.add("RELU6", [value], node)
    parts = [(o, limit) for o, limit in (("MAXIMUM", low), ("MINIMUM", high)) if np.isfinite(limit)]
    for operator, limit in parts:
        inputs = [value, to.number(f"{node.output}/{operator.lower()}", limit)]
        part = "" if operator == parts[-1][0] else "cut"
        value = to.add(operator, inputs, node, schema.MaximumMinimumOptionsT(), part=part)
    return value


def _mean(to: Translator, node: Node) -> int:
    given = to.onnx_shape(node.inputs[0])
    if node.kind == "GlobalAveragePool":
        axes = [2, 3]
    else:
        named = len(node.inputs) > 1 and node.inputs[1]
        listed = to.fixed(node.inputs[1]) if named else node.attributes.get("axes")
        if listed is None:
            raise refused(node, "axes that are computed")
        axes = [int(axis) % len(given) for axis in listed]
    keep = node.kind == "GlobalAveragePool" or bool(node.attributes.get("keepdims", 1))
    if len(given) == 4:
        if not keep and sorted(axes) != [2, 3]:
            raise refused(node, "other axes than rows and columns")
        axes = [_AXES[axis] for axis in axes]
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    inputs = [to.tensor(node.inputs[0], len(given)), to.numbers(f"{node.output}/axes", axes)]
    return to.add("MEAN", inputs, node, options)


def _reshape(to: Translator, node: Node) -> int:
    given, wanted = to.onnx_shape(node.inputs[0]), to.onnx_shape(node.output)
    if len(wanted) == 4 or given[0] != wanted[0]:
        raise refused(node, f"the shape {wanted}")
    value = to.tensor(node.inputs[0], len(given))
    if len(given) == 4 and given[1] > 1 and given[2] * given[3] > 1:
        order = to.numbers(f"{node.output}/order", (0, 3, 1, 2))
        value = to.add_shaped(
            "TRANSPOSE", [value, order], f"{node.output}/channels_first", given, schema.TransposeOptionsT()
        )
    options = schema.ReshapeOptionsT()
    # As many faces as there are.
    options.newShape = np.array([-1, *wanted[1:]], np.int32)
    return to.add("RESHAPE", [value, to.numbers(f"{node.output}/shape", options.newShape)], node, options)


def _resize(to: Translator, node: Node) -> int:
    mode, transformation = (node.attributes.get(k, b"").decode() for k in ("mode", "coordinate_transformation_mode"))
    given, wanted = to.onnx_shape(node.inputs[0]), to.onnx_shape(node.output)
    enlarges = given[:2] == wanted[:2] and all(w >= g for w, g in zip(wanted[2:], given[2:], strict=True))
    if (mode, enlarges) != ("linear", True) or transformation not in ("half_pixel", "pytorch_half_pixel"):
        raise refused(node, f"mode {mode}, {transformation}, from {given} to {wanted}")
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = True
    inputs = [to.tensor(node.inputs[0], 4), to.numbers(f"{node.output}/size", wanted[2:])]
    return to.add("RESIZE_BILINEAR", inputs, node, options, version=3)


def _join(to: Translator, node: Node) -> int:
    rank = len(to.onnx_shape(node.output))
    axis = int(node.attributes["axis"]) % rank
    options = schema.ConcatenationOptionsT()
    options.axis = _AXES[axis] if rank == 4 else axis
    return to.add("CONCATENATION", [to.tensor(name, rank) for name in node.inputs], node, options)


def _softmax(to: Translator, node: Node) -> int:
    rank = len(to.onnx_shape(node.output))
    if node.attributes.get("axis", -1) % rank != (1 if rank == 4 else rank - 1):
        raise refused(node, "another axis than the last")
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return to.add("SOFTMAX", [to.tensor(node.inputs[0], rank)], node, options)


def _same(to: Translator, node: Node) -> int:
    return to.tensor(node.inputs[0], len(to.onnx_shape(node.output)))


def _simple(operator: str) -> Callable[[Translator, Node], int]:
    def write(to: Translator, node: Node) -> int:
        return to.add(operator, [_same(to, node)], node)

    return write


_WRITERS: dict[str, Callable[[Translator, Node], int]] = {
    "Add": _arithmetic,
    "AveragePool": _pool,
    "BatchNormalization": _normalization,
    "Clip": _clip,
    "Concat": _join,
    "Conv": _convolution,
    "Div": _arithmetic,
    "Dropout": _same,
    "Flatten": _reshape,
    "Gemm": _dense,
    "GlobalAveragePool": _mean,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _simple("HARD_SWISH"),
    "Identity": _same,
    "MatMul": _dense,
    "MaxPool": _pool,
    "Mul": _arithmetic,
    "ReduceMean": _mean,
    "Relu": _simple("RELU"),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": _simple("LOGISTIC"),
    "Softmax": _softmax,
    "Squeeze": _reshape,
    "Sub": _arithmetic,
    "Tanh": _simple("TANH"),
}
