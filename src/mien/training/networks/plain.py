"""The networks of four public FER-2013 systems, after what these say of themselves.

Where a system states blocks and widths but not every detail, the rest is what was usual: 3x3 convolutions that keep
the size, normalization after each, ReLU, pooling by two and dropout after each block.
"""

from __future__ import annotations

from torch import Tensor, nn

from mien.emotions import LABELS


class _Plain(nn.Module):
    """Features and then a classifier, one after the other."""

    def __init__(self, heads: int, *layers: nn.Module, features: int) -> None:
        super().__init__()
        self.heads = heads
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(features, heads * len(LABELS))
        self.apply(_initialise)

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(faces))
        return logits.view(-1, self.heads, len(LABELS))


class Cnn4Dense(_Plain):
    """Four blocks of two convolutions (32, 64, 128, 256 channels), then 512 dense units."""

    def __init__(self, heads: int = 1) -> None:
        blocks = _blocks((32, 64, 128, 256), convolutions=2, dropout=0.25)
        super().__init__(heads, *blocks, nn.Flatten(), *_dense(256 * 3 * 3, 512, 0.5), features=512)


class Cnn4Gap(_Plain):
    """Four convolutions (256, 128, 128, 64 channels), their global average, then 512 and 64 dense units.

    Dropout is 0.2 throughout.
    """

    def __init__(self, heads: int = 1) -> None:
        blocks = _blocks((256, 128, 128, 64), convolutions=1, dropout=0.2)
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        super().__init__(heads, *blocks, *pool, *_dense(64, 512, 0.2), *_dense(512, 64, 0.2), features=64)


class Cnn2Lite(_Plain):
    """Two convolutions without normalization (32, 64 channels), then 128 dense units."""

    def __init__(self, heads: int = 1, dropout: float = 0.3) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in ((1, 32), (32, 64)):
            layers += [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)]
        # 48 -> 46 -> 23 -> 21 -> 10
        dense = (nn.Flatten(), nn.Linear(64 * 10 * 10, 128), nn.ReLU(), nn.Dropout(dropout))
        super().__init__(heads, *layers, *dense, features=128)


class Cnn5Deep(_Plain):
    """Five blocks of two convolutions, about 3.5 million parameters; the recipe adds L2.

    The widths are chosen to give the 3.5 million that the system states.
    """

    def __init__(self, heads: int = 1) -> None:
        blocks = _blocks((32, 64, 128, 256, 384), convolutions=2, dropout=0.25)
        pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        super().__init__(heads, *blocks, *pool, *_dense(384, 256, 0.5), features=256)


def _blocks(widths: tuple[int, ...], convolutions: int, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 1
    for width in widths:
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
    return layers


def _dense(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(dropout)


def _initialise(layer: nn.Module) -> None:
    """Weights as Keras draws them, which the four systems are written in (Glorot and Bengio 2010)."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
