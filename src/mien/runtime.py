"""ONNX Runtime sessions, opened the same way everywhere."""

from __future__ import annotations

from pathlib import Path

import cv2
import onnxruntime as ort

from mien.errors import ModelError, OptionError

DEVICES = ("auto", "cpu", "cuda")

# OpenCV's number of this feature, CV_CPU_AVX2; its Python module does not name it.
_OPENCV_AVX2 = 11


def has_gpu() -> bool:
    """Whether ONNX Runtime was installed with CUDA."""
    return "CUDAExecutionProvider" in ort.get_available_providers()


def create_session(model: bytes | Path, device: str = "auto", threads: int = 0) -> ort.InferenceSession:
    """Open a network.

    Args:
        model: The ONNX graph, or the file that holds it.
        device: ``cpu``, ``cuda``, or ``auto`` for CUDA where ONNX Runtime was installed with it.
        threads: Threads for one run; 0 takes all cores.

    Raises:
        OptionError: If the device is unknown or not available, or ``threads`` is negative.
        ModelError: If the graph cannot be loaded.
    """
    if device not in DEVICES:
        raise OptionError(f"must be one of {', '.join(DEVICES)}, found {device!r}", field="device")
    if threads < 0:
        raise OptionError(f"must be 0 (all cores) or more, found {threads}", field="threads")
    has_cuda = has_gpu()
    if device == "cuda" and not has_cuda:
        raise OptionError(
            "cuda is not available; install onnxruntime-gpu instead of onnxruntime, or use cpu", field="device"
        )
    providers = ["CPUExecutionProvider"]
    if has_cuda and device != "cpu":
        providers.insert(0, "CUDAExecutionProvider")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Idle threads that spin would take the cores from video decoding and from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers)
    except Exception as error:  # ONNX Runtime raises a class of its own per kind of failure, with no common base.
        name = "model" if isinstance(model, bytes) else str(model)
        raise ModelError(
            f"cannot be loaded as an ONNX network: it is damaged, or newer than ONNX Runtime {ort.__version__}", name
        ) from error


def has_int8_instructions() -> bool:
    """Whether ONNX Runtime computes faster in 8 bits than in 32 on this processor: where it has AVX2 at least.

    With VNNI a face takes two fifths of the time, with AVX2 alone three fifths. On other kinds of processors it was not
    measured.
    """
    return bool(cv2.checkHardwareSupport(_OPENCV_AVX2))
