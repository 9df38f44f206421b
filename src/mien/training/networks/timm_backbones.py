"""Any network of timm, for transfer learning."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from difflib import get_close_matches
from urllib.parse import urlsplit
from urllib.request import getproxies

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.emotions import LABELS
from mien.errors import OptionError

# Networks made for 224 pixels halve the side five times; from 48 pixels they would keep 2x2 points at the most.
SIDE = 96


class TimmNet(nn.Module):
    """A network of timm on faces enlarged to 96x96, with a fresh classifier.

    timm adds its first layer's weights for red, green and blue up for a single gray channel.

    Args:
        name: timm's name for it.
        heads: Number of classifiers on the shared features, 7 logits each.
        pretrained: Fetch the published weights.

    Raises:
        OptionError: If timm has no such network, it does not take 96x96 pixels, or its weights are not available.
    """

    def __init__(self, name: str, heads: int = 1, pretrained: bool = False) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = get_close_matches(name, timm.list_models(), n=1)
            hint = f"did you mean 'timm:{near[0]}'?" if near else "timm.list_models() lists them all"
            raise OptionError(f"unknown network 'timm:{name}'; {hint}")
        self.heads = heads
        self.backbone = _create(name, pretrained)
        features = _features(self.backbone, name)
        self.classifier = nn.Linear(features, heads * len(LABELS))

    def forward(self, faces: Tensor) -> Tensor:
        large = functional.interpolate(faces, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        logits: Tensor = self.classifier(self.backbone(large))
        return logits.view(-1, self.heads, len(LABELS))


def _create(name: str, pretrained: bool) -> nn.Module:
    try:
        with _no_vain_retries() if pretrained else nullcontext():
            return timm.create_model(name, pretrained=pretrained, in_chans=1, num_classes=0)
    except Exception as error:  # Fetching fails in as many ways as there are layers between here and the server.
        if not pretrained:
            raise OptionError(f"network 'timm:{name}' cannot be built for gray faces: {_line(error)}") from error
        raise OptionError(
            f"published weights of 'timm:{name}' are not available ({_line(error)}); connect to the internet once, or "
            "start from random weights with --no-pretrained"
        ) from error


@contextmanager
def _no_vain_retries() -> Iterator[None]:
    """Where the server cannot be reached, look only at what was fetched before; its library would ask for minutes."""
    from huggingface_hub import constants

    if _reachable(constants.ENDPOINT):
        yield
        return
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _reachable(address: str) -> bool:
    """Whether a server takes connections; behind a proxy that is the proxy's to say."""
    if getproxies():
        return True
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=5).close()
    except OSError:
        return False
    return True


def _features(backbone: nn.Module, name: str) -> int:
    """Number of features that the network gives; its own count is wrong for some of timm's families."""
    mode = backbone.training
    try:
        with torch.inference_mode():
            count = int(backbone.eval()(torch.zeros(1, 1, SIDE, SIDE)).shape[1])
    except Exception as error:  # An assertion or a shape error, whatever the family checks its input with.
        raise OptionError(f"network 'timm:{name}' does not take {SIDE}x{SIDE} pixels: {_line(error)}") from error
    finally:
        backbone.train(mode)
    return count


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
