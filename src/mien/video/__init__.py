"""Video files in and out, and the tables made of them."""

from __future__ import annotations

from mien.video.ahead import ahead
from mien.video.reading import VideoFrame, VideoReader, open_video
from mien.video.tables import TABLE_SUFFIXES, TableWriter, open_table
from mien.video.writing import VIDEO_SUFFIXES, VideoWriter

__all__ = [
    "TABLE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "TableWriter",
    "VideoFrame",
    "VideoReader",
    "VideoWriter",
    "ahead",
    "open_table",
    "open_video",
]
