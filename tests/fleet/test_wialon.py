"""Wialon IPS: packets of real trackers, checksums, answers."""

import pytest

from data.model.telemetry import DeviceId, RefusedError
from fleet import wialon
from fleet.wialon import Session, crc16, decode, encode_packet
from tests.fleet.captured import NOW, at, lines_of

KNOWN = Session(device_id=DeviceId("imei"), has_crc=True)
OLD = Session(device_id=DeviceId("imei"))


@pytest.mark.parametrize(
    ("body", "crc"),
    [
        ("2.0;imei;NA;", "A932"),
        ("231126;081500;5444.6025;N;02030.6834;E;42;180;25;9;", "F95D"),
    ],
)
def test_checksum_vectors(body: str, crc: str) -> None:
    """The published vectors of CRC-16/ARC."""
    assert f"{crc16(body.encode()):04X}" == crc


def test_checksum_of_real_packets() -> None:
    """Two captured packets of version 2.0 carry the checksum that we compute."""
    real = [line for line in lines_of("wialon.txt") if line.startswith("#D#") and line[-5] == ";"]
    assert len(real) == 2
    for line in real:
        assert decode(line, KNOWN, received_at=NOW).answer == b"#AD#1\r\n"


def test_a_session_from_sign_on_to_black_box() -> None:
    """Login, ping, short and full position, black box: each is answered as the protocol says."""
    login = decode(encode_packet("L", "2.0;imei;secret;"), Session())
    assert login.login is not None
    assert (login.login.device_id, login.login.password) == ("imei", "secret")
    assert login.answer == b""
    assert wialon.login_answer(is_known=True) == b"#AL#1\r\n"
    session = login.session
    assert session == KNOWN
    assert decode("#P#", session).answer == b"#AP#\r\n"
    short = encode_packet("SD", "231126;081500;5444.6025;N;02030.6834;E;42;180;25;9;")
    packet = decode(short, session, received_at=NOW)
    assert packet.answer == b"#ASD#1\r\n"
    (fix,) = packet.decoded.fixes
    assert fix.fix_at == at("2026-11-23 08:15:00")
    assert fix.lat == pytest.approx(54.743375)
    assert fix.lon == pytest.approx(20.51139)
    assert fix.speed_mps == pytest.approx(42 / 3.6)
    assert (fix.course_deg, fix.altitude_m, fix.satellites) == (180, 25, 9)
    position = "231126;081500;5444.6025;N;02030.6834;E;42;180;25;9;0.8;NA;NA;NA;NA;NA"
    black = decode(encode_packet("B", f"{position}|{position}|"), session)
    assert black.answer == b"#AB#2\r\n"
    assert len(black.decoded.fixes) == 2


def test_captured_packets() -> None:
    """Packets of trackers of version 1.1: parameters are kept, a wrong degree refuses itself."""
    found = [decode(line, OLD, received_at=NOW) for line in lines_of("wialon.txt")[5:]]
    assert [len(p.decoded.fixes) for p in found] == [1, 1, 1, 1, 1, 1, 2, 0]
    assert found[0].decoded.fixes[0].extra["can_mileage"] == 140367515
    assert found[2].decoded.fixes[0].fix_at == at("2013-04-27 20:56:01")
    assert found[2].decoded.fixes[0].lat == pytest.approx(55.74338, abs=1e-5)
    assert found[6].decoded.fixes[0].extra["Батарея"] == "100 %"
    (refusal,) = found[7].decoded.refusals
    assert (refusal.code, refusal.facts["value"]) == ("refusal.bad_degrees", "5364.0167")
    assert found[7].answer == b"#AB#1\r\n"  # Recorded as refused; never sent again.


@pytest.mark.parametrize(
    ("line", "code", "answer"),
    [
        ("#SD#1;2", "refusal.fields", b"#ASD#-1\r\n"),
        ("#SD#321326;081500;5444.6;N;02030.6;E;1;2;3;9", "refusal.bad_time", b"#ASD#0\r\n"),
        ("#SD#231126;081500;5464.6;N;02030.6;E;1;2;3;9", "refusal.bad_degrees", b"#ASD#10\r\n"),
        ("#SD#231126;081500;5444.6;X;02030.6;E;1;2;3;9", "refusal.bad_degrees", b"#ASD#10\r\n"),
        ("#SD#231126;081500;9944.6;N;02030.6;E;1;2;3;9", "refusal.bad_position", b"#ASD#10\r\n"),
        ("#Z#1", "refusal.unknown_kind", b""),
        ("GET / HTTP/1.1", "refusal.not_wialon", b""),
    ],
)
def test_refusals_are_answered_by_their_code(line: str, code: str, answer: bytes) -> None:
    """The tracker learns what was wrong with its packet, the service why it was refused."""
    packet = decode(line, OLD, received_at=NOW)
    assert [r.code for r in packet.decoded.refusals] == [code]
    assert packet.answer == answer


def test_a_damaged_packet_is_not_taken() -> None:
    """One changed digit breaks the checksum of any packet of version 2.0."""
    short = encode_packet("SD", "231126;081500;5444.6025;N;02030.6834;E;42;180;25;9;")
    packet = decode(short.replace(b"5444", b"5445"), KNOWN)
    assert packet.answer == b"#ASD#13\r\n"
    assert not packet.decoded.fixes
    assert decode(b"#L#2.0;imei;NA;0000", Session()).answer == b"#AL#10\r\n"


def test_nothing_is_taken_before_the_sign_on() -> None:
    """Who has not said who it is gets neither a fix stored nor an answer."""
    packet = decode("#SD#231126;081500;5444.6;N;02030.6;E;1;2;3;9", Session())
    assert [r.code for r in packet.decoded.refusals] == ["refusal.no_login"]
    assert packet.answer == b""


def test_lines_are_cut_from_the_stream() -> None:
    """Whole lines are given, the begun one is kept; a line without an end closes the connection."""
    lines, rest = wialon.split_lines(b"#P#\r\n\r\n#L#2.0;i")
    assert (lines, rest) == ([b"#P#"], b"#L#2.0;i")
    with pytest.raises(RefusedError):
        wialon.split_lines(b"#" * (wialon.LINE_MAX + 1))
