"""Taking an exported network's weights back into PyTorch, to go on training it.

The exporter folds batch normalisation into the convolution before it. It is laid out again with the means and variances
that the activations have on some faces: the network answers as before, and learns as one that was never folded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from mien.classifier import softmax
from mien.errors import OptionError
from mien.runtime import create_session

# Rounding in another order of sums; a network that was taken apart wrongly is off by far more.
_MAX_DIFFERENCE = 1e-3


def unfold(network: nn.Module, file: Path, faces: Tensor) -> None:
    """Give a network the weights of an exported one.

    Args:
        network: Fresh, of the kind that was exported; left in evaluation mode.
        file: The ONNX graph that `mien.training.export.write_onnx` wrote.
        faces: Some hundred normalised faces, float (N, 1, 48, 48), for the statistics of normalisation.

    Raises:
        OptionError: If the file holds another kind of network.
    """
    values = {
        entry.name: torch.from_numpy(numpy_helper.to_array(entry).copy())
        for entry in onnx.load(str(file)).graph.initializer
    }
    state, folded = network.state_dict(), []
    for name, layer in network.named_modules():
        if isinstance(layer, nn.BatchNorm2d) and f"{name}.weight" not in values:
            folded.append(layer)
            values |= _neutral(name, layer, values.get(f"{_before(name)}.weight_bias"))
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name not in values or values[name].shape != value.shape:
            raise OptionError(f"{file}: is of another kind of network: it has no fitting {name}")
        value.copy_(values[name])
    network.eval()
    _lay_out(network, folded, faces)
    _check(network, file, faces)


def _before(name: str) -> str:
    """The layer in front of another one of a sequence."""
    place, _, position = name.rpartition(".")
    return f"{place}.{int(position) - 1}" if position.isdigit() else ""


def _neutral(name: str, layer: nn.BatchNorm2d, bias: Tensor | None) -> dict[str, Tensor]:
    """A normalisation that changes nothing but adds the bias."""
    count = layer.num_features
    if bias is None:
        return {}
    return {
        f"{name}.weight": torch.ones(count),
        f"{name}.bias": bias,
        f"{name}.running_mean": torch.zeros(count),
        f"{name}.running_var": torch.full((count,), 1 - layer.eps),
    }


@torch.no_grad()
def _lay_out(network: nn.Module, layers: list[nn.BatchNorm2d], faces: Tensor) -> None:
    """Give neutral normalisations the statistics of what they get, without changing what they give."""
    seen: dict[nn.Module, Tensor] = {}
    hooks = [layer.register_forward_pre_hook(lambda layer, inputs: seen.update({layer: inputs[0]})) for layer in layers]
    network(faces)
    for hook in hooks:
        hook.remove()
    for layer in layers:
        variance, mean = torch.var_mean(seen[layer], dim=(0, 2, 3), correction=0)
        layer.running_mean, layer.running_var = mean, variance
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.add_(mean)


@torch.no_grad()
def _check(network: nn.Module, file: Path, faces: Tensor) -> None:
    answers = softmax(network(faces).numpy())
    exported = softmax(np.asarray(create_session(file, "cpu").run(["logits"], {"faces": faces.numpy()})[0]))
    if np.abs(answers - exported).max() > _MAX_DIFFERENCE:
        raise OptionError(f"{file}: is of another kind of network: its answers cannot be reproduced")
