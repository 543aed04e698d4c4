"""A day of fixes through the whole service: the same events however they came."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.model.live import ActualState, DayEnds, Phase
from data.model.telemetry import Fix
from data.model.tracker import Protocol
from fleet.devices import GPS_MOUSE, TRACKER
from tests.api.tracking.depot import NORTH, Depot, depot
from tests.fleet.days import drive, seen

type Told = tuple[list[dict[str, Any]], DayEnds | None]
"""What became of the stop visits of a day, and when the vehicle left and was back."""


def fixes_of_day(seed: int = 1) -> tuple[Fix, ...]:
    """A day as a tracker tells it, numbered in order of time."""
    found = sorted(seen(drive(0, seed=seed), TRACKER, seed=seed), key=lambda f: f.fix_at)
    return tuple(
        Fix(
            device_id=f.device_id,
            fix_at=f.fix_at,
            lon=f.lon,
            lat=f.lat,
            sequence=k,
            speed_mps=f.speed_mps,
            course_deg=f.course_deg,
            accuracy_m=f.accuracy_m,
        )
        for k, f in enumerate(found)
    )


def evening(fixes: Sequence[Fix]) -> datetime:
    return fixes[-1].fix_at + timedelta(hours=8)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the service says of the day when every fix comes in its time."""
    fixes = fixes_of_day()
    with depot(tmp_path_factory.mktemp("order"), fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        for start in range(0, len(fixes), 40):
            part = fixes[start : start + 40]
            one.now = part[-1].fix_at + timedelta(seconds=1)
            one.send(secret, part)
            one.follow()
        one.now = evening(fixes)
        one.follow()
        return one.facts(), one.ends()


def test_a_day_is_told_as_it_was(in_order: Told, tmp_path: Path) -> None:
    """Five stops, each held, with its times; the vehicle left its depot and is back."""
    facts, ends = in_order
    planned = [f for f in facts if f["position"] is not None]
    assert len(planned) == 5
    assert {f["state"] for f in planned} <= {ActualState.KEPT, ActualState.LATE, ActualState.EARLY}
    truth = drive(0, seed=1)
    for told, true in zip(planned, truth.visits, strict=True):
        assert true.from_at is not None
        assert abs((told["actual_from_at"] - true.from_at).total_seconds()) < 60
    assert ends is not None
    assert ends.departed_at is not None
    assert ends.returned_at is not None


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_doubled_and_late_fixes_tell_the_same_day(
    in_order: Told, tmp_path: Path, seed: int
) -> None:
    """In any order, some twice, some hours late, judged in between: the same in the end."""
    fixes = fixes_of_day()
    chance = random.Random(seed)
    coming = [*fixes, *chance.sample(fixes, len(fixes) // 5)]
    chance.shuffle(coming)
    if seed % 2:
        # Nearly in order: each up to an hour late.
        delays = {id(f): chance.expovariate(1 / 600) for f in coming}
        coming.sort(key=lambda f: f.fix_at.timestamp() + delays[id(f)])
    with depot(tmp_path, fixes[-1].fix_at + timedelta(minutes=5)) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        stored = known = 0
        while coming:
            size = chance.randint(1, 300)
            part, coming = coming[:size], coming[size:]
            told = one.send(secret, part)
            stored, known = stored + told["stored"], known + told["known"]
            if chance.random() < 0.5:
                one.follow()
        assert (stored, known) == (len(fixes), len(fixes) // 5)
        one.now = evening(fixes)
        one.follow()
        facts, ends = one.facts(), one.ends()
        order_facts, order_ends = in_order
        assert facts == order_facts
        assert ends is not None
        assert order_ends is not None
        assert (ends.departed_at, ends.returned_at, ends.driven_m, ends.num_fixes) == (
            order_ends.departed_at,
            order_ends.returned_at,
            order_ends.driven_m,
            order_ends.num_fixes,
        )


def test_a_restart_in_the_middle_changes_nothing(in_order: Told, tmp_path: Path) -> None:
    """The follower ends in the middle of the day, packed chunks and all, and another goes on."""
    fixes = fixes_of_day()
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        for number, start in enumerate(range(0, len(fixes), 100)):
            part = fixes[start : start + 100]
            one.now = part[-1].fix_at + timedelta(seconds=1)
            one.send(secret, part)
            if number % 3 == 1:
                one.road.follower._forget()
                one.road.follower._settled_s = -1e9
            if number % 3 != 2:
                one.follow()
        one.now = evening(fixes)
        one.follow()
        order_facts, _ = in_order
        assert one.facts() == order_facts


def at_stop(one: Depot, fixes: Sequence[Fix], secret: str | None, until: datetime) -> None:
    """Send everything up to an instant."""
    part = [f for f in fixes if f.fix_at <= until]
    one.now = until
    one.send(secret, part)
    one.follow()


def test_the_board_tells_where_the_vehicle_is(tmp_path: Path) -> None:
    """Waiting, standing, driving with a delay and forecasts; then done."""
    day = drive(0, seed=1)
    fixes = fixes_of_day()
    first = day.visits[0]
    assert first.from_at is not None
    assert first.until_at is not None
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        at_stop(one, fixes, secret, first.from_at + timedelta(minutes=20))
        told = one.get(f"live/{NORTH}")
        assert told["phase"] in (Phase.STANDING, Phase.WAITING)
        assert told["here_visit_id"] == told["stops"][0]["visit_id"]
        assert told["stops"][0]["state"] == "standing"
        assert [s["state"] for s in told["stops"][1:]] == ["to_come"] * 4
        assert told["age_s"] < 400
        at_stop(one, fixes, secret, first.until_at + timedelta(minutes=4))
        board = one.get("live")
        mine = next(v for v in board["vehicles"] if v["vehicle_id"] == NORTH)
        assert mine["phase"] == Phase.DRIVING
        assert mine["next_visit_id"] == mine["stops"][1]["visit_id"]
        assert mine["stops"][1]["eta"]["is_measured"]
        assert mine["stops"][0]["state"] in ("kept", "late", "early")
        nothing_new = one.get("live", since=board["revision"])
        assert nothing_new["vehicles"] == []
        one.now = evening(fixes)
        one.send(secret, fixes)
        one.follow()
        one.now = fixes[-1].fix_at + timedelta(minutes=1)
        assert one.get(f"live/{NORTH}")["phase"] == Phase.DONE


def test_the_track_is_told_with_what_was_left_out(tmp_path: Path) -> None:
    """The way as a line with times; a jump across the country is named with its reason."""
    fixes = fixes_of_day()
    with depot(tmp_path, evening(fixes), track_near_km=3000) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        jump = Fix(
            device_id=fixes[0].device_id,
            fix_at=fixes[200].fix_at + timedelta(seconds=2),
            lon=37.6,
            lat=55.75,
            sequence=99_999,
            speed_mps=9.0,
        )
        one.send(secret, [*fixes, jump])
        told = one.get(f"tracks/{NORTH}", date=fixes[0].fix_at.date().isoformat())
        rejected = {r["lon"]: r["reason"] for r in told["rejected"]}
        assert rejected[37.6] == "impossible_speed"
        line = told["features"][0]
        assert line["geometry"]["type"] == "LineString"
        assert len(line["geometry"]["coordinates"]) == len(line["properties"]["times"])
        assert sum(told["counts"].values()) == len(fixes) + 1


def test_warnings_begin_end_and_are_acknowledged(tmp_path: Path) -> None:
    """Silence on the road warns once, is acknowledged by a person, and ends with the next fix."""
    day = drive(0, seed=1)
    fixes = fixes_of_day()
    first = day.visits[0]
    assert first.until_at is not None
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        at_stop(one, fixes, secret, first.until_at + timedelta(minutes=4))
        assert [a for a in one.get("alerts")["items"] if a["kind"] == "silent"] == []
        one.now += timedelta(minutes=15)
        one.follow(2)
        (silent,) = [a for a in one.get("alerts")["items"] if a["kind"] == "silent"]
        assert silent["vehicle_name"]
        assert one.get(f"live/{NORTH}")["is_silent"]
        answer = one.ask(
            "POST", f"alerts/{silent['alert_id']}/acknowledgement", json={"note": "Звонила, едут"}
        )
        assert answer.status_code == 200
        assert answer.json()["acknowledged_by"] == "Анна"
        at_stop(one, fixes, secret, one.now)
        kinds = {a["kind"] for a in one.get("alerts")["items"]}
        assert "silent" not in kinds
        ended = one.get("alerts", state="ended")["items"]
        told = next(a for a in ended if a["alert_id"] == silent["alert_id"])
        assert told["note"] == "Звонила, едут"


def test_a_vehicle_that_leaves_its_route_is_warned_of(tmp_path: Path) -> None:
    """Nine kilometres from the leg that it should drive: off the route; on the leg it is not."""
    day = drive(0, seed=1)
    fixes = fixes_of_day()
    first = day.visits[0]
    assert first.until_at is not None
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        at_stop(one, fixes, secret, first.until_at + timedelta(minutes=6))
        assert "off_corridor" not in {a["kind"] for a in one.get("alerts")["items"]}
        away = [
            Fix(
                device_id=fixes[0].device_id,
                fix_at=one.now + timedelta(seconds=30 * k),
                lon=fixes[0].lon,
                lat=day.run.stops[0].lat + 0.004 * k,
                sequence=80_000 + k,
                speed_mps=15.0,
            )
            for k in range(1, 24)
        ]
        one.now = away[-1].fix_at
        one.send(secret, away)
        one.follow()
        kinds = {a["kind"]: a for a in one.get("alerts")["items"]}
        assert kinds["off_corridor"]["amount"] > 3000


def test_a_vehicle_nobody_hears_of_is_unknown_not_skipped(tmp_path: Path) -> None:
    """A tracker that died at noon proves nothing of the afternoon."""
    day = drive(0, seed=1)
    fixes = fixes_of_day()
    second = day.visits[1]
    assert second.until_at is not None
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        at_stop(one, fixes, secret, second.until_at + timedelta(minutes=2))
        one.now = evening(fixes) + timedelta(hours=6)
        one.follow()
        states = [a.state for a in one.actuals() if a.position is not None]
        assert states[2:] == [ActualState.UNKNOWN] * 3


def test_nothing_is_kept_outside_duty_and_route(tmp_path: Path) -> None:
    """At night, on a day without a run and far from the route a position is not stored."""
    fixes = fixes_of_day()
    with depot(tmp_path, evening(fixes)) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        night = fixes[0].fix_at - timedelta(hours=5)
        sunday = fixes[0].fix_at - timedelta(days=2)
        bad = [
            Fix(device_id=fixes[0].device_id, fix_at=at, lon=lon, lat=fixes[0].lat, sequence=k)
            for k, (at, lon) in enumerate(
                [(night, fixes[0].lon), (sunday, fixes[0].lon), (fixes[100].fix_at, 20.0)], 90_000
            )
        ]
        told = one.send(secret, bad)
        assert told["stored"] == 0
        assert [r["code"] for r in told["refused"]] == [
            "guard.off_duty",
            "guard.no_run",
            "guard.far_off",
        ]
        (tracker,) = one.get("trackers")
        assert (tracker["num_stored"], tracker["num_guarded"]) == (0, 3)


def test_mouse_fixes_of_a_second_hold_little(tmp_path: Path) -> None:
    """A receiver of one fix a second: the follower holds minutes of it, not the day."""
    found = sorted(seen(drive(0, seed=2), GPS_MOUSE, seed=2), key=lambda f: f.fix_at)[:6000]
    fixes = [
        Fix(device_id=f.device_id, fix_at=f.fix_at, lon=f.lon, lat=f.lat, sequence=k,
            speed_mps=f.speed_mps)
        for k, f in enumerate(found)
    ]  # fmt: skip
    with depot(tmp_path, fixes[0].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        for start in range(0, len(fixes), 600):
            part = fixes[start : start + 600]
            one.now = part[-1].fix_at
            one.send(secret, part)
            one.follow()
        (held,) = one.road.follower._days.values()
        (device,) = held.state._devices.values()
        assert device.num == len({f.fix_at for f in fixes})
        assert len(device.tracker.judged) < 1500
