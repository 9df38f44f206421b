"""How much memory a picture of each format takes while it is read, and how long that lasts.

    python benchmarks/picture_memory.py --megapixels 12

Writes a picture of noise in every format, reads each in a process of its own, and prints the peak of the resident
memory beyond what the process and the file took before, in bytes a pixel. Linux only: the kernel counts the peak.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

_READ = """
import sys, time
from pathlib import Path
from mien.images import read_image
def kilobytes(name):
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if name in line).split()[1])
small, large = (Path(path).read_bytes() for path in sys.argv[1:])
read_image(small)
Path("/proc/self/clear_refs").write_text("5")
before, begun = kilobytes("VmRSS"), time.perf_counter()
frame = read_image(large)
print((kilobytes("VmHWM") - before) * 1024 / (frame.shape[0] * frame.shape[1]), time.perf_counter() - begun)
"""

KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "JPEG": ("JPEG", "RGB", {}),
    "JPEG, gray": ("JPEG", "L", {}),
    "JPEG, CMYK": ("JPEG", "CMYK", {}),
    "JPEG, turned by EXIF": ("JPEG", "RGB", {"turned": True}),
    "JPEG, progressive": ("JPEG", "RGB", {"progressive": True}),
    "JPEG, progressive, 4:4:4": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "PNG": ("PNG", "RGB", {"compress_level": 1}),
    "PNG with alpha": ("PNG", "RGBA", {"compress_level": 1}),
    "PNG, palette": ("PNG", "P", {}),
    "PNG, 16 bits": ("PNG", "I;16", {"compress_level": 1}),
    "TIFF": ("TIFF", "RGB", {}),
    "TIFF, LZW, alpha": ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", "RGB", {}),
    "PPM": ("PPM", "RGB", {}),
    "GIF": ("GIF", "P", {}),
    "WebP": ("WEBP", "RGB", {"method": 0}),
    "WebP, lossless, alpha": ("WEBP", "RGBA", {"method": 0, "lossless": True, "quality": 0}),
    "AVIF": ("AVIF", "RGB", {"speed": 10}),
    "AVIF with alpha": ("AVIF", "RGBA", {"speed": 10}),
    "JPEG 2000": ("JPEG2000", "RGB", {"quality_mode": "rates", "quality_layers": [20]}),
}


def main(megapixels: Annotated[float, typer.Option(help="Size of the pictures.")] = 12.0) -> None:
    """Print a table."""
    print("| format | file, MB | bytes a pixel | s |\n|---|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small"), Path(folder, "large")
        height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
        for name, kind in KINDS.items():
            small.write_bytes(encode((64, 48), *kind))
            large.write_bytes(encode((height * 4 // 3, height), *kind))
            command = [sys.executable, "-c", _READ, str(small), str(large)]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            cost, seconds = map(float, run.stdout.split())
            print(f"| {name} | {large.stat().st_size / 1e6:.1f} | {cost:.1f} | {seconds:.2f} |", flush=True)


def encode(size: tuple[int, int], kind: str, mode: str, options: dict[str, Any]) -> bytes:
    """A picture with some noise in it, so that no part of it is cheaper than others."""
    options = dict(options)
    coarse = np.random.default_rng(1).integers(0, 256, (size[1] // 16, size[0] // 16, 4), np.uint8)
    image = Image.fromarray(coarse).resize(size)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert("RGB").quantize(64) if mode == "P" else image.convert(mode)
    if options.pop("turned", False):
        options["exif"] = Image.Exif()
        options["exif"][274] = 6
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


if __name__ == "__main__":
    typer.run(main)
