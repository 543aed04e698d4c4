"""Our own batches: what the on-board program sends is what the service reads."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.device_values import MOST_FIXES
from data.model.telemetry import DeviceId, Fix, RefusedError
from fleet import batch
from fleet.batch import Receipt
from tests.fleet.captured import DEVICE, NOW

fixes = st.builds(
    Fix,
    device_id=st.just(DEVICE),
    sequence=st.integers(0, 2**53 - 1),
    fix_at=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31)).map(
        lambda d: d.replace(tzinfo=UTC, microsecond=d.microsecond // 1000 * 1000)
    ),
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    speed_mps=st.none() | st.floats(0, 60),
    course_deg=st.none() | st.floats(0, 359.999),
    accuracy_m=st.none() | st.floats(0.1, 500),
    satellites=st.none() | st.integers(0, 40),
)


@given(st.lists(fixes, max_size=5), st.booleans())
def test_a_batch_comes_back(sent: list[Fix], is_packed: bool) -> None:  # noqa: FBT001
    """decode(encode(x)) is x, to the digits that are sent."""
    body = batch.encode(sent, sent_at=NOW)
    encoding = batch.GZIP if is_packed else ""
    found = batch.decode(batch.packed(body) if is_packed else body, DEVICE, encoding=encoding)
    assert found.sent_at == NOW
    assert not found.decoded.refusals
    assert len(found.decoded.fixes) == len(sent)
    for a, b in zip(sent, found.decoded.fixes, strict=True):
        assert (a.sequence, a.fix_at, a.satellites) == (b.sequence, b.fix_at, b.satellites)
        assert a.lon == pytest.approx(b.lon, abs=1e-7)
        assert a.lat == pytest.approx(b.lat, abs=1e-7)
        assert a.speed_mps == pytest.approx(b.speed_mps, abs=0.005)


def test_one_bad_fix_refuses_itself_alone() -> None:
    """The answer names its sequence and its reason, so that the device can set it aside."""
    good = {"sequence": 1, "fix_at": "2026-11-24T08:00:00Z", "lon": 20.5, "lat": 54.7}
    body = json.dumps({"fixes": [good, good | {"sequence": 2, "lat": 100}, {"sequence": 3}, 4]})
    found = batch.decode(body, DEVICE).decoded
    assert [f.sequence for f in found.fixes] == [1]
    answer = batch.answer(num_stored=1, num_known=0, refusals=found.refusals)
    receipt = batch.read_answer(json.dumps(answer))
    assert receipt == Receipt(
        num_stored=1,
        num_known=0,
        refused={2: "refusal.bad_position", 3: "refusal.missing"},
    )


@pytest.mark.parametrize("page", [b"<html>", b"{}", b'{"stored":-1,"known":0}', b"[]", b""])
def test_a_page_of_another_network_is_no_answer(page: bytes) -> None:
    """A sign-in page of a hotel answers 200 to anything: nothing counts as stored."""
    with pytest.raises(RefusedError):
        batch.read_answer(page)


def test_a_gzip_bomb_is_refused() -> None:
    """A small body that would unpack to a gigabyte is not unpacked."""
    found = batch.decode(batch.packed(b" " * 50_000_000), DEVICE, encoding=batch.GZIP)
    assert [r.code for r in found.decoded.refusals] == ["refusal.too_long"]
    for broken in (b"no gzip", batch.packed(b"{}")[:-4]):
        found = batch.decode(broken, DEVICE, encoding=batch.GZIP)
        assert [r.code for r in found.decoded.refusals] == ["refusal.not_gzip"]


def test_a_full_batch_is_not_too_long() -> None:
    """As many fixes as one message may hold are within the limit on its bytes."""
    most = [
        Fix(
            device_id=DeviceId("bus"),
            sequence=2**52 + i,
            fix_at=NOW + timedelta(milliseconds=i),
            lon=20.1234567,
            lat=54.1234567,
            speed_mps=12.34,
            course_deg=123.4,
            accuracy_m=12.3,
            altitude_m=123.4,
            satellites=12,
            hdop=1.234,
        )
        for i in range(MOST_FIXES)
    ]
    assert len(batch.decode(batch.encode(most, sent_at=NOW), DEVICE).decoded.fixes) == len(most)
