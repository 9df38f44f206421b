"""Each operation as LiteRT computes it, against ONNX Runtime: small networks of one or two nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

pytest.importorskip("ai_edge_litert")
onnx = pytest.importorskip("onnx")
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from onnx import TensorProto, helper, numpy_helper

from mien.errors import ModelError
from mien.litert.graph import read_graph
from mien.litert.operations import translate
from mien.litert.writer import LiteRtWriter

CHANNELS, SIDE = 6, 11


def weights(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def network(path: Path, nodes: list[Any], constants: dict[str, NDArray[Any]]) -> Path:
    """A network from ``x``, six channels of 11x11 pixels, to ``y``."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", CHANNELS, SIDE, SIDE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(
        nodes, "test", [x], [y], [numpy_helper.from_array(value, name) for name, value in constants.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


def convert(path: Path, int8: bool = False) -> bytes:
    graph = read_graph(path)
    writer = LiteRtWriter(int8)
    given = writer.value("x", (1, SIDE, SIDE, CHANNELS))
    return writer.finish({"x": given}, {"y": translate(graph, writer, given)}, "test", {})


def run_both(path: Path, int8: bool = False) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Answers of ONNX Runtime and of LiteRT for three pictures at a time, both with channels first."""
    pictures = np.random.default_rng(7).normal(size=(3, CHANNELS, SIDE, SIDE)).astype(np.float32)
    expected = ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": pictures})[0]
    interpreter = Interpreter(model_content=convert(path, int8))
    interpreter.resize_tensor_input(0, (3, SIDE, SIDE, CHANNELS))
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, pictures.transpose(0, 2, 3, 1))
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return expected, found.transpose(0, 3, 1, 2) if found.ndim == 4 else found


def conv(**attributes: Any) -> Any:
    return helper.make_node("Conv", ["x", "w", "b"], ["y"], **attributes)


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        pytest.param((4, 6, 3, 3), {"pads": [1, 1, 1, 1]}, id="border"),
        pytest.param((4, 6, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 2]}, id="border that LiteRT's SAME shifts"),
        pytest.param((4, 6, 2, 2), {"pads": [0, 0, 1, 1], "strides": [2, 2]}, id="border behind"),
        pytest.param((4, 6, 4, 4), {"pads": [1, 1, 1, 1], "strides": [2, 2]}, id="even kernel"),
        pytest.param((4, 6, 3, 3), {}, id="no border"),
        pytest.param((4, 6, 3, 3), {"pads": [2, 2, 2, 2], "dilations": [2, 2]}, id="dilation"),
        pytest.param((4, 6, 3, 5), {"pads": [0, 3, 2, 1], "strides": [1, 2]}, id="rows unlike columns"),
        pytest.param((6, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1], "strides": [2, 2]}, id="depthwise"),
        pytest.param((12, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1]}, id="depthwise, two each"),
        pytest.param((4, 3, 3, 3), {"group": 2, "pads": [1, 1, 1, 1]}, id="groups"),
    ],
)
def test_convolutions(tmp_path: Path, shape: tuple[int, ...], attributes: dict[str, Any]) -> None:
    attributes = {"kernel_shape": shape[2:]} | attributes
    path = network(tmp_path / "n.onnx", [conv(**attributes)], {"w": weights(*shape), "b": weights(shape[0])})
    expected, found = run_both(path)
    assert expected.shape == found.shape
    assert np.abs(expected - found).max() < 1e-4


POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}
AXES = {"a": np.array([2, 3])}


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([("AveragePool", ["x"], {"kernel_shape": [2, 2], "strides": [2, 2]})], {}),
        ([("AveragePool", ["x"], POOL | {"pads": [1, 1, 1, 1], "count_include_pad": 1})], {}),
        ([("MaxPool", ["x"], POOL | {"pads": [1, 1, 1, 1]})], {}),
        ([("MaxPool", ["x"], POOL | {"pads": [0, 0, 1, 1]})], {}),
        ([("GlobalAveragePool", ["x"], {})], {}),
        ([("ReduceMean", ["x", "a"], {"keepdims": 0})], AXES),
        ([("ReduceMean", ["x", "a"], {"keepdims": 1})], {"a": np.array([1])}),
        ([("Flatten", ["x"], {})], {}),
        ([("Reshape", ["x", "s"], {})], {"s": np.array([0, -1])}),
        ([("Flatten", ["x"], {}), ("Gemm", ["t0", "w", "b"], {"transB": 1})], {"w": weights(5, 726), "b": weights(5)}),
        ([("Flatten", ["x"], {}), ("MatMul", ["t0", "w"], {}), ("Relu", ["t1"], {})], {"w": weights(726, 5)}),
        ([("Add", ["x", "c"], {})], {"c": weights(1, 6, 1, 1)}),
        ([("Mul", ["c", "x"], {}), ("Relu", ["t0"], {})], {"c": weights(6, 1, 1)}),
        ([("GlobalAveragePool", ["x"], {}), ("Sigmoid", ["t0"], {}), ("Mul", ["x", "t1"], {})], {}),
        ([("Sub", ["x", "c"], {}), ("Tanh", ["t0"], {})], {"c": np.array(0.3, np.float32)}),
        ([("Div", ["x", "c"], {}), ("Identity", ["t0"], {})], {"c": np.array([3.0], np.float32)}),
        ([("Relu", ["x"], {}), ("Add", ["t0", "x"], {})], {}),
        ([("Add", ["x", "x"], {}), ("Relu", ["t0"], {}), ("Add", ["t0", "t1"], {})], {}),
        ([("Clip", ["x", "l", "h"], {})], {"l": np.array(-0.5, np.float32), "h": np.array(0.7, np.float32)}),
        ([("Add", ["x", "x"], {}), ("Clip", ["t0", "l", "h"], {})],
         {"l": np.array(0, np.float32), "h": np.array(6, np.float32)}),
        ([("HardSigmoid", ["x"], {"alpha": 1 / 6, "beta": 0.5})], {}),
        ([("HardSwish", ["x"], {})], {}),
        ([("BatchNormalization", ["x", "s", "b", "m", "v"], {})],
         {"s": weights(6), "b": weights(6) + 1, "m": weights(6), "v": weights(6) ** 2}),
        ([("Resize", ["x", "", "s"], {"mode": "linear", "coordinate_transformation_mode": "half_pixel"})],
         {"s": np.array([1, 1, 2, 3], np.float32)}),
        ([("Relu", ["x"], {}), ("Concat", ["x", "t0"], {"axis": 1})], {}),
        ([("Softmax", ["x"], {"axis": 1})], {}),
    ],
    ids=lambda value: "+".join(node[0] for node in value) if isinstance(value, list) else "",
)  # fmt: skip
def test_operations(tmp_path: Path, nodes: list[Any], constants: dict[str, NDArray[Any]]) -> None:
    last = len(nodes) - 1
    made = [
        helper.make_node(kind, inputs, ["y" if k == last else f"t{k}"], **attributes)
        for k, (kind, inputs, attributes) in enumerate(nodes)
    ]
    expected, found = run_both(network(tmp_path / "n.onnx", made, constants))
    assert expected.shape == found.shape
    assert np.abs(expected - found).max() < 1e-4


def test_weights_in_eight_bits_answer_nearly_the_same(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["c", "d"], ["t"], kernel_shape=[3, 3], group=64),
        helper.make_node("Flatten", ["t"], ["f"]),
        helper.make_node("Gemm", ["f", "g"], ["y"], transB=1),
    ]
    constants = {"w": weights(64, 6, 3, 3), "b": weights(64), "d": weights(64, 1, 3, 3), "g": weights(3, 64 * 81)}
    path = network(tmp_path / "n.onnx", nodes, constants)
    expected, found = run_both(path, int8=True)
    assert 0 < np.linalg.norm(expected - found) < 0.1 * np.linalg.norm(expected)
    assert len(convert(path, int8=True)) < 0.35 * len(convert(path))


def test_values_begin_where_the_format_wants_them(tmp_path: Path) -> None:
    path = network(tmp_path / "n.onnx", [conv(kernel_shape=[3, 3])], {"w": weights(4, 6, 3, 3), "b": weights(4)})
    content = convert(path)
    model = schema.Model.GetRootAs(content, 0)
    where = [content.find(values.tobytes()) for values in (weights(4, 6, 3, 3).transpose(0, 2, 3, 1), weights(4))]
    assert [place % 16 for place in where] == [0, 0]
    assert model.BuffersLength() == 3


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (helper.make_node("Erf", ["x"], ["y"]), "has the operation Erf, which mien cannot write"),
        (helper.make_node("Transpose", ["x"], ["y"], perm=[0, 2, 3, 1]), "has the operation Transpose,"),
        (helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), "ceil_mode"),
        (helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), "pads that do not"),
        (helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest"), "Resize with mode nearest"),
        (helper.make_node("Softmax", ["x"], ["y"]), "another axis than the last"),
    ],
)
def test_what_cannot_be_written_is_named(tmp_path: Path, node: Any, message: str) -> None:
    path = network(tmp_path / "n.onnx", [node], {"s": np.array([1, 1, 2, 2], np.float32)})
    with pytest.raises(ModelError, match=message):
        convert(path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "n.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"n.onnx: cannot be read as an ONNX network"):
        read_graph(tmp_path / "n.onnx")
