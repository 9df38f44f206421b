"""On-line augmentation of whole batches, on the device the batch lies on.

Each face gets its own draw. torchvision's transforms would need a worker process per core to do the same
face by face, and would become the bottleneck beside a GPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Augment:
    """How strongly faces are varied in training; 0 turns a variation off.

    Attributes:
        flip: Probability of mirroring left and right.
        rotation: Largest turn in degrees, either way.
        shift: Largest shift, as a share of the side.
        zoom: Largest change of scale, as a share.
        brightness: Largest change of brightness, as a share of the full range.
        contrast: Largest change of contrast, as a share.
        dark: Probability of losing half to nine tenths of the light.
        blur: Probability of losing detail, as small or blurred faces do.
        noise: Largest standard deviation of Gaussian noise, as a share of white; half of the faces get none.
        erase: Probability of covering a random rectangle.
        erase_area: Largest share of the face that the rectangle covers; the smallest is 2%.
        mixup: Alpha of the Beta distribution that mixes pairs of faces (Zhang et al. 2018).
        cutmix: Alpha of the Beta distribution of how much of a face a rectangle of another one covers (Yun et al.
            2019). With both, each face takes one of the two, by chance.
    """

    flip: float = 0.5
    rotation: float = 20.0
    shift: float = 0.08
    zoom: float = 0.15
    brightness: float = 0.2
    contrast: float = 0.3
    blur: float = 0.15
    erase: float = 0.3
    erase_area: float = 0.25
    dark: float = 0.0
    noise: float = 0.0
    mixup: float = 0.2
    cutmix: float = 0.0

    def __call__(self, faces: Tensor) -> Tensor:
        """Vary every face on its own (mixing is left to `mix`).

        Args:
            faces: float (N, 1, S, S) in 0..1.

        Returns:
            The same shape and range.
        """
        return self.degrade(self.vary(faces))

    def vary(self, faces: Tensor) -> Tensor:
        """What leaves all of a face to be seen: mirroring, turning, moving, zooming, brightness and contrast."""
        return self._light(self._warp(faces))

    def degrade(self, faces: Tensor) -> Tensor:
        """What takes something of a face away: blur, covered parts, darkness and noise."""
        return self._noise(self._dim(self._erase(self._blur(faces))))

    def mix(self, faces: Tensor, *targets: Tensor) -> tuple[Tensor, ...]:
        """Mix each face, float (N, C, S, S), and its soft targets (N, ...), with another one of the batch."""
        if not self.mixup and not self.cutmix:
            return (faces, *targets)
        count, device = len(faces), faces.device
        share = _beta(self.mixup or self.cutmix, count, device)
        order = torch.randperm(count, device=device)
        other = faces[order]
        weight = share.view(-1, 1, 1, 1)
        if not self.cutmix:
            faces = weight * faces + (1 - weight) * other
        else:
            length = (1 - _beta(self.cutmix, count, device)).sqrt() * faces.shape[-1]
            hole = _rectangles(length, length, faces.shape[-1])
            cut = torch.rand(count, device=device) < (0.5 if self.mixup else 1.0)
            covered = hole.float().mean(dim=(1, 2, 3))
            blended = weight * faces + (1 - weight) * other
            faces = torch.where(cut.view(-1, 1, 1, 1), torch.where(hole, other, faces), blended)
            share = torch.where(cut, 1 - covered, share)
        mixed = [faces]
        for target in targets:
            own = share.view(-1, *[1] * (target.dim() - 1))
            mixed.append(own * target + (1 - own) * target[order])
        return tuple(mixed)

    def _warp(self, faces: Tensor) -> Tensor:
        count, device = len(faces), faces.device
        angle = _symmetric(count, device) * math.radians(self.rotation)
        scale = 1 + _symmetric(count, device) * self.zoom
        mirror = 1 - 2 * (torch.rand(count, device=device) < self.flip).float()
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        # affine_grid's coordinates run from -1 to 1, so a share of the side counts twice.
        shift_x, shift_y = (_symmetric(count, device) * 2 * self.shift for _ in range(2))
        matrix = torch.stack(
            [torch.stack([cos * mirror, -sin, shift_x], 1), torch.stack([sin * mirror, cos, shift_y], 1)], 1
        )
        grid = functional.affine_grid(matrix, list(faces.shape), align_corners=False)
        return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)

    def _blur(self, faces: Tensor) -> Tensor:
        if not self.blur:
            return faces
        side = faces.shape[-1]
        small = int(torch.randint(side // 2, side, (1,)))
        low = functional.interpolate(faces, size=(small, small), mode="area")
        low = functional.interpolate(low, size=(side, side), mode="bilinear", align_corners=False)
        chosen = torch.rand(len(faces), 1, 1, 1, device=faces.device) < self.blur
        return torch.where(chosen, low, faces)

    def _light(self, faces: Tensor) -> Tensor:
        count, device = len(faces), faces.device
        mean = faces.mean(dim=(1, 2, 3), keepdim=True)
        gain = (1 + _symmetric(count, device) * self.contrast).view(-1, 1, 1, 1)
        offset = (_symmetric(count, device) * self.brightness).view(-1, 1, 1, 1)
        return ((faces - mean) * gain + mean + offset).clamp(0, 1)

    def _dim(self, faces: Tensor) -> Tensor:
        if not self.dark:
            return faces
        count, device = len(faces), faces.device
        light = torch.empty(count, device=device).uniform_(0.1, 0.5)
        chosen = torch.rand(count, device=device) < self.dark
        return faces * torch.where(chosen, light, 1.0).view(-1, 1, 1, 1)

    def _noise(self, faces: Tensor) -> Tensor:
        if not self.noise:
            return faces
        # Below nothing there is nothing: half of the draws are cut off at 0.
        deviation = _symmetric(len(faces), faces.device).clamp(min=0) * self.noise
        return (faces + torch.randn_like(faces) * deviation.view(-1, 1, 1, 1)).clamp(0, 1)

    def _erase(self, faces: Tensor) -> Tensor:
        if not self.erase:
            return faces
        count, side, device = len(faces), faces.shape[-1], faces.device
        area = torch.empty(count, device=device).uniform_(0.02, self.erase_area)
        aspect = torch.exp(_symmetric(count, device) * math.log(3.0))
        hole = _rectangles((area * aspect).sqrt() * side, (area / aspect).sqrt() * side, side)
        chosen = torch.rand(count, device=device) < self.erase
        return torch.where(hole & chosen[:, None, None, None], torch.rand(count, 1, 1, 1, device=device), faces)


def _rectangles(height: Tensor, width: Tensor, side: int) -> Tensor:
    """Rectangles of such heights and widths, each (N,) in pixels, anywhere on a square: bool (N, 1, S, S)."""
    count, device = len(height), height.device
    top = torch.rand(count, device=device) * (side - height).clamp(min=0)
    left = torch.rand(count, device=device) * (side - width).clamp(min=0)
    line = torch.arange(side, device=device, dtype=height.dtype)
    rows = (line >= top[:, None]) & (line < (top + height)[:, None])
    columns = (line >= left[:, None]) & (line < (left + width)[:, None])
    return rows[:, None, :, None] & columns[:, None, None, :]


def _beta(alpha: float, count: int, device: torch.device) -> Tensor:
    """Draws from a symmetric Beta distribution, float (count,)."""
    both = torch.full((count,), alpha, device=device)
    # Checking the arguments would wait for the GPU.
    return torch.distributions.Beta(both, both, validate_args=False).sample()


def _symmetric(count: int, device: torch.device) -> Tensor:
    """Uniform draws from -1..1, float (count,)."""
    return torch.rand(count, device=device) * 2 - 1
