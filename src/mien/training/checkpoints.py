"""Checkpoints that are whole or not there."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from mien.files import write_whole


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the old checkpoint and renames.

    Lightning's own way goes through the system's folder for temporary files; moved from another disk, a checkpoint is
    copied over the old one, and a full disk or a ``kill -9`` in the middle leaves neither.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        content = BytesIO()
        torch.save(checkpoint, content)
        write_whole(Path(path), content.getvalue())
