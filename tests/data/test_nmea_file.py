"""NMEA logs of real receivers become fixes."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from data.feeds.nmea_file import NmeaReader, checksum, fixes_of_lines, read_nmea
from data.model.errors import InputError
from data.model.units import deg_to_degrees_minutes, degrees_minutes_to_deg
from tests.fleet.captured import CAPTURES, DEVICE, at


def test_a_boat_on_the_ijsselmeer() -> None:
    """146 seconds at 10 km/h: RMC, GGA, VTG and ZDA of one second are one fix."""
    fixes, refusals = read_nmea(CAPTURES / "nmea-bundg-zeus-extract.log", DEVICE)
    # The log begins with a GGA before any date was said.
    assert [(r.code, r.facts["row"]) for r in refusals] == [("refusal.no_date", 11)]
    assert (fixes[0].fix_at, fixes[-1].fix_at) == (
        at("2018-08-20 09:47:37"),
        at("2018-08-20 09:50:03"),
    )
    assert len(fixes) == 147
    assert fixes[0].lat == pytest.approx(52 + 51.0085 / 60, abs=1e-4)
    assert fixes[0].speed_mps == pytest.approx(5.6 * 1852 / 3600)
    assert fixes[0].satellites == 12
    assert all(f.is_valid for f in fixes)


def test_a_receiver_without_a_fix_says_so() -> None:
    """The Haicom starts with status V: those fixes are kept as not valid."""
    fixes, refusals = read_nmea(CAPTURES / "nmea-haicom-305N.log", DEVICE)
    assert not refusals
    invalid = [f for f in fixes if not f.is_valid]
    assert 0 < len(invalid) < len(fixes)
    assert invalid[0] == fixes[0]
    assert fixes[0].fix_at == at("2007-04-08 09:52:55.810")
    assert fixes[0].lat == pytest.approx(-(27 + 12.6404 / 60))


def test_several_systems_are_one_position() -> None:
    """GN sentences of a receiver of GPS and GLONASS: one fix a second, the larger count."""
    fixes, refusals = read_nmea(CAPTURES / "nmea-sirfstarv-nmea.log", DEVICE)
    assert not refusals
    assert len(fixes) == 59
    gaps = {(b.fix_at - a.fix_at) for a, b in pairwise(fixes)}
    assert gaps == {timedelta(seconds=1)}
    assert fixes[-1].satellites == 10


def test_a_wrong_checksum_refuses_the_line() -> None:
    """A changed digit is told with its line; the other sentences are read."""
    good = "$GPRMC,094737,A,5251.0093,N,00518.8170,E,5.6,230.5,200818,1.4,E,A*1F"
    fixes, refusals = fixes_of_lines([good, good.replace("5251", "5252")], DEVICE)
    assert len(fixes) == 1
    assert refusals[0].code == "refusal.checksum"
    assert refusals[0].facts["row"] == 2


def test_a_log_without_dates_needs_one() -> None:
    """GGA alone names no day: the caller's is taken, and goes on past midnight."""
    lines = [
        f"$GPGGA,{clock},5444.6025,N,02030.6834,E,1,08,0.9,25.0,M,,M,,"
        for clock in ("235958", "235959", "000000")
    ]
    _, refusals = fixes_of_lines(lines, DEVICE)
    assert {r.code for r in refusals} == {"refusal.no_date"}
    fixes, refusals = fixes_of_lines(lines, DEVICE, on=date(2026, 11, 24))
    assert not refusals
    assert [f.fix_at for f in fixes] == [
        at("2026-11-24 23:59:58"),
        at("2026-11-24 23:59:59"),
        at("2026-11-25 00:00:00"),
    ]


def test_other_lines_are_passed_over() -> None:
    """AIS, comments, tag blocks and empty lines neither fail nor count as refused."""
    reader = NmeaReader(DEVICE)
    for line in ("", "# note", "!AIVDM,1,1,,A,x,0*00", "$GPGSV,3,1,10,66,37,078,27*4F", "junk"):
        assert not reader.read(line).refusals or "GSV" in line
    body = "GPRMC,094737,A,5251.0093,N,00518.8170,E,5.6,230.5,200818,1.4,E,A"
    reader.read(f"\\s:r1*00\\${body}*{checksum(body)}")
    assert len(reader.end().fixes) == 1


def test_degrees_and_minutes_come_back() -> None:
    """Writing and reading degrees agree to 2 mm; 59.9999999 minutes carry over."""
    for degrees in (0.0, 54.743375, 20.51139, 179.99999999, 7.999999999):
        text = deg_to_degrees_minutes(degrees, width=3)
        assert degrees_minutes_to_deg(text) == pytest.approx(degrees, abs=1e-7)
    assert deg_to_degrees_minutes(7.999999999, width=2) == "0800.00000"
    for wrong in ("5460.0", "", "54", "5444.6N", "-5444.6", "5444,6", "٥٤٤٤.٦"):
        with pytest.raises(ValueError, match="degree"):
            degrees_minutes_to_deg(wrong)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(InputError) as told:
        read_nmea(tmp_path / "none.log", DEVICE)
    assert told.value.code == "feeds.file.missing"
    assert "none.log" in str(told.value.facts["file"])
