"""A deep plain network to teach others."""

from __future__ import annotations

from torch import Tensor, nn

from mien.emotions import LABELS


class VggNet(nn.Module):
    """Convolutions one after the other with batch normalization (after Simonyan and Zisserman 2015), for 48x48 pixels.

    Maximum pooling takes 48 to 24, 12, 6 and 3 pixels; what remains is averaged rather than laid out in two wide dense
    layers, which learn faces by heart.

    Args:
        heads: Number of classifiers on the shared features, 7 logits each.
        widths: Channels of the blocks.
        depths: Convolutions of each block.
        dropout: Share of features dropped before the classifiers in training.
    """

    def __init__(
        self,
        heads: int = 1,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        depths: tuple[int, ...] = (2, 2, 3, 3),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.heads = heads
        layers: list[nn.Module] = []
        channels = 1
        for width, depth in zip(widths, depths, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)]
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, heads * len(LABELS))
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.features(faces)))
        return logits.view(-1, self.heads, len(LABELS))
