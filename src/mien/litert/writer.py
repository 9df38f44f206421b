"""LiteRT's file format: tensors and operations in, a ``.tflite`` file out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_VERSION = 3
_TYPES = {"float32": schema.TensorType.FLOAT32, "int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32}
# Weights with fewer numbers stay as they are: they save nothing, and the first layer costs most in accuracy.
_SMALL = 1024


class LiteRtWriter:
    """Builds a network operation by operation.

    Args:
        int8: Whether weights of convolutions and dense layers are written in 8 bits, with a scale for each output
            channel; what they multiply is turned into 8 bits as the network runs ("dynamic range").
    """

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
        self._tensors: list[Any] = []
        # The format wants an empty buffer first, for all tensors without values.
        self._buffers: list[Any] = [schema.BufferT()]
        self._codes: dict[tuple[int, int], int] = {}
        self._operators: list[Any] = []

    def value(self, name: str, shape: Sequence[int]) -> int:
        """A float tensor that is computed or given; its number."""
        return self._tensor(name, shape, "float32", 0)

    def constant(self, name: str, values: NDArray[Any]) -> int:
        """A tensor of fixed values, float32 or int32; its number."""
        return self._tensor(name, values.shape, values.dtype.name, self._buffer(values))

    def weights(self, name: str, values: NDArray[np.float32], channel: int) -> tuple[int, bool]:
        """Weights, in 8 bits where they are to be.

        Args:
            name: Their name.
            values: float32.
            channel: The axis of output channels.

        Returns:
            The tensor's number, and whether it is in 8 bits.
        """
        if not self.int8 or values.size < _SMALL:
            return self.constant(name, values), False
        others = tuple(axis for axis in range(values.ndim) if axis != channel)
        scales = np.maximum(np.abs(values).max(axis=others, keepdims=True) / 127, 1e-12).astype(np.float32)
        small = np.clip(np.round(values / scales), -127, 127).astype(np.int8)
        number = self._tensor(name, small.shape, "int8", self._buffer(small))
        quantization = schema.QuantizationParametersT()
        quantization.scale = scales.ravel()
        quantization.zeroPoint = np.zeros(scales.size, np.int64)
        quantization.quantizedDimension = channel
        self._tensors[number].quantization = quantization
        return number, True

    def add(
        self,
        operator: str,
        inputs: Sequence[int],
        name: str,
        shape: Sequence[int],
        options: Any = None,
        version: int = 1,
    ) -> int:
        """Append an operation.

        Args:
            operator: LiteRT's name for it.
            inputs: Numbers of the tensors that it takes; -1 for one left out.
            name: What to call its result.
            shape: Shape of its result.
            options: Its settings.
            version: From which version of the operation on it is understood.

        Returns:
            The number of its result.
        """
        output = self.value(name, shape)
        entry = schema.OperatorT()
        code = getattr(schema.BuiltinOperator, operator)
        entry.opcodeIndex = self._codes.setdefault((code, version), len(self._codes))
        entry.inputs, entry.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options is not None:
            entry.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
            entry.builtinOptions = options
        self._operators.append(entry)
        return output

    def finish(
        self, inputs: Mapping[str, int], outputs: Mapping[str, int], description: str, notes: Mapping[str, bytes]
    ) -> bytes:
        """The file.

        Args:
            inputs: Numbers of the tensors that are given, by name.
            outputs: Numbers of those that are answered, by name, in their order.
            description: What it is, in a line.
            notes: Metadata by name.
        """
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs = np.array(list(inputs.values()), np.int32)
        graph.outputs = np.array(list(outputs.values()), np.int32)
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = _named(inputs), _named(outputs)
        model = schema.ModelT()
        model.version, model.description = _VERSION, description
        model.subgraphs, model.signatureDefs, model.operatorCodes = [graph], [signature], self._operator_codes()
        model.metadata = []
        for name, content in notes.items():
            note = schema.MetadataT()
            note.name, note.buffer = name, self._buffer(np.frombuffer(content, np.uint8))
            model.metadata.append(note)
        model.buffers = self._buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: Sequence[int], kind: str, buffer: int) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = name, _TYPES[kind], buffer
        tensor.shape, tensor.hasRank = np.array(shape, np.int32), True
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _buffer(self, values: NDArray[Any]) -> int:
        self._buffers.append(_Buffer(np.ascontiguousarray(values)))
        return len(self._buffers) - 1

    def _operator_codes(self) -> list[Any]:
        codes = []
        for code, version in self._codes:
            entry = schema.OperatorCodeT()
            # Old runtimes read the first of the two, which has a byte.
            entry.deprecatedBuiltinCode, entry.builtinCode, entry.version = min(code, 127), code, version
            codes.append(entry)
        return codes


class _Buffer:
    """Values that begin at a multiple of 16 bytes, as the format demands and its Python classes do not see to."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._content = values.tobytes()

    def Pack(self, builder: Any) -> int:  # noqa: N802
        size = len(self._content)
        builder.StartVector(1, size, 16)
        builder.head -= size
        builder.Bytes[builder.head : builder.head + size] = self._content
        data = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def _named(tensors: Mapping[str, int]) -> list[Any]:
    maps = []
    for name, number in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, number
        maps.append(entry)
    return maps
