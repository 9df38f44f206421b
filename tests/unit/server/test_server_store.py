"""The store of videos that the processes of a service share."""

from __future__ import annotations

import time

from mien.server.video_store import Video, VideoStore


def test_places() -> None:
    store = VideoStore(places=2, keep=4, keep_s=60)
    first, second, third = (Video("clip.mp4", 1, owner=1) for _ in range(3))
    assert store.add(first)
    assert store.add(second)
    assert not store.add(third)
    assert store.update(first.id, status="running")
    assert store.delete(first.id)
    assert store.unfinished() == 2, "it is still being read"
    assert not store.update(first.id, progress=0.5)
    store.leave(first.id)
    assert store.add(third)
    assert store.delete(second.id)
    assert store.unfinished() == 1, "nobody had begun with it"
    assert not store.delete(second.id)


def test_what_a_lost_process_read_has_failed() -> None:
    store = VideoStore(places=4, keep=4, keep_s=60)
    store.join(1)
    store.join(2)
    done, running, other = Video("a", 1, owner=1), Video("b", 1, owner=1), Video("c", 1, owner=2)
    for video in (done, running, other):
        store.add(video)
    store.update(done.id, status="done")
    store.lose(1)
    found = {each.name: now for each in (done, running, other) if (now := store.find(each.id))}
    assert {name: video.status for name, video in found.items()} == {"a": "done", "b": "failed", "c": "queued"}
    assert found["b"].error is not None
    assert (store.owners(), store.unfinished()) == ([2], 1)
    assert not store.update(running.id, progress=1.0), "it may not come back to life"


def test_only_so_many_results_are_kept() -> None:
    store = VideoStore(places=4, keep=2, keep_s=60)
    first, second, third = (finished(store), finished(store), Video("long.mp4", 1, owner=1))
    assert store.add(third)
    fourth = finished(store)
    assert [store.find(video.id) is None for video in (first, second, fourth)] == [True, False, False]
    assert store.update(third.id, status="done")
    assert [store.find(video.id) is None for video in (second, third, fourth)] == [True, False, False]


def test_results_are_kept_for_a_while() -> None:
    store = VideoStore(places=4, keep=2, keep_s=0.2)
    video = finished(store)
    end = time.monotonic() + 20
    while store.find(video.id):
        assert time.monotonic() < end, "it was never forgotten"
        time.sleep(0.01)


def finished(store: VideoStore) -> Video:
    """A video that has been read."""
    video = Video("clip.mp4", 1, owner=1)
    assert store.add(video)
    assert store.update(video.id, status="done")
    store.leave(video.id)
    return video
