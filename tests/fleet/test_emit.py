"""What is sent in imagination is read as what it was: each encoder against its decoder."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.feeds.gpx_track import read_gpx
from data.feeds.nmea_file import fixes_of_lines
from data.model.telemetry import DeviceId, Fix
from fleet import emit, osmand, owntracks, traccar
from tests.fleet.captured import DEVICE, NOW

fixes = st.builds(
    Fix,
    device_id=st.just(DeviceId("library/bus-1")),
    fix_at=st.integers(0, 10**8).map(lambda s: NOW + timedelta(seconds=s)),
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    speed_mps=st.floats(0, 50),
    course_deg=st.floats(0, 359.9),
    accuracy_m=st.floats(1, 100),
    satellites=st.integers(4, 12),
    hdop=st.floats(0.5, 5).map(lambda x: round(x, 1)),
)
DECODERS: dict[str, Callable[[Fix], tuple[Fix, ...]]] = {
    "nmea": lambda f: fixes_of_lines(emit.nmea(f).splitlines(), f.device_id)[0],
    "owntracks": lambda f: owntracks.decode(emit.owntracks(f)).fixes,
    "osmand": lambda f: osmand.decode_query(emit.osmand(f)).fixes,
    "traccar": lambda f: traccar.decode(emit.traccar(f)).fixes,
}
SPEED_STEP_MPS = {"nmea": 0.001, "owntracks": 0.15, "osmand": 0.001, "traccar": 0.001}


@pytest.mark.parametrize("kind", DECODERS)
@given(fix=fixes)
def test_encoders_and_decoders_agree(kind: str, fix: Fix) -> None:
    """Place, time, speed and course come back to the digits that the format has."""
    (found,) = DECODERS[kind](fix)
    assert (found.device_id, found.fix_at) == (fix.device_id, fix.fix_at)
    assert found.lon == pytest.approx(fix.lon, abs=2e-7)
    assert found.lat == pytest.approx(fix.lat, abs=2e-7)
    assert found.speed_mps == pytest.approx(fix.speed_mps, abs=SPEED_STEP_MPS[kind])
    assert found.course_deg is not None
    assert fix.course_deg is not None
    off = abs(found.course_deg - fix.course_deg)
    assert min(off, 360 - off) <= 0.51


@given(st.lists(fixes, min_size=1, max_size=4, unique_by=lambda f: f.fix_at))
def test_gpx_comes_back(tmp_path_factory: pytest.TempPathFactory, some: list[Fix]) -> None:
    """A track of any fixes with a hostile name is read again."""
    path: Path = tmp_path_factory.mktemp("gpx") / "day.gpx"
    path.write_text(emit.gpx(some, name='<КИБО & "1">'), encoding="utf-8")
    found, refusals = read_gpx(path, DEVICE)
    assert not refusals
    assert [f.fix_at for f in found] == sorted(f.fix_at for f in some)
    assert found[0].satellites is not None


def test_a_receiver_without_a_fix_writes_status_v() -> None:
    """What was not valid is not valid when read."""
    fix = replace(Fix(device_id=DEVICE, fix_at=NOW, lon=20.5, lat=54.7), is_valid=False)
    (found,) = DECODERS["nmea"](fix)
    assert not found.is_valid
    assert found.speed_mps is None
