"""A small window of another program whose files can be dragged: ``python3 drag_source.py FILE ...``.

It runs in the system's Python, since PyGObject comes with the system. Exits with 77 where that or GTK is missing.
"""

import sys
from pathlib import Path
from typing import Any

try:
    import gi

    gi.require_version("Gtk", "3.0")
    from gi.repository import Gdk, Gtk
except (ImportError, ValueError):
    sys.exit(77)


def _give(_widget: Any, _context: Any, selection: Any, _info: int, _time: int) -> None:
    selection.set_uris([Path(name).as_uri() for name in sys.argv[1:]])


window = Gtk.Window(title="files")
window.set_default_size(120, 80)
handle = Gtk.EventBox()
handle.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
handle.drag_source_add_uri_targets()
handle.connect("drag-data-get", _give)
# Whether the files were taken is the end of it.
handle.connect("drag-failed", lambda *_: sys.exit(1))
handle.connect("drag-end", lambda *_: Gtk.main_quit())
window.add(handle)
window.show_all()
Gtk.main()
