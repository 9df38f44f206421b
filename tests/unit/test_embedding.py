"""What programs do with mien that embed it: threads, processes, closing, looking at objects."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

import mien
from mien.analyzer import cached_analyzer
from mien.errors import ImageError, MienError, VideoError

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples" / "astronaut.jpg"


@pytest.fixture(scope="module")
def analyzer() -> mien.Analyzer:
    return mien.load(threads=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    av = pytest.importorskip("av")
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(30):
            picture = np.full((48, 64, 3), 8 * level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_threads_that_begin_at_once_share_one_analyzer() -> None:
    begin = Barrier(4)

    def ask(_: int) -> mien.Analyzer:
        begin.wait()
        return cached_analyzer(mien.AnalyzerOptions(threads=1, min_confidence=0.123))

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1


def test_asyncio_reads_in_threads(analyzer: mien.Analyzer) -> None:
    async def read() -> list[mien.FrameResult]:
        return await asyncio.gather(*[asyncio.to_thread(analyzer.analyze, PHOTO) for _ in range(4)])

    alone = analyzer.analyze(PHOTO)
    assert len(alone) == 1
    assert asyncio.run(read()) == [alone] * 4


def test_an_analyzer_is_not_pickled_but_its_options_are(analyzer: mien.Analyzer) -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(MienError, match=r"send analyzer\.options and call mien\.load there"):
            attempt(analyzer)
    assert pickle.loads(pickle.dumps(analyzer.options)) == analyzer.options


def _read_again(options: mien.AnalyzerOptions) -> mien.FrameResult:
    return mien.load(options).analyze(PHOTO)


def test_another_process_reads_the_same(analyzer: mien.Analyzer) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_read_again, [analyzer.options]) == analyzer.analyze(PHOTO)


def test_a_video_that_was_closed(clip: Path) -> None:
    with mien.open_video(clip) as reader:
        frames = iter(reader)
        assert next(frames).number == 0
    message = r"clip\.mp4: is closed; read it inside the with block, or open it again"
    with pytest.raises(VideoError, match=message):
        list(frames)
    unread = mien.open_video(clip)
    unread.close()
    with pytest.raises(VideoError, match=message):
        next(iter(unread))
    with pytest.raises(VideoError, match=message):
        mien.analyze_video(unread)


def test_objects_say_what_they_are(analyzer: mien.Analyzer, clip: Path) -> None:
    assert repr(analyzer).startswith("Analyzer(model mien-2, AnalyzerOptions(model='mien-2', detector='yunet', ")
    with mien.open_video(clip) as reader:
        assert repr(reader) == f"VideoReader({str(clip)!r}, 64x48)"
        summary = mien.analyze_video(reader, analyzer=analyzer)
    assert repr(reader) == f"VideoReader({str(clip)!r}, 64x48, closed)"
    assert repr(summary) == f"Summary({str(clip)!r}, 0 people, 30 frames, 3.00 s)"


def test_arrays_of_the_other_byte_order() -> None:
    wide = mien.read_image(PHOTO).astype(np.uint16) * 257
    assert (mien.read_image(wide.astype(">u2")) == mien.read_image(wide.astype("<u2"))).all()


@pytest.mark.parametrize("kind", [np.float32, np.int64, bool, object])
def test_arrays_of_other_numbers(kind: type) -> None:
    with pytest.raises(ImageError, match=r"expected an array of uint8 or uint16, found .*array\.astype\('uint8'\)"):
        mien.read_image(np.zeros((9, 9, 3), kind))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_files_in_memory(kind: type, clip: Path) -> None:
    assert mien.read_image(kind(PHOTO.read_bytes())).shape == (512, 512, 3)
    with mien.open_video(kind(clip.read_bytes())) as reader:
        assert (reader.name, reader.width) == ("video", 64)
    with pytest.raises(VideoError, match="video: is empty"):
        mien.open_video(kind(b""))
