"""Several runs side by side: how good, how large, how quick."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mien.classification.classifier import softmax
from mien.evaluation.datasets import FACE_SIDE, FaceSet
from mien.evaluation.metrics import evaluate
from mien.preprocessing import to_tensor
from mien.runtime import create_session
from mien.training.export import write_onnx
from mien.training.runs import load_run

_RUNS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One run's figures.

    Attributes:
        run: Path of the run folder.
        network: Name of the network.
        accuracy: Share of right answers of the first head.
        macro_f1: Mean F1 over the emotions.
        ece: Expected calibration error, before calibration.
        parameters: Number of trained numbers.
        macs: Multiply-accumulates for one face.
        ms: Median milliseconds for one face with ONNX Runtime on one thread.
        megabytes: Size of the exported network.
    """

    run: str
    network: str
    accuracy: float
    macro_f1: float
    ece: float
    parameters: int
    macs: int
    ms: float
    megabytes: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def measure_run(run: Path, faces: FaceSet, checkpoint: str = "best") -> Row:
    """Measure a run's network on labeled faces.

    Args:
        run: A folder that `mien.training.fit.fit` made.
        faces: Faces to measure on, all of them.
        checkpoint: ``best`` or ``last``.

    Raises:
        OptionError: If the run has no such checkpoint.
    """
    module, _ = load_run(run, checkpoint)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.network(torch.zeros(1, 1, FACE_SIDE, FACE_SIDE))
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        write_onnx(module, path)
        size = path.stat().st_size
        session = create_session(path, "cpu", threads=1)
    logits = np.concatenate(
        [
            session.run(["logits"], {"faces": to_tensor(faces.pixels[k : k + 256], module.mean, module.std)})[0][:, 0]
            for k in range(0, len(faces), 256)
        ]
    )
    face = to_tensor(faces.pixels[:1], module.mean, module.std)
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        session.run(["logits"], {"faces": face})
        times.append(time.perf_counter() - start)
    report = evaluate(faces.labels, softmax(logits))
    return Row(
        run=str(run),
        network=module.recipe.network,
        accuracy=report.accuracy,
        macro_f1=report.macro_f1,
        ece=report.ece,
        parameters=sum(parameter.numel() for parameter in module.network.parameters()),
        # The counter takes a multiplication and an addition for two.
        macs=counter.get_total_flops() // 2,
        ms=statistics.median(times) * 1000,
        megabytes=size / 1e6,
    )
