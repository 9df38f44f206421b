"""Video files in and out, and the tables made of them."""

from __future__ import annotations

from mien.tables import TABLE_SUFFIXES, TableWriter, open_table
from mien.video.prefetch import prefetch
from mien.video.reader import VideoFrame, VideoReader, open_video
from mien.video.writer import VIDEO_SUFFIXES, VideoWriter

__all__ = [
    "TABLE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "TableWriter",
    "VideoFrame",
    "VideoReader",
    "VideoWriter",
    "open_table",
    "open_video",
    "prefetch",
]
