"""Whatever comes in, a decoder gives fixes or a refusal with its reason, and never fails."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.words import Words
from data.feeds.nmea_file import NmeaReader
from data.model.telemetry import Decoded
from fleet import batch, osmand, owntracks, traccar, wialon
from fleet.gpsd import GpsdReader
from tests.fleet.captured import CAPTURES, DEVICE, NOW, lines_of

type Decode = Callable[[bytes], Decoded]

SESSION = wialon.Session(device_id=DEVICE)


def _nmea(body: bytes) -> Decoded:
    reader = NmeaReader(DEVICE)
    read = [reader.read(line) for line in body.decode("latin-1").splitlines()]
    read.append(reader.end())
    return Decoded(
        fixes=tuple(f for d in read for f in d.fixes),
        refusals=tuple(r for d in read for r in d.refusals),
        ignored=("lines",),
    )


DECODERS: dict[str, Decode] = {
    "owntracks": lambda b: owntracks.decode(b, user="a", device="b", received_at=NOW),
    "osmand query": lambda b: osmand.decode_query(b.decode("latin-1"), received_at=NOW),
    "osmand json": lambda b: osmand.decode_json(b, received_at=NOW),
    "osmand any": lambda b: osmand.decode_request(body=b, received_at=NOW),
    "traccar": lambda b: traccar.decode(b, received_at=NOW),
    "wialon": lambda b: wialon.decode(b, SESSION, received_at=NOW).decoded,
    "batch": lambda b: batch.decode(b, DEVICE, received_at=NOW).decoded,
    "batch gzip": lambda b: batch.decode(b, DEVICE, encoding="gzip").decoded,
    "gpsd": lambda b: GpsdReader(DEVICE).decode(b, received_at=NOW),
    "nmea": _nmea,
}
SEEDS = [
    *(line.encode() for line in lines_of("owntracks.jsonl")),
    *(line.encode() for line in lines_of("osmand-queries.txt")),
    *(line.encode() for line in lines_of("osmand.jsonl")),
    *(line.encode() for line in lines_of("wialon.txt")),
    *(line.encode() for line in lines_of("gpsd-3.22-neo-m8n.jsonl")[:12]),
    (CAPTURES / "traccar-event.json").read_bytes(),
    (CAPTURES / "traccar-position.json").read_bytes(),
    b"\n".join((CAPTURES / "nmea-neo-m8n.log").read_bytes().splitlines()[:40]),
    b'{"sent_at":"2026-11-24T08:15:00Z","fixes":[{"sequence":17,"fix_at":"2026-11-24T08:14:59Z",'
    b'"lon":20.511,"lat":54.743,"speed_mps":11.7,"course_deg":180,"accuracy_m":4.1}]}',
]
WORDS = [Words("en"), Words("ru")]


def check(found: Decoded) -> None:
    """What came out can be stored and told: encodable text, a reason in both languages."""
    assert found.fixes or found.signals or found.ignored or found.refusals
    for fix in found.fixes:
        str(fix.device_id).encode()
        json.dumps(dict(fix.extra), allow_nan=False).encode()
    for signal in found.signals:
        signal.told.encode()
    for refusal in found.refusals:
        for words in WORDS:
            told = words(refusal.code, **refusal.facts)
            assert told != refusal.code, f"no words for {refusal.code}"
            told.encode()


@pytest.mark.parametrize("name", DECODERS)
def test_damaged_messages_never_fail_a_decoder(name: str) -> None:
    """Real messages cut short, spliced, with bytes flipped and doubled, at every decoder."""
    rng = random.Random(name)
    decode = DECODERS[name]
    for seed in SEEDS:
        check(decode(seed))
        for _ in range(12):
            check(decode(_damaged(rng, seed)))


def _damaged(rng: random.Random, seed: bytes) -> bytes:
    body = bytearray(seed)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(6):
            case 0:
                del body[at:]
            case 1:
                body[at:at] = rng.randbytes(rng.randint(1, 8))
            case 2:
                other = rng.choice(SEEDS)
                body[at:] = other[rng.randrange(len(other) + 1) :]
            case 3:
                body[at : at + 1] = rng.choice(
                    [b"-", b"9" * 400, b"1e400", b'"', b";", b"\\ud800", b"null", b"NaN", b"\0"]
                )
            case 4:
                body[at : at + rng.randint(1, 20)] = b""
            case _:
                body += body[at:]
    return bytes(body)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
NAMES = """
_type lat lon tst acc vel batt cog alt topic created_at event desc device position uniqueId fixTime
deviceTime latitude longitude speed attributes sat location coords timestamp device_id battery level
extras class mode time tpv sky satellites uSat fixes sequence fix_at sent_at eventTime geofence name
"""
names = st.sampled_from(NAMES.split())
nested = st.recursive(
    plain | st.sampled_from(["location", "transition", "TPV", "POLL", "SKY", "2026-11-24T08:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=9),
    max_leaves=25,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(names, nested, min_size=1, max_size=14))
def test_any_json_is_taken_or_refused(told: dict[str, object]) -> None:
    """Objects of the right names with values of any type."""
    body = json.dumps(told).encode()
    for name in ("owntracks", "osmand json", "traccar", "gpsd", "batch"):
        if told.get("fixes") in ([], None) and name == "batch":
            continue
        check(DECODERS[name](body))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    """Random bytes at every decoder; an empty NMEA line is nothing at all."""
    for decode in DECODERS.values():
        check(decode(body))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="0123456789NASEW.;-|#", max_size=12), max_size=20))
def test_any_wialon_fields_are_taken_or_refused(fields: list[str]) -> None:
    """Fields of any digits and letters under every type of packet."""
    for kind in ("L", "D", "SD", "B", "P", "M"):
        line = f"#{kind}#{';'.join(fields)}"
        packet = wialon.decode(line, SESSION, received_at=NOW)
        check(packet.decoded)
        assert packet.answer.endswith(wialon.END) or not packet.answer
