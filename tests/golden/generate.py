"""Write the answers that `test_golden.py` expects: python tests/golden/generate.py.

Run it after a deliberate change of the model, the detector or the crop, and read the difference before committing.
Pictures: scikit-image's astronaut (public domain), as it is, small, turned, dark, mirrored and tiled.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ANSWERS = Path(__file__).with_name("answers.json")


def pictures() -> dict[str, NDArray[np.uint8]]:
    """The pictures by name, uint8 (H, W, 3) BGR."""
    from skimage import data

    photo = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    turn = cv2.getRotationMatrix2D((222, 125), 25, 1.0)
    made = {
        "astronaut": photo,
        "small": cv2.resize(photo, (160, 160), interpolation=cv2.INTER_AREA),
        "large": cv2.resize(photo, (1500, 1500), interpolation=cv2.INTER_CUBIC),
        "turned": cv2.warpAffine(photo, turn, (512, 512)),
        "dark": photo // 4,
        "mirrored": photo[:, ::-1],
        "two": np.concatenate([photo[:300, :400], photo[:300, :400][:, ::-1]], axis=1),
        "cut close": photo[60:190, 165:280],
        "nobody": photo[300:, 300:],
    }
    return {name: np.ascontiguousarray(picture, np.uint8) for name, picture in made.items()}


def main() -> None:
    """Write the answers."""
    from mien import load

    analyzer = load()
    answers = {name: analyzer.analyze(picture).to_dict() for name, picture in pictures().items()}
    ANSWERS.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
