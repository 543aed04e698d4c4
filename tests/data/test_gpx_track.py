"""Tracks of GPX files become fixes."""

from pathlib import Path

import pytest

from data.feeds.gpx_track import read_gpx
from data.feeds.plan_gpx import write_gpx
from data.model.errors import InputError
from tests.fleet.captured import DEVICE, at
from tests.plan_example import plan, request

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
POINT = (
    '<trkpt lat="54.7434" lon="20.5114"><ele>25</ele><time>2026-11-24T08:15:00Z</time>{}</trkpt>'
)


def gpx(tmp_path: Path, body: str, head: str = HEAD) -> Path:
    path = tmp_path / "day.gpx"
    path.write_text(
        f'{head}<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="t">'
        f"<trk><trkseg>{body}</trkseg></trk></gpx>",
        encoding="utf-8",
    )
    return path


def test_points_with_their_extensions(tmp_path: Path) -> None:
    """Speed and course of Garmin's extension, satellites and dilution of GPX itself."""
    extension = (
        "<sat>9</sat><hdop>0.8</hdop><extensions><gpxtpx:TrackPointExtension "
        'xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">'
        "<gpxtpx:speed>11.5</gpxtpx:speed><gpxtpx:course>270</gpxtpx:course>"
        "</gpxtpx:TrackPointExtension></extensions>"
    )
    (fix,), refusals = read_gpx(gpx(tmp_path, POINT.format(extension)), DEVICE)
    assert not refusals
    assert (fix.lon, fix.lat, fix.altitude_m) == (20.5114, 54.7434, 25)
    assert (fix.speed_mps, fix.course_deg, fix.satellites, fix.hdop) == (11.5, 270, 9, 0.8)
    assert fix.fix_at == at("2026-11-24 08:15:00")


def test_bad_points_are_told_with_their_line(tmp_path: Path) -> None:
    """A point without a time and one off the globe refuse themselves alone."""
    body = "\n".join(
        (
            POINT.format(""),
            '<trkpt lat="54" lon="20"></trkpt>',
            '<trkpt lat="x" lon="20"><time>2026-11-24T08:15:01Z</time></trkpt>',
        )
    )
    fixes, refusals = read_gpx(gpx(tmp_path, body), DEVICE)
    assert len(fixes) == 1
    assert [(r.code, r.facts["row"]) for r in refusals] == [
        ("refusal.missing", 2),
        ("refusal.bad_number", 3),
    ]


def test_a_plan_is_no_track(tmp_path: Path) -> None:
    """The route files that we write ourselves hold no fix."""
    for path in write_gpx(request(), plan(), tmp_path):
        assert read_gpx(path, DEVICE) == ((), ())


def test_hostile_files_are_refused(tmp_path: Path) -> None:
    """A document type (entities that grow), half a file and another kind of file."""
    bomb = HEAD + '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    for path, code in (
        (gpx(tmp_path, POINT.format(""), bomb), "gpx.document_type"),
        (_text(tmp_path, HEAD + "<gpx><trk>"), "gpx.not_xml"),
        (_text(tmp_path, HEAD + "<kml></kml>"), "gpx.not_gpx"),
        (_text(tmp_path, "hello"), "gpx.not_xml"),
    ):
        with pytest.raises(InputError) as told:
            read_gpx(path, DEVICE)
        assert told.value.code == code


def _text(tmp_path: Path, text: str) -> Path:
    path = tmp_path / f"{len(text)}.gpx"
    path.write_text(text, encoding="utf-8")
    return path
