"""Checkpoints that are whole or not there, in a folder that may be moved."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import callbacks
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


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Remembers the best score after the run folder was moved; Lightning's own takes the next epoch for the best.

    A checkpoint holds a callback's state under the name of its class, hence the same name.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict | {"dirpath": self.dirpath})
