"""Batches reach the service once, whatever happens on the way."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from data.model.telemetry import Fix, Verdict
from fleet.batch import unpacked
from fleet.buffer import Buffer
from fleet.devices import GPS_MOUSE
from fleet.forward import Forwarder
from fleet.http_post import Poster
from fleet.onboard import Intake
from tests.fleet.captured import NOW
from tests.fleet.days import drive, seen
from tests.fleet.service import TOKEN, Service, serving
from tests.fleet.test_buffer import FIX, fix

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def forwarder_to(buffer: Buffer, service: Service | None, url: str = "") -> Forwarder:
    poster = Poster(url if service is None else service.url, headers=HEADERS, timeout_s=5)
    return Forwarder(buffer, poster, clock=lambda: NOW, jitter=lambda: 1.0)


def filled(folder: Path, number: int) -> Buffer:
    buffer = Buffer(folder)
    # The disk is not what is tried here: test_buffer.py has its flushes.
    buffer._connection.execute("pragma synchronous=off")
    for s in range(number):
        buffer.add(fix(s))
    return buffer


def run(forwarder: Forwarder, buffer: Buffer, most: int = 1000) -> int:
    """Send until nothing waits; how many steps it took."""
    for step in range(most):
        if not buffer.num_pending:
            forwarder.poster.close()
            return step
        forwarder.step()
    raise AssertionError(f"{buffer.num_pending} still wait")


@pytest.mark.parametrize(
    "answers",
    [
        [],
        ["drop"],
        ["store and drop"],
        ["store and drop", "drop", 500, "store and drop", 503, 401],
        [(200, b"<html>please sign in</html>"), (200, b"{}"), (302, b"")],
        [(200, b'{"stored":1,"known":0,"refused":[]}')],
        [413, 413, 422, 413],
    ],
)
def test_everything_arrives_once(tmp_path: Path, answers: list[object]) -> None:
    """Dropped before and after storing, busy, a hotel's page, an answer that leaves fixes out."""
    buffer = filled(tmp_path, 700)
    wanted = {p.sequence for p in buffer.take(1000)}
    with serving() as service:
        service.answers = list(answers)
        run(forwarder_to(buffer, service), buffer)
        assert set(service.stored) == wanted
        assert [f.fix_at for _, f in sorted(service.stored.items())] == [
            NOW + timedelta(seconds=s) for s in range(700)
        ]
    assert buffer.state().num_sent == 700
    buffer.close()


def test_a_service_that_dies_in_mid_batch_and_comes_back(tmp_path: Path) -> None:
    """Killed while it stores: what it had is known when it is sent again."""
    buffer = filled(tmp_path, 900)
    with serving() as service:
        service.answers = ["store and drop"]
        forwarder = forwarder_to(buffer, service)
        forwarder.step()
        port, kept = service.server_port, dict(service.stored)
    assert kept
    assert forwarder.step() > 0  # Nobody listens.
    with serving(port) as service:
        service.stored = dict(kept)
        run(forwarder, buffer)
        assert len(service.stored) == 900
        assert service.num_known == len(kept)
    buffer.close()


def test_a_refused_fix_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    """The others go on; the refused one is kept apart and never sent again."""
    buffer = filled(tmp_path, 5)
    bad = buffer.take(3)[2].sequence
    with serving() as service:
        service.refuses = {bad}
        run(forwarder_to(buffer, service), buffer)
        assert len(service.stored) == 4
    assert buffer.state().num_refused == 1
    code = buffer._connection.execute("select code from refused").fetchone()[0]
    assert code == "refusal.bad_time"
    buffer.close()


def test_a_poisonous_fix_is_found_by_halves(tmp_path: Path) -> None:
    """A batch that the service cannot read is halved until one fix is left to blame."""
    buffer = filled(tmp_path, 8)
    with serving() as service:
        service.answers = [422, 422, 422, 422]
        run(forwarder_to(buffer, service), buffer)
        assert len(service.stored) == 7
    assert buffer.state().num_refused == 1
    buffer.close()


def test_the_newest_go_first_after_an_outage(tmp_path: Path) -> None:
    """Of a long backlog the last minute is sent before the oldest, so that the board is right."""
    buffer = filled(tmp_path, 2000)
    with serving() as service:
        forwarder = forwarder_to(buffer, service)
        forwarder.step()
        first = {f.fix_at for f in service.stored.values()}
        assert min(first) == NOW + timedelta(seconds=1940)
        forwarder.step()
        assert NOW in {f.fix_at for f in service.stored.values()}
        run(forwarder, buffer)
        assert len(service.stored) == 2000
    buffer.close()


def test_waits_grow_and_trouble_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Doubling up to a minute; one line when lost, one when back; Retry-After is kept."""
    buffer = filled(tmp_path, 3)
    with serving() as service:
        port = service.server_port
    url = f"http://127.0.0.1:{port}/"
    forwarder = forwarder_to(buffer, None, url)
    caplog.set_level(logging.INFO)
    waits = [forwarder.step() for _ in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    with serving(port) as service:
        service.answers = [401]
        assert forwarder.step() == 60
        run(forwarder, buffer)
    told = [r.getMessage() for r in caplog.records if r.name == "fleet.forward"]
    assert len(told) == 2
    assert "kept" in told[0]
    assert "again" in told[1]
    buffer.close()


def test_a_batch_says_when_it_was_sent(tmp_path: Path) -> None:
    """The device's own clock goes with the batch, so that the service can tell its offset."""
    buffer = filled(tmp_path, 1)
    with serving() as service:
        run(forwarder_to(buffer, service), buffer)
        (_, body) = service.requests[0]
    told = json.loads(unpacked(body))
    assert told["sent_at"] == "2026-11-24T09:00:00.000Z"
    assert set(told["fixes"][0]) == {"sequence", "fix_at", "lon", "lat", "speed_mps"}
    buffer.close()


def test_eight_hours_without_a_network(tmp_path: Path) -> None:
    """A whole simulated day is kept, then sent: every fix of driving, counts agree at both ends."""
    day = drive(0, seed=11)
    fixes = sorted(seen(day, GPS_MOUSE, seed=11), key=lambda f: f.fix_at)
    assert (fixes[-1].fix_at - fixes[0].fix_at) > timedelta(hours=8)
    buffer = filled(tmp_path, 0)
    intake = Intake(buffer)
    kept = [f for f in fixes if intake.take(f)]
    assert sum(intake.counts.values()) == len(fixes)
    assert intake.counts["kept"] == len(kept) == buffer.num_pending
    moving = [f for f in fixes if (f.speed_mps or 0) > 2.2 and (f.lon or f.lat)]
    assert {f.fix_at for f in moving} <= {f.fix_at for f in kept}
    with serving() as service:
        run(forwarder_to(buffer, service), buffer)
        assert len(service.stored) == len(kept)
        assert service.num_known == 0
        assert {f.fix_at for f in service.stored.values()} == {f.fix_at for f in kept}
    buffer.close()


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:
    """The board computer's clock jumps by a day and back: fixes keep the satellites' time."""
    buffer = Buffer(tmp_path)
    intake = Intake(buffer)
    clocks = [timedelta(), timedelta(days=1), timedelta(days=-1), timedelta()]
    for second, off in enumerate(clocks * 5):
        at = NOW + timedelta(seconds=second)
        moved = Fix(
            device_id=FIX.device_id,
            fix_at=at,
            device_at=at + off,
            lon=20.5 + second * 2e-4,
            lat=54.7,
            speed_mps=12.0,
        )
        assert intake.take(moved)
    with serving() as service:
        run(forwarder_to(buffer, service), buffer)
        assert sorted(f.fix_at for f in service.stored.values()) == [
            NOW + timedelta(seconds=s) for s in range(20)
        ]
    buffer.close()


def test_useless_fixes_are_counted_by_reason(tmp_path: Path) -> None:
    """No fix, the zero island and duplicates are not kept; one in fifteen seconds while parked."""
    buffer = Buffer(tmp_path)
    intake = Intake(buffer)
    still = [replace(fix(s), speed_mps=0.1) for s in range(61)]
    zero = Fix(device_id=FIX.device_id, fix_at=NOW + timedelta(hours=1), lon=0.0, lat=0.0)
    for one in (*still, still[-1], zero):
        intake.take(one)
    assert intake.counts == {
        "kept": 5,
        "thinned": 56,
        Verdict.DUPLICATE.value: 1,
        Verdict.ZERO_ISLAND.value: 1,
    }
    buffer.close()
