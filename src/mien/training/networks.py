"""Networks by name.

Every network maps normalised grey faces, float (N, 1, 48, 48), to logits, float (N, heads, 7).
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from torch import Tensor, nn

from mien.emotions import LABELS
from mien.errors import OptionError
from mien.training.plain import Cnn2Lite, Cnn4Dense, Cnn4Gap, Cnn5Deep


class MienNet(nn.Module):
    """Residual network for 48x48 grey faces (after He et al. 2016, with average-pooled shortcuts).

    Args:
        heads: Number of classifiers on the shared features, 7 logits each.
        stem: Channels at full resolution.
        widths: Channels of the stages, each at half the side of the one before.
        depths: Residual blocks of each stage.
        dropout: Share of features dropped before the classifiers in training.
    """

    def __init__(
        self,
        heads: int = 1,
        stem: int = 32,
        widths: tuple[int, ...] = (48, 96, 192),
        depths: tuple[int, ...] = (2, 2, 2),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.heads = heads
        layers: list[nn.Module] = [_conv(1, stem), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)]
        channels = stem
        for width, depth in zip(widths, depths, strict=True):
            for block in range(depth):
                layers.append(_ResidualBlock(channels, width, stride=2 if block == 0 else 1))
                channels = width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, heads * len(LABELS))

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.features(faces)))
        return logits.view(-1, self.heads, len(LABELS))


class _ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(inputs, outputs, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            _conv(outputs, outputs),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            # Average pooling keeps the samples that a strided 1x1 convolution would skip.
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return out


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "mien": MienNet,
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
        from mien.training.backbones import TimmNet

        return TimmNet(name.removeprefix(TIMM), heads, pretrained)
    if name not in NETWORKS:
        near = get_close_matches(name, NETWORKS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected timm:NAME or one of {', '.join(NETWORKS)}"
        raise OptionError(f"unknown network {name!r}; {hint}")
    return NETWORKS[name](heads)
