"""Networks by name.

Every network maps normalized gray faces, float (N, 1, 48, 48), to logits, float (N, heads, 7).
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from torch import nn

from mien.errors import OptionError
from mien.training.networks.plain import Cnn2Lite, Cnn4Dense, Cnn4Gap, Cnn5Deep
from mien.training.networks.residual import MienNet, Shape
from mien.training.networks.vgg import VggNet

# Channels in multiples of 16 fill ONNX Runtime's vectors. Without squeezing, which 8 bits bear badly.
_WIDE = Shape(widths=(64, 128, 256), depths=(1, 2, 2))
_LIGHT = Shape(stem=16, widths=(32, 80, 160), depths=(1, 2, 2))
_TINY = Shape(patches=True, widths=(32, 64, 128), depths=(1, 2, 2), strides=(1, 2, 2), dropout=0.2)

# The teachers are as large as a GPU trains in minutes.
_SE_RESNET = Shape(
    stem=64, widths=(64, 128, 256, 512), depths=(2, 2, 3, 2), strides=(1, 2, 2, 2), squeeze=True, dropout=0.4,
    drop_path=0.1,
)  # fmt: skip
_SE_RESNET_64 = Shape(
    stem=48, widths=(96, 192, 384), depths=(2, 3, 2), squeeze=True, dropout=0.4, drop_path=0.1, side=64
)

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "mien": MienNet,
    "mien-wide": lambda heads: MienNet(heads, _WIDE),
    "mien-light": lambda heads: MienNet(heads, _LIGHT),
    "mien-tiny": lambda heads: MienNet(heads, _TINY),
    "se-resnet": lambda heads: MienNet(heads, _SE_RESNET),
    "se-resnet-64": lambda heads: MienNet(heads, _SE_RESNET_64),
    "vgg-bn": VggNet,
    "cnn4-dense": Cnn4Dense,
    "cnn4-gap": Cnn4Gap,
    "cnn2-lite": Cnn2Lite,
    "cnn5-deep": Cnn5Deep,
}
TIMM = "timm:"


def build_network(name: str, heads: int = 1, pretrained: bool = False) -> nn.Module:
    """Build a network.

    Args:
        name: A key of `NETWORKS`, or ``timm:`` and the name of any network of timm.
        heads: Number of classifiers.
        pretrained: Fetch timm's published weights, rather than draw fresh ones.

    Raises:
        OptionError: If there is no such network (the message names the nearest one), or its weights cannot be
            fetched.
    """
    if name.startswith(TIMM):
        from mien.training.networks.timm_backbones import TimmNet

        return TimmNet(name.removeprefix(TIMM), heads, pretrained)
    if name not in NETWORKS:
        near = get_close_matches(name, NETWORKS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected timm:NAME or one of {', '.join(NETWORKS)}"
        raise OptionError(f"unknown network {name!r}; {hint}")
    return NETWORKS[name](heads)
