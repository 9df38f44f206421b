"""Taking an exported network's weights back into PyTorch, to go on training it.

The exporter folds batch normalization into the convolution before it. It is laid out again with the means and variances
that the activations have on some faces: the network answers as before, and learns as one that was never folded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from mien.classification.classifier import softmax
from mien.errors import OptionError
from mien.runtime import create_session

# Sums in another order round otherwise; a network that was taken apart wrongly is off by far more.
_MAX_DIFFERENCE = 1e-3


def unfuse_batchnorm(network: nn.Module, file: Path, faces: Tensor) -> None:
    """Give a network the weights of an exported one.

    Args:
        network: Fresh, of the kind that was exported, each normalization next to its convolution in a sequence; left
            in evaluation mode.
        file: The ONNX graph that `mien.training.export.write_onnx` wrote.
        faces: Some hundred normalized faces, float (N, 1, 48, 48), for the statistics of normalization.

    Raises:
        ModelError: If the file is damaged.
        OptionError: If it holds another network, or one of a kind that cannot be taken back.
    """
    session = create_session(file, "cpu")
    values, biases = _read(file)
    folded = []
    for name, layer in network.named_modules():
        bias = biases.get(_before(name))
        if isinstance(layer, nn.BatchNorm2d) and f"{name}.weight" not in values and bias is not None:
            folded.append(layer)
            values |= _neutral(name, layer, bias)
    for name, value in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name not in values or values[name].shape != value.shape:
            raise OptionError(f"this kind of network cannot be taken back ({name}); begin with its run folder", file)
        value.copy_(values[name])
    network.eval()
    with torch.no_grad():
        _lay_out(network, folded, faces)
        answers = softmax(network(faces).numpy())
    exported = softmax(np.asarray(session.run(["logits"], {"faces": faces.numpy()})[0]))
    if answers.shape != exported.shape or np.abs(answers - exported).max() > _MAX_DIFFERENCE:
        raise OptionError("its answers cannot be reproduced; begin with its run folder", file)


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The graph's constants by name, and each weighing layer's bias by the name of the layer."""
    graph = onnx.load(str(file)).graph
    values = {entry.name: torch.from_numpy(numpy_helper.to_array(entry).copy()) for entry in graph.initializer}
    biases = {}
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm") and node.input[1] in values:
            # Biases that are alike are kept once, under one of their names; those that are zero are left out.
            bias = values[node.input[2]] if len(node.input) > 2 else torch.zeros(len(values[node.input[1]]))
            biases[node.input[1].removesuffix(".weight")] = bias
    return {f"{name}.bias": bias for name, bias in biases.items()} | values, biases


def _before(name: str) -> str:
    """The layer in front of another one of a sequence."""
    place, _, position = name.rpartition(".")
    return f"{place}.{int(position) - 1}" if position.isdigit() else ""


def _neutral(name: str, layer: nn.BatchNorm2d, bias: Tensor) -> dict[str, Tensor]:
    """A normalization that changes nothing but adds the bias."""
    count = layer.num_features
    return {
        f"{name}.weight": torch.ones(count),
        f"{name}.bias": bias,
        f"{name}.running_mean": torch.zeros(count),
        f"{name}.running_var": torch.full((count,), 1 - layer.eps),
    }


def _lay_out(network: nn.Module, layers: list[nn.BatchNorm2d], faces: Tensor) -> None:
    """Give neutral normalizations the statistics of what they get, without changing what they give."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def look(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[layer] = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    network(faces)
    for hook in hooks:
        hook.remove()
    for layer in layers:
        variance, mean = seen[layer]
        layer.running_mean, layer.running_var = mean, variance
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.add_(mean)
