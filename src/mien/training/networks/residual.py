"""mien's own networks, and strong ones to teach them: all map normalized gray faces to logits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.emotions import LABELS


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a `MienNet`.

    Attributes:
        stem: Channels of the first convolution.
        patches: The first convolution halves the side with 4x4 pixels each, rather than keep it with 3x3.
        widths: Channels of the stages.
        depths: Residual blocks of each stage.
        strides: How each stage divides the side.
        squeeze: Whether blocks weigh their channels by what the whole face shows (Hu et al. 2018,
            "Squeeze-and-excitation networks").
        dropout: Share of features dropped before the classifiers in training.
        drop_path: Share of the faces that the last block is skipped for in training, growing from 0 in the first one
            (Huang et al. 2016, "Deep networks with stochastic depth").
        side: Side that faces are enlarged to.
    """

    stem: int = 32
    patches: bool = False
    widths: tuple[int, ...] = (48, 96, 192)
    depths: tuple[int, ...] = (2, 2, 2)
    strides: tuple[int, ...] = (2, 2, 2)
    squeeze: bool = False
    dropout: float = 0.3
    drop_path: float = 0.0
    side: int = 48


class MienNet(nn.Module):
    """Residual network for 48x48 gray faces (after He et al. 2016, with average-pooled shortcuts).

    Args:
        heads: Number of classifiers on the shared features, 7 logits each.
        shape: See `Shape`.
    """

    def __init__(self, heads: int = 1, shape: Shape | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.shape = shape = shape or Shape()
        first = nn.Conv2d(1, shape.stem, 4, 2, padding=1, bias=False) if shape.patches else _conv(1, shape.stem)
        layers: list[nn.Module] = [first, nn.BatchNorm2d(shape.stem), nn.ReLU(inplace=True)]
        channels, total = shape.stem, sum(shape.depths)
        for width, depth, stride in zip(shape.widths, shape.depths, shape.strides, strict=True):
            for block in range(depth):
                drop = shape.drop_path * (len(layers) - 3) / max(1, total - 1)
                layers.append(_ResidualBlock(channels, width, stride if block == 0 else 1, shape.squeeze, drop))
                channels = width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(shape.dropout)
        self.classifier = nn.Linear(channels, heads * len(LABELS))

    def forward(self, faces: Tensor) -> Tensor:
        side = self.shape.side
        if side != faces.shape[-1]:
            faces = functional.interpolate(faces, size=(side, side), mode="bilinear", align_corners=False)
        logits: Tensor = self.classifier(self.dropout(self.features(faces)))
        return logits.view(-1, self.heads, len(LABELS))


class _ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, squeeze: bool, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.body = nn.Sequential(
            _conv(inputs, outputs, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            _conv(outputs, outputs),
            nn.BatchNorm2d(outputs),
            *([_Squeeze(outputs)] if squeeze else []),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            # Average pooling keeps the samples that a strided 1x1 convolution would skip.
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        body: Tensor = self.body(x)
        if self.drop and self.training:
            kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop
            body = body * (kept / (1 - self.drop)).to(body.dtype)
        out: Tensor = self.activation(body + self.shortcut(x))
        return out


class _Squeeze(nn.Module):
    """Weighs channels by what they show on the whole face."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        weighed: Tensor = x * self.weigh(x)
        return weighed


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
