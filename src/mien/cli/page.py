"""``mien page``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import DEFAULTS, ForceOption, MinConfidenceOption, ModelOption
from mien.cli.output import refuse_existing
from mien.errors import OptionError
from mien.options import AnalyzerOptions

_PORT = 8080


def page(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the page into this folder, for any static host.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Show the page to this machine until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for --serve; 0 takes a free one.")] = _PORT,
    force: ForceOption = False,
    model: ModelOption = DEFAULTS.model,
    min_confidence: MinConfidenceOption = DEFAULTS.min_confidence,
) -> None:
    """Make the page that reads camera, photos and videos wholly in the browser: it needs no server of its own.

    Visitors' pictures stay on their devices. The camera works at http://localhost and on hosts with https.
    """
    from mien.browser.serve import serve_page
    from mien.browser.site import earlier_files, page_files, write_page

    if out is None and not serve:
        raise OptionError("nothing to do: write the page with --out DIR, or show it with --serve")
    options = AnalyzerOptions(model=model, min_confidence=min_confidence)
    files = page_files(options)
    if out is not None:
        # An earlier page is replaced, other people's files are not.
        refuse_existing("--out", [out / name for name in files if name not in earlier_files(out)], force)
        write_page(out, files)
        size = sum(map(len, files.values())) / 1e6
        print(f"mien: {len(files)} files, {size:.1f} MB, in {out}", flush=True)
    if serve:
        try:
            serve_page(files, port, lambda address: print(f"mien: {address} (Ctrl-C ends it)", flush=True))
        except KeyboardInterrupt:
            print()
