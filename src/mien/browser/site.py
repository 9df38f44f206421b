"""The page's files: those that are shipped, the networks, and what is made of Python's constants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from mien.browser.icons import emotion_colors, icon_files
from mien.browser.settings import NETWORKS, page_settings
from mien.classification.classifier import EmotionClassifier
from mien.classification.model_config import INT8_FILE, find_model, load_config
from mien.detection import landmarks, yunet
from mien.errors import OptionError
from mien.files import write_whole
from mien.options import AnalyzerOptions

STATIC = Path(__file__).with_name("static")
LISTING = "page.json"
"""Names the files of a written page, so that writing it again can remove what is no longer part of it."""

# What the browser asks for by these very names; everything else lies in a folder named after its content.
_ENTRANCE = ("index.html", "sw.js", "manifest.webmanifest")
_RUNTIME = "vendor/ort-wasm-simd-threaded.wasm"
_SAMPLE = Path(__file__).parents[1] / "apps" / "web" / "views" / "sample.jpg"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""The page's Content-Security-Policy: it can contact no other server than the one it came from."""


def page_files(options: AnalyzerOptions | None = None) -> dict[str, bytes]:
    """All files of the page by their paths, with slashes.

    Everything but the entrance lies in a folder whose name is a digest of the content: a browser may keep it for ever,
    and never mixes two versions.

    Args:
        options: Model, threshold and smoothing; the page detects with YuNet and runs on the CPU of its visitor.

    Raises:
        OptionError: If there is no such model, or the detector is not YuNet.
        ModelError: If the model is damaged.
    """
    options = options or AnalyzerOptions()
    if options.detector != "yunet":
        raise OptionError(f"must be yunet for the page, found {options.detector!r}", field="detector")
    networks, shipped = _networks(options), _shipped()
    config = load_config(find_model(options.model))
    download = sum(map(len, networks.values())) + len(shipped[_RUNTIME])
    generated = {
        "settings.json": json.dumps(page_settings(config, options, download), indent=1).encode(),
        "emotions.css": _emotion_styles(),
        "sample.jpg": _SAMPLE.read_bytes(),
    }
    parts = shipped | networks | generated | icon_files()
    entrance = {name: parts.pop(name) for name in _ENTRANCE}
    digests = (f"{name} {hashlib.sha256(parts[name]).hexdigest()}\n" for name in sorted(parts))
    place = hashlib.sha256("".join(digests).encode()).hexdigest()[:12]
    lasting = {f"{place}/{name}": content for name, content in parts.items()}
    kept = json.dumps(["./", "index.html", "manifest.webmanifest", *sorted(lasting)])
    replaced = {"@PLACE@": place, "@POLICY@": POLICY, "@FILES@": kept}
    return lasting | {name: _fill(content, replaced) for name, content in entrance.items()}


def _fill(content: bytes, replaced: dict[str, str]) -> bytes:
    text = content.decode()
    for mark, value in replaced.items():
        text = text.replace(mark, value)
    return text.encode()


def _emotion_styles() -> bytes:
    colors = emotion_colors()
    names = "".join(f"--{name}:{color};" for name, color in colors.items())
    rules = "".join(f'[data-emotion="{name}"]{{--c:var(--{name})}}' for name in colors)
    return f":root{{{names}--c:var(--line)}}{rules}\n".encode()


def write_page(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the page into a folder; any static host can serve it.

    Args:
        out: The folder; made if it is not there. An earlier page in it is replaced, other files are left alone.
        files: As `page_files` gives them.

    Raises:
        OptionError: If ``out`` is a file.
        OutputError: If it cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise OptionError("is a file, expected a folder", out)
    earlier = earlier_files(out)
    # The entrance last: until then visitors get the earlier page, whole.
    for name in sorted(files, key=lambda name: name in _ENTRANCE):
        write_whole(out / name, files[name])
    write_whole(out / LISTING, json.dumps(sorted(files), indent=1))
    for name in set(earlier) - set(files):
        _remove(out, name)


def earlier_files(out: Path) -> list[str]:
    """The files of an earlier page in a folder, by their names below it."""
    try:
        names = json.loads((out / LISTING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    inside = (name for name in names if isinstance(name, str) and not Path(name).is_absolute())
    return [name for name in inside if ".." not in Path(name).parts]


def _remove(out: Path, name: str) -> None:
    path = out / name
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == out or any(folder.iterdir()):
            break
        folder.rmdir()


def _shipped() -> dict[str, bytes]:
    return {
        path.relative_to(STATIC).as_posix(): path.read_bytes()
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and not path.name.endswith((".d.mts", ".pyc"))
    }


def _networks(options: AnalyzerOptions) -> dict[str, bytes]:
    folder = find_model(options.model)
    # Opened once, so that a model that cannot run is refused here rather than in front of visitors.
    EmotionClassifier(options.model, "cpu", 1, "fp32")
    small = folder / INT8_FILE
    # Twice as fast in WebAssembly, and a quarter of the download.
    classifier = small if small.is_file() and options.precision != "fp32" else folder / "model.onnx"
    return {
        NETWORKS["classifier"]: classifier.read_bytes(),
        NETWORKS["detector"]: yunet.WEIGHTS.read_bytes(),
        NETWORKS["aligner"]: landmarks.WEIGHTS.read_bytes(),
    }
