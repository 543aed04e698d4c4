"""Messages of phones, trackers and servers become fixes in metres and seconds."""

import json

import pytest

from data.model.telemetry import SignalKind
from data.model.units import kmh_to_mps, knots_to_mps
from fleet import osmand, owntracks, traccar
from fleet.gpsd import GpsdReader
from tests.fleet.captured import CAPTURES, DEVICE, NOW, at, lines_of


def test_owntracks_speed_is_kmh_and_the_queue_is_seen() -> None:
    """61 km/h and 67 % are read; a late position tells when the phone put it into its queue."""
    messages = lines_of("owntracks.jsonl")
    found = owntracks.decode(messages[2], user="anna", device="phone", received_at=NOW)
    (fix,) = found.fixes
    assert fix.device_id == found.device_id == "anna/phone"
    assert fix.speed_mps == pytest.approx(61 / 3.6)
    assert (fix.lon, fix.lat, fix.course_deg, fix.accuracy_m) == (2.29513, 48.85833, 271, 5)
    assert fix.battery_ratio == pytest.approx(0.67)
    assert fix.fix_at == at("2017-06-13 10:21:56")
    (queued,) = owntracks.decode(messages[3], received_at=NOW).fixes
    assert queued.device_id == "ckrey/22A67880-15C3-41A6-9157-25545C7993AC"
    assert queued.device_at is not None
    assert (queued.device_at - queued.fix_at).total_seconds() == 246
    (bare,) = owntracks.decode(messages[1], user="a", device="b").fixes
    assert (bare.speed_mps, bare.course_deg, bare.battery_ratio) == (None, None, None)


def test_owntracks_crossings_and_losses_are_signals() -> None:
    """A crossing is a signal with its position; a last will is not dated by its own tst."""
    found = owntracks.decode(lines_of("owntracks.jsonl")[5], topic="owntracks/a/b/event")
    (signal,) = found.signals
    assert (signal.kind, signal.told, signal.at) == (
        SignalKind.ENTER,
        "Work",
        at("2018-06-02 19:16:13"),
    )
    assert len(found.fixes) == 1
    will = owntracks.decode(
        '{"_type":"lwt","tst":1551874878}', topic="owntracks/a/b", received_at=NOW
    )
    (lost,) = will.signals
    assert (lost.kind, lost.at) == (SignalKind.OFFLINE, NOW)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"_type":"encrypted","data":"abc"}', "refusal.encrypted"),
        ('{"_type":"location","lat":91,"lon":20,"tst":1551874878}', "refusal.bad_position"),
        ('{"_type":"location","lat":54,"lon":20}', "refusal.missing"),
        ('{"_type":"location","lat":54,"lon":20,"tst":12}', "refusal.bad_time"),
        ('{"_type":"location","lat":"x","lon":20,"tst":1551874878}', "refusal.bad_number"),
        ('{"_type":"location","lat":54,"lon":NaN,"tst":1551874878}', "refusal.not_json"),
        ('{"_type":"location","lat":54,"lon":1e999,"tst":1551874878}', "refusal.bad_number"),
        ('{"_type":"party"}', "refusal.unknown_kind"),
        ("[" * 100_000, "refusal.not_json"),
        ('{"_type":"location","lat":54', "refusal.not_json"),
        ("5", "refusal.not_object"),
        ("9" * 5000, "refusal.not_json"),
    ],
)
def test_owntracks_refusals_name_their_reason(message: str, code: str) -> None:
    """What cannot be a position is refused by its reason, and nothing else comes of it."""
    found = owntracks.decode(message, user="a", device="b", received_at=NOW)
    assert [r.code for r in found.refusals] == [code]
    assert found.is_refused


def test_owntracks_ignores_what_is_no_position() -> None:
    """Cards and waypoints are accepted, so that the phone does not send them for ever."""
    for kind in ("card", "waypoint", "steps", "status", "cmd"):
        found = owntracks.decode(json.dumps({"_type": kind}))
        assert found.ignored == (kind,)
        assert not found.is_refused


def test_one_bad_position_of_a_list_refuses_itself_alone() -> None:
    """A list with one position out of range gives the others, and says which was refused."""
    good = {"_type": "location", "lat": 54.7, "lon": 20.5, "tst": 1780000000}
    found = owntracks.decode(json.dumps([good, good | {"lat": 500}]), user="a", device="b")
    assert len(found.fixes) == 1
    assert found.refusals[0].facts["index"] == 1


def test_osmand_query_speed_is_knots() -> None:
    """Every captured query is read: epoch seconds, milliseconds, ISO, a clock without a zone."""
    queries = lines_of("osmand-queries.txt")
    fixes = [osmand.decode_query(q, received_at=NOW).fixes[0] for q in queries]
    assert fixes[-1].speed_mps == pytest.approx(40 * 1852 / 3600)
    assert fixes[-1].extra["fuel"] == "24"
    assert [f.fix_at for f in fixes[:4]] == [
        at("2016-01-27 18:55:47"),
        at("2015-09-12 14:38:06.579"),
        at("2014-06-04 09:10:11"),
        at("2013-08-22 13:14:27"),
    ]
    assert fixes[5].fix_at == NOW  # It names no time: it is of its arrival.
    assert (fixes[7].lon, fixes[7].lat) == (30.0, 60.0)
    assert fixes[6].battery_ratio == pytest.approx(0.87)


def test_osmand_json_speed_is_metres_a_second() -> None:
    """Traccar Client's JSON: -1 is not known, 18.67 is m/s as it stands."""
    fixes = [
        osmand.decode_request(
            body=line.encode(), content_type="application/json", received_at=NOW
        ).fixes[0]
        for line in lines_of("osmand.jsonl")
    ]
    assert fixes[2].speed_mps == 18.67
    assert fixes[2].battery_ratio == 0.79
    assert (fixes[1].speed_mps, fixes[1].course_deg, fixes[1].battery_ratio) == (None, None, None)
    assert fixes[1].extra["mock"] is True


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("timestamp=1377177267&lat=60.0&lon=30.0", "refusal.no_device"),
        ("id=1&timestamp=1377177267&cell=257,02,16,2224", "refusal.missing"),
        ("id=1&lat=60&lon=30&timestamp=yesterday", "refusal.bad_time"),
        ("id=1&lat=60&lon=30&valid=perhaps", "refusal.bad_flag"),
        ("id=1&lat=60&lon=300", "refusal.bad_position"),
        ("id=%00&lat=60&lon=30", "refusal.bad_device"),
        ("&".join(f"a{i}=1" for i in range(200)), "refusal.too_many"),
        ("id=" + "1" * 2_000_000, "refusal.too_long"),
    ],
)
def test_osmand_refusals_name_their_reason(query: str, code: str) -> None:
    """A query without a device, a place or a time that can be is refused by its reason."""
    found = osmand.decode_query(query, received_at=NOW)
    assert [r.code for r in found.refusals] == [code]


def test_osmand_says_when_it_has_no_fix() -> None:
    """``valid=false`` is kept and told, for the filters to judge."""
    (fix,) = osmand.decode_query("id=1&lat=60&lon=30&valid=0", received_at=NOW).fixes
    assert not fix.is_valid


def test_traccar_position_speed_is_knots() -> None:
    """22.6782 knots are 42 km/h; satellites, odometer and charge come from the attributes."""
    body = (CAPTURES / "traccar-position.json").read_bytes()
    found = traccar.decode(body, received_at=NOW)
    (fix,) = found.fixes
    assert found.device_id == "352093081234567"
    assert fix.speed_mps == pytest.approx(kmh_to_mps(42), abs=1e-4)
    assert fix.speed_mps == pytest.approx(knots_to_mps(22.6782))
    assert (fix.satellites, fix.hdop, fix.battery_ratio) == (9, 0.8, 0.87)
    assert fix.odometer_m == 1234567.89
    assert fix.accuracy_m is None  # Traccar writes 0 where it does not know.
    assert fix.fix_at == at("2026-11-24 08:15:00")


def test_traccar_event_is_a_signal_with_its_position() -> None:
    """The captured event names the area; its position is a fix like any other."""
    found = traccar.decode((CAPTURES / "traccar-event.json").read_bytes())
    (signal,) = found.signals
    assert (signal.kind, signal.told) == (SignalKind.ENTER, "blub9")
    assert len(found.fixes) == 1
    offline = {"event": {"type": "deviceOffline"}, "device": {"uniqueId": "x"}}
    (lost,) = traccar.decode(json.dumps(offline)).signals
    assert lost.kind is SignalKind.OFFLINE


def test_traccar_outdated_position_has_no_fix() -> None:
    """The last known position sent again with a new message is not where the vehicle is."""
    told = json.loads((CAPTURES / "traccar-position.json").read_text(encoding="utf-8"))
    told["position"]["attributes"]["outdated"] = True
    (fix,) = traccar.decode(json.dumps(told)).fixes
    assert not fix.is_valid


@pytest.mark.parametrize(
    ("name", "count", "first", "last_speed"),
    [
        ("gpsd-3.22-neo-m8n.jsonl", 22, "2034-11-01 17:19:26", 0.015),
        ("gpsd-3.22-sirfstarv-nmea.jsonl", 59, "2019-02-05 02:09:35", 0.0),
        ("gpsd-3.22-haicom-305N.jsonl", 63, "2026-11-22 09:53:05.802", 1.214),
    ],
)
def test_gpsd_streams(name: str, count: int, first: str, last_speed: float) -> None:
    """Recorded streams of a real gpsd: speed is m/s, the sky adds satellites, nothing is lost.

    Two receivers' dates lie 1,024 weeks on, as gpsd had them: the decoder tells what was said.
    """
    reader = GpsdReader(DEVICE)
    decoded = [reader.decode(line, received_at=NOW) for line in lines_of(name)]
    fixes = [fix for d in decoded for fix in d.fixes]
    assert not [d.refusals for d in decoded if d.refusals]
    assert all(d.fixes or d.ignored for d in decoded)
    assert len(fixes) == count
    assert fixes[0].fix_at == at(first)
    assert fixes[-1].speed_mps == last_speed
    assert fixes[-1].accuracy_m is not None
    assert fixes[-1].satellites is not None
    assert fixes[-1].satellites > 4


def test_gpsd_height_is_above_the_sea() -> None:
    """``altMSL`` is taken, not the deprecated ``alt`` that comes and goes."""
    reader = GpsdReader(DEVICE)
    told = {"class": "TPV", "mode": 3, "time": "2026-11-24T08:00:00Z", "lat": 54.7, "lon": 20.5}
    (fix,) = reader.decode(json.dumps(told | {"altHAE": 55.0, "altMSL": 25.0, "alt": 0})).fixes
    assert fix.altitude_m == 25.0


def test_gpsd_poll_picks_one_of_several_receivers() -> None:
    """A poll holds the last report of each receiver; the path picks ours."""
    one = {"class": "TPV", "device": "/dev/a", "mode": 3, "time": "2026-11-24T08:00:00Z"}
    poll = {
        "class": "POLL",
        "active": 2,
        "tpv": [
            one | {"lat": 54.7, "lon": 20.5},
            one | {"lat": 1.0, "lon": 2.0, "device": "/dev/b"},
        ],
        "sky": [{"class": "SKY", "device": "/dev/a", "satellites": [{"used": True}] * 7}],
    }
    (fix,) = GpsdReader(DEVICE, receiver="/dev/a").decode(json.dumps(poll)).fixes
    assert (fix.lat, fix.satellites) == (54.7, 7)
    assert len(GpsdReader(DEVICE).decode(json.dumps(poll)).fixes) == 2
