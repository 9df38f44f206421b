"""Ask a running `mien serve` about pictures, with nothing but the standard library.

    mien serve &
    python examples/client.py examples/astronaut.jpg

The address is http://127.0.0.1:8000 unless MIEN_URL names another; MIEN_TOKEN holds the token, if the service has one.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

URL = os.environ.get("MIEN_URL", "http://127.0.0.1:8000")


def main(paths: list[Path]) -> int:
    """Send the pictures in one request and print what comes back; returns the exit code."""
    if missing := [str(path) for path in paths if not path.is_file()]:
        print("no such file:", ", ".join(missing), file=sys.stderr)
        return 1
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="pictures"; filename="{path.name}"\r\n\r\n'.encode()
        + path.read_bytes()
        for path in paths
    ]
    body = b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    if token := os.environ.get("MIEN_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{URL}/v1/analyze", body, headers), timeout=60) as answer:
            pictures = json.load(answer)["pictures"]
    except urllib.error.HTTPError as error:
        print(json.load(error)["detail"], file=sys.stderr)
        return 1
    except urllib.error.URLError as error:
        print(f"no answer from {URL} ({error.reason}); is mien serve running?", file=sys.stderr)
        return 1
    for picture in pictures:
        if "error" in picture:
            print(f"{picture['source']}: {picture['error']['detail']}", file=sys.stderr)
        for face in picture.get("faces", []):
            print(picture["source"], face["emotion"], f"{face['confidence']:.0%}", face["box"])
    return 0


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
