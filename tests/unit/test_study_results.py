"""Summary rows, episodes, ELAN documents, participants and the report, of results that can be counted by hand."""

from __future__ import annotations

import csv
import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from test_video_results import face

from mien.emotions import LABELS, Emotion
from mien.errors import OptionError
from mien.results import Face, FrameResult
from mien.tables import read_rows
from mien.video.episodes import EPISODE_COLUMNS, open_episodes
from mien.video.participants import Participants
from mien.video.report import Report
from mien.video.summary import SUMMARY_COLUMNS, Summary, open_summary

STEP_S = 0.1


def frame(number: int, *faces: Face, shot: int = 1) -> FrameResult:
    return FrameResult("day 1/clip.mp4", 640, 360, faces, number, number * STEP_S, shot)


def results() -> list[FrameResult]:
    """Person 1 is happy for 1 s, then sad and uncertain for 1 s, away for 1 s, and after a cut happy for 1 s; person 2
    is angry for the last second."""
    happy, sad = face(1, Emotion.HAPPY, 0.8), face(1, Emotion.SAD, 0.4)
    shown = [[happy]] * 10 + [[sad]] * 10 + [[]] * 10 + [[happy, face(2, Emotion.ANGRY, 0.7, x=200)]] * 10
    return [frame(number, *faces, shot=1 + (number >= 30)) for number, faces in enumerate(shown)]


def summarize(participants: dict[int, str] | None = None) -> Summary:
    summary = Summary("day 1/clip.mp4", participants)
    for result in results():
        summary.add(result)
    summary.close()
    return summary


def test_rows_of_the_summary() -> None:
    one, two = summarize().to_rows()
    assert list(one) == list(two) == list(SUMMARY_COLUMNS)
    assert (one["video"], one["person"], two["person"]) == ("day 1/clip.mp4", 1, 2)
    assert (one["first_s"], one["last_s"], one["seen_s"], one["frames"]) == (0.0, 3.9, 3.0, 30)
    assert (one["certain_s"], one["uncertain_s"], one["shots"], one["episodes"]) == (2.0, 1.0, 2, 3)
    assert (one["certain_s_happy"], one["uncertain_s_sad"], one["certain_s_sad"]) == (2.0, 1.0, 0.0)
    assert (one["certain_share_happy"], one["uncertain_share_sad"]) == (0.6667, 0.3333)
    assert (one["certain_episodes_happy"], one["uncertain_episodes_sad"], one["uncertain_episodes_happy"]) == (2, 1, 0)
    # 2 s of 0.8 and 1 s of a sixth of 0.6.
    assert one["mean_happy"] == pytest.approx((2 * 0.8 + 0.1) / 3, abs=1e-4)
    # Happy minus the strongest of the negative ones: 2 s of 0.8 - 0.2 / 6, and 1 s of 0.1 - 0.4.
    assert one["valence"] == pytest.approx((2 * (0.8 - 0.2 / 6) + (0.1 - 0.4)) / 3, abs=1e-4)
    assert two["valence"] == pytest.approx(0.05 - 0.7, abs=1e-4)
    assert (one["read_s"], one["remark"]) == (4.0, None)
    for row in (one, two):
        shares = [row[f"{kind}_share_{label}"] for kind in ("certain", "uncertain") for label in LABELS]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert sum(row[f"mean_{label}"] for label in LABELS) == pytest.approx(1, abs=1e-3)


def test_a_video_without_people_has_a_row() -> None:
    summary = Summary("none.mp4", {1: "P1"})
    for number in range(10):
        summary.add(frame(number))
    summary.close()
    summary.damage = "breaks off at 1.00 s of 2.00 s"
    (row,) = summary.to_rows()
    known = {"video": "none.mp4", "read_s": 1.0, "remark": "breaks off at 1.00 s of 2.00 s"}
    assert row == dict.fromkeys(summary.columns) | known
    assert list(row)[:3] == ["video", "person", "participant"]


def test_episodes_end_with_the_emotion_and_with_the_face() -> None:
    spans = [(e.track, e.emotion.value, e.onset_s, e.offset_s, e.uncertain) for e in summarize().episodes]
    assert [(*span[:2], *np.round(span[2:4], 6), span[4]) for span in spans] == [
        (1, "happy", 0.0, 1.0, False),
        (1, "sad", 1.0, 2.0, True),
        (1, "happy", 3.0, 4.0, False),
        (2, "angry", 3.0, 4.0, False),
    ]


@pytest.mark.parametrize(("step_s", "spans"), [(0.4, [(0.0, 2.0)]), (2.0, [(0.0, 4.0), (6.0, 10.0)])])
def test_a_frame_without_the_face_ends_an_episode_where_it_is_long(
    step_s: float, spans: list[tuple[float, float]]
) -> None:
    """A frame read every two seconds without the face is two seconds without it."""
    summary = Summary("clip.mp4")
    for number in range(5):
        faces = () if number == 2 else (face(1, Emotion.HAPPY, 0.8),)
        summary.add(FrameResult("clip.mp4", 640, 360, faces, number, number * step_s, 1))
    summary.close()
    assert [(round(e.onset_s, 6), round(e.offset_s, 6)) for e in summary.episodes] == spans


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_tables_hold_their_rows(tmp_path: Path, suffix: str) -> None:
    summary = summarize({1: "P07"})
    with open_summary(tmp_path / f"s{suffix}", summary), open_episodes(tmp_path / f"e{suffix}", summary):
        pass
    people, episodes = read_rows(tmp_path / f"s{suffix}"), read_rows(tmp_path / f"e{suffix}")
    assert [row["participant"] for row in people] == ["P07", None]
    assert [row["participant"] for row in episodes] == ["P07", "P07", "P07", None]
    assert [name for name in episodes[0] if name != "participant"] == list(EPISODE_COLUMNS)
    expected = summary.to_rows()
    if suffix == ".csv":
        expected = [{name: None if value is None else str(value) for name, value in row.items()} for row in expected]
    assert people == expected


def test_unknown_formats_are_refused_and_failures_leave_nothing(tmp_path: Path) -> None:
    summary = summarize()
    with pytest.raises(OptionError, match=r"unknown format '.xlsx' for a summary; use .csv, .parquet, .json"):
        open_summary(tmp_path / "s.xlsx", summary)
    with pytest.raises(OptionError, match=r"unknown format '.txt' for episodes"):
        open_episodes(tmp_path / "e.txt", summary)
    with pytest.raises(OptionError, match=r"unknown format '.pdf' for a report"):
        Report(tmp_path / "r.pdf", summary, None)
    for make in (lambda: open_summary(tmp_path / "s.csv", summary), lambda: open_episodes(tmp_path / "e.eaf", summary)):
        with pytest.raises(ZeroDivisionError), make():
            raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_elan_document(tmp_path: Path) -> None:
    """In the order of the schema, every reference resolved, times in order, no annotations of a tier overlapping."""
    video = tmp_path / "day 1" / "clip.mp4"
    path = tmp_path / "out" / "clip.eaf"
    with open_episodes(path, summarize({1: 'A & "B" <c>\x07'}), video):
        pass
    root = ElementTree.parse(path).getroot()
    order = list(dict.fromkeys(child.tag for child in root))
    assert order == ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONTROLLED_VOCABULARY"]
    assert (root.get("FORMAT"), root.find("HEADER").get("TIME_UNITS")) == ("3.0", "milliseconds")
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media.get("RELATIVE_MEDIA_URL") == "../day 1/clip.mp4"
    assert (media.get("MEDIA_URL"), media.get("MIME_TYPE")) == (f"file://{video}", "video/mp4")
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    assert list(times.values()) == sorted(times.values()) == [0, 1000, 2000, 3000, 4000]
    values = {entry.get("CVE_ID"): entry.find("CVE_VALUE").text for entry in root.iter("CV_ENTRY_ML")}
    assert tuple(values.values()) == LABELS
    (kind,) = root.findall("LINGUISTIC_TYPE")
    assert kind.get("CONTROLLED_VOCABULARY_REF") == root.find("CONTROLLED_VOCABULARY").get("CV_ID")
    found = {}
    for tier in root.findall("TIER"):
        assert tier.get("LINGUISTIC_TYPE_REF") == kind.get("LINGUISTIC_TYPE_ID")
        spans = []
        for note in tier.iter("ALIGNABLE_ANNOTATION"):
            assert values[note.get("CVE_REF")] == note.findtext("ANNOTATION_VALUE")
            spans.append((times[note.get("TIME_SLOT_REF1")], times[note.get("TIME_SLOT_REF2")], note[0].text))
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        found[tier.get("TIER_ID")] = tier.get("PARTICIPANT"), spans
    who = 'A & "B" <c>'
    assert found == {
        "person 1": (who, [(0, 1000, "happy"), (3000, 4000, "happy")]),
        "person 1 uncertain": (who, [(1000, 2000, "sad")]),
        "person 2": ("person 2", [(3000, 4000, "angry")]),
        "person 2 uncertain": ("person 2", []),
    }
    ids = [note.get("ANNOTATION_ID") for note in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(ids)) == len(ids) == 4


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name", ["clips/day1/a.mp4", "day1/a.mp4", "day1/a", "a.mp4", "a", "./day1/a.mp4", "day1\\a.mp4"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_participants_by_every_name_of_a_video(tmp_path: Path, name: str, delimiter: str) -> None:
    lines = ["\ufeffVideo,Person,Participant,Group", f"{name},1,P 07,x", f"{name},#2,P08,", "b.mp4,1,P09,y"]
    people = Participants(write(tmp_path / "p.csv", "\n".join(lines).replace(",", delimiter)))
    assert people.of("clips/day1/a.mp4", Path("day1/a.mp4")) == {1: "P 07", 2: "P08"}
    assert people.of("clips/b.mp4") == {1: "P09"}
    assert people.of("clips/c.mp4") == {}
    a, b = (Path("clips/day1/a.mp4"), Path("day1/a.mp4")), (Path("clips/b.mp4"), Path("b.mp4"))
    assert people.check([a, b]) == []
    assert people.check([b]) == [name.replace("\\", "/").removeprefix("./")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'video'; expected video, person, participant, found nothing"),
        ("video,person,id\na.mp4,1,P1\n", "has no column 'participant'; expected .*, found video, person, id"),
        ("video,person,participant\na.mp4,one,P1\n", "line 2: expected the number of a person, found 'one'"),
        ("video,person,participant\na.mp4,1,P1\n,2,P2\n", "line 3: video is empty"),
        ("video,person,participant\na.mp4,1\n", "line 2: participant is empty"),
        ("video,person,participant\na.mp4,1,P1\na.mp4,1,P2\n", "line 3: person 1 of a.mp4 is both P1 and P2"),
    ],
)
def test_impossible_participants_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Participants(write(tmp_path / "p.csv", text))


def test_participants_that_do_not_fit_the_videos(tmp_path: Path) -> None:
    people = Participants(write(tmp_path / "p.csv", "video,person,participant\na,1,P1\n"))
    with pytest.raises(OptionError, match="names none of the videos; expected b.mp4, found a"):
        people.check([(Path("b.mp4"), Path("b.mp4"))])
    with pytest.raises(OptionError, match=r"'a' may be x/a.mp4 or y/a.mp4; write the path"):
        people.check([(Path("x/a.mp4"), Path("x/a.mp4")), (Path("y/a.mp4"), Path("y/a.mp4"))])
    with pytest.raises(OptionError, match="cannot be read: No such file"):
        Participants(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("video,person,participant\na,1,Zoë\n".encode("latin-1"))
    with pytest.raises(OptionError, match="is not a CSV file in UTF-8"):
        Participants(tmp_path / "latin.csv")


HOSTILE = "<img src=x onerror=alert(1)>&\"'</script>"


def make_report(path: Path, video: Path | None, damage: str | None = None) -> str:
    summary = Summary(f"a/{HOSTILE}.mp4", {1: HOSTILE})
    image = np.full((360, 640, 3), 90, np.uint8)
    with Report(path, summary, video) as report:
        for result in results():
            summary.add(result)
            report.write(image, result)
        summary.close()
        summary.damage = damage
    return path.read_text(encoding="utf-8")


def test_report_stands_alone(tmp_path: Path) -> None:
    video = tmp_path / "clips" / "wo man #1 <b>.mp4"
    page = make_report(tmp_path / "out" / "report.html", video, f"breaks off {HOSTILE}")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    outside = [address for address in addresses if not address.startswith("data:")]
    assert outside == ["../clips/wo%20man%20%231%20%3Cb%3E.mp4"]
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert HOSTILE not in page and "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27;") >= 3
    # A strip and a picture per person, and a row per episode with the time to go to.
    assert len(re.findall(r'class="strip" role="slider" tabindex="0"', page)) == 2
    assert page.count("data:image/jpeg") == page.count("data:image/png") == 2
    assert re.findall(r'data-time="([\d.]+)"', page) == ["0.000", "1.000", "3.000", "3.000"]
    assert "sad?" in page and "happy?" not in page
    assert "breaks off" in page


def test_report_without_a_file_and_without_people(tmp_path: Path) -> None:
    assert "<video" not in make_report(tmp_path / "bytes.html", None)
    summary = Summary("none.mp4")
    with Report(tmp_path / "none.html", summary, None) as report:
        summary.add(frame(0))
        report.write(np.zeros((360, 640, 3), np.uint8), frame(0))
        summary.close()
    page = (tmp_path / "none.html").read_text()
    assert "No face was seen." in page and "<p>None.</p>" in page


def test_json_reads_back(tmp_path: Path) -> None:
    with open_summary(tmp_path / "s.json", summarize()):
        pass
    assert json.loads((tmp_path / "s.json").read_text()) == summarize().to_rows()
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(OptionError, match="cannot be read to continue it"):
        read_rows(tmp_path / "bad.json")
    with (tmp_path / "e.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["video", "person"], ["a", ""]])
    assert read_rows(tmp_path / "e.csv") == [{"video": "a", "person": None}]
