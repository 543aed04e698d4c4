"""Ways along the roads: found once for what is published, then used by board and follower."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gtfs_guru
import pytest

from api.services.day_book import days_on
from api.services.day_state import DayState
from api.services.followed_plan import FollowedPlan
from api.services.leg_lines import kept_lines
from api.services.region_home import region_files
from data.db.engine import reading
from data.model.alert import AlertKind
from data.model.geo import distance_m
from data.model.plan import Plan, PlanRequest
from data.model.telemetry import Fix
from data.model.tracker import Protocol
from fleet.corridor import Corridor
from fleet.devices import TRACKER, observe
from fleet.planned import planned_run
from fleet.simulate import DriveParams, TrueDay, drive_plan
from maps.roads import Position, RoadPoint
from maps.valhalla_roads import open_valhalla
from tests.api.runner import Terminal
from tests.api.test_export_cli import read_tables
from tests.api.tracking.depot import NORTH, REGION, Depot, depot
from tests.fleet.days import DAY, DEVICE, make_run, world
from tests.osm_region import RegionFacts, make_region

EXTRACT = "roads.osm.pbf"
CALM = DriveParams(
    overall=0.0, leg_sd=0.0, day_sd=0.02, drive_sd=0.03, breakdown_ratio=0, jam_ratio=0,
    crossing_ratio=0, start_late_s=30.0,
)  # fmt: skip


_DRIVEN: list[TrueDay] = []


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The little plan moved to villages that real roads join; its first run's ways, driven."""

    facts: RegionFacts
    request: PlanRequest
    plan: Plan
    legs: tuple[tuple[Position, ...], ...]

    def day(self) -> TrueDay:
        """The first run driven along its roads."""
        if not _DRIVEN:
            _DRIVEN.append(self._drive())
        return _DRIVEN[0]

    def _drive(self) -> TrueDay:
        run = planned_run(self.request, self.plan.runs[0], DAY)
        matrix = self.request.travel[NORTH]
        pairs = {(a, b) for a in run.place_ids for b in run.place_ids if a != b}
        places = {str(s.stop_id): (s.lon, s.lat) for s in self.request.stops}
        places |= {str(d.depot_id): (d.lon, d.lat) for d in self.request.depots}
        return drive_plan(
            run,
            places,
            {(a, b): matrix.seconds(a, b) for a, b in pairs},
            seed=5,
            params=CALM,
            lines=self.legs,
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Thirty villages; the depot in one, the stops in those whose ways wind most."""
    folder = tmp_path_factory.mktemp("scene")
    facts = make_region(folder / EXTRACT, seed=4, num_settlements=30, spacing_m=4_000)
    villages = [facts.villages[i] for i in facts.on_network if i not in (facts.track_only,)]
    base = world()
    depot_at, *others = villages
    stops = tuple(
        replace(stop, lon=v.lon, lat=v.lat) for stop, v in zip(base.stops, others, strict=False)
    )
    depots = (replace(base.depots[0], lon=depot_at.lon, lat=depot_at.lat),)
    points = [RoadPoint(point_id=str(s.stop_id), lon=s.lon, lat=s.lat) for s in stops]
    points += [RoadPoint(point_id=str(d.depot_id), lon=d.lon, lat=d.lat) for d in depots]
    with open_valhalla(facts.path, folder / "cache" / "roads") as roads:
        vehicle = base.vehicles[0]
        matrix = roads.matrix(points, vehicle)
        request = replace(
            base,
            depots=depots,
            stops=stops,
            travel={v.vehicle_id: matrix for v in base.vehicles},
        )
        plan = Plan(runs=(make_run(request, 0), make_run(request, 1)))
        run = planned_run(request, plan.runs[0], DAY)
        at = {p.point_id: p.position for p in points}
        way = roads.route([at[i] for i in run.place_ids], vehicle, "en")
    return Scene(facts=facts, request=request, plan=plan, legs=tuple(leg.line for leg in way.legs))


@pytest.fixture(scope="module")
def one(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """A service whose region has an extract; nothing has been looked up yet."""
    folder = tmp_path_factory.mktemp("service")
    with depot(folder, scene.day().began_at, contents=contents(scene)) as it:
        home = region_files(it.settings, REGION)
        home.mkdir(parents=True)
        os.link(scene.facts.path, home / EXTRACT)
        yield it


def contents(scene: Scene, roads_file: str = EXTRACT) -> dict[str, object]:
    return {"request": scene.request, "plan": scene.plan, "roads_file": roads_file}


def length_m(line: list[list[float]]) -> float:
    return sum(distance_m(a[0], a[1], b[0], b[1]) for a, b in itertools.pairwise(line))


def test_ways_are_found_once_and_told(one: Depot, scene: Scene) -> None:
    """Straight and labelled so at first; then each leg is as long as its road. Asked again,
    nothing is looked for; a new extract makes every way be found again."""
    on = DAY.isoformat()
    before = one.get(f"live/{NORTH}/line", date=on)
    assert not before["follows_roads"]
    assert {len(f["geometry"]["coordinates"]) for f in before["features"]} == {2}
    assert one.road.lines.step() == 12
    assert one.road.lines.step() == 0
    told = one.get(f"live/{NORTH}/line", date=on)
    assert told["follows_roads"]
    ids = scene.day().run.place_ids
    matrix = scene.request.travel[NORTH]
    for (a, b), feature in zip(itertools.pairwise(ids), told["features"], strict=True):
        found_m = length_m(feature["geometry"]["coordinates"])
        assert found_m == pytest.approx(matrix.metres(a, b), rel=0.03, abs=100)
    extract = region_files(one.settings, REGION) / EXTRACT
    extract.unlink()
    extract.write_bytes(scene.facts.path.read_bytes())
    one.now += timedelta(days=1)
    assert one.road.lines.step() == 12
    one.now -= timedelta(days=1)


def followed(one: Depot, *, with_roads: bool) -> DayState:
    """The day as the follower begins it."""
    with reading(one.engine) as session:
        day = days_on(session, REGION, DAY)[NORTH]
        lines = kept_lines(session, REGION, day)
    assert lines is not None
    plan = FollowedPlan.of(day, lines if with_roads else None)
    return DayState(REGION, NORTH, DAY, plan)


def next_errors_s(one: Depot, scene: Scene, *, with_roads: bool) -> list[float]:
    """Errors of the next arrival, told every two minutes of driving."""
    day, state = scene.day(), followed(one, with_roads=with_roads)
    fixes = sorted(observe(day, DEVICE, TRACKER, seed=1), key=lambda f: f.fix_at)
    assert state.plan is not None
    stop_of = {v.visit_id: str(v.stop_id) for v in state.plan.visits}
    truth = {v.place_id: v.from_at for v in day.visits}
    found = []
    for minute in range(0, int((fixes[-1].fix_at - day.began_at).total_seconds() / 60), 2):
        now = day.began_at + timedelta(minutes=minute)
        state.add(1, "t", [f for f in fixes if now - timedelta(minutes=2) < f.fix_at <= now])
        look = state.look(now)
        if look.now.phase != "driving" or not look.now.etas:
            continue
        true_at = truth[stop_of[look.now.etas[0].visit_id]]
        assert true_at is not None
        if true_at > now:
            found.append(abs((look.now.etas[0].arrival_at - true_at).total_seconds()))
    return found


def test_forecasts_go_by_the_road(one: Depot, scene: Scene) -> None:
    """On winding ways the crow's flight misjudges what is left; the road does not."""
    one.road.lines.step()
    straight = next_errors_s(one, scene, with_roads=False)
    road = next_errors_s(one, scene, with_roads=True)
    assert len(road) == len(straight) > 10
    assert sum(road) / len(road) < 0.8 * sum(straight) / len(straight)


def told_fixes(scene: Scene) -> list[Fix]:
    """The day as a tracker tells it, numbered in order of time."""
    found = sorted(observe(scene.day(), DEVICE, TRACKER, seed=1), key=lambda f: f.fix_at)
    return [replace(f, sequence=k) for k, f in enumerate(found)]


def test_the_follower_takes_the_ways_up(one: Depot, scene: Scene) -> None:
    """The vehicle is held against the road that it drives on."""
    one.road.lines.step()
    first = scene.day().visits[0]
    assert first.until_at is not None
    secret = one.add(Protocol.BOOKMOBILE).secret
    one.now = first.until_at + timedelta(minutes=3)
    one.send(secret, [f for f in told_fixes(scene) if f.fix_at <= one.now])
    one.follow()
    held = one.road.follower._days[REGION, NORTH, DAY]
    assert held.state.plan is not None
    assert held.state.plan.on_roads == (True,) * 6
    told = one.get(f"live/{NORTH}")
    assert told["phase"] == "driving"
    assert told["off_m"] < 100


def between(scene: Scene, leg: int) -> Position:
    """A point two kilometres from a leg's road and less than that from its straight line."""
    road = Corridor(scene.legs[leg])
    flight = Corridor([scene.legs[leg][0], scene.legs[leg][-1]])
    lon, lat = flight.point_at(flight.length_m / 2)
    steps = [0.004 * k for k in range(-16, 17)]
    found = [
        (lon + 1.8 * x, lat + y)
        for x in steps
        for y in steps
        if road.locate(lon + 1.8 * x, lat + y).off_m > 1_800
        and flight.locate(lon + 1.8 * x, lat + y).off_m < 2_500
    ]
    return min(found, key=lambda p: distance_m(lon, lat, *p))


def test_two_kilometres_off_the_road_is_off_the_route(one: Depot, scene: Scene) -> None:
    """The straight line forgives that, for roads wind; the road itself does not."""
    one.road.lines.step()
    first = scene.day().visits[0]
    assert first.until_at is not None
    now = first.until_at + timedelta(minutes=2)
    past = [f for f in told_fixes(scene) if f.fix_at <= now]
    here, there = (past[-1].lon, past[-1].lat), between(scene, 1)
    num = 1 + int(distance_m(*here, *there) / 400)
    away = [
        replace(
            past[-1],
            fix_at=now + timedelta(seconds=30 * k),
            lon=here[0] + (there[0] - here[0]) * k / num,
            lat=here[1] + (there[1] - here[1]) * k / num,
            sequence=90_000 + k,
            speed_mps=13.0,
            received_at=now + timedelta(seconds=30 * k + 1),
        )
        for k in range(1, num + 1)
    ]
    for with_roads in (False, True):
        state = followed(one, with_roads=with_roads)
        state.add(1, "t", [*past, *away])
        kinds = {w.kind for w in state.look(away[-1].fix_at).warned}
        assert (AlertKind.OFF_CORRIDOR in kinds) is with_roads


def test_without_roads_legs_stay_straight(scene: Scene, tmp_path: Path) -> None:
    """A region that names no extract is asked nothing, and its legs are told as straight."""
    with depot(tmp_path, scene.day().began_at, contents=contents(scene, "")) as one:
        assert one.road.lines.step() == 0
        assert not one.get(f"live/{NORTH}/line", date=DAY.isoformat())["follows_roads"]


def test_a_stop_that_no_road_leads_to(scene: Scene, tmp_path: Path) -> None:
    """Its two legs stay straight and are asked for once; the others have their ways."""
    island = scene.facts.villages[scene.facts.cut_off[0]]
    stops = tuple(
        replace(s, lon=island.lon, lat=island.lat) if s.stop_id == "s6" else s
        for s in scene.request.stops
    )
    moved = replace(scene, request=replace(scene.request, stops=stops))
    with depot(tmp_path, scene.day().began_at, contents=contents(moved)) as one:
        home = region_files(one.settings, REGION)
        home.mkdir(parents=True)
        os.link(scene.facts.path, home / EXTRACT)
        assert one.road.lines.step() == 12
        one.now += timedelta(days=1)
        assert one.road.lines.step() == 0
        one.now -= timedelta(days=1)
        told = one.get(f"live/{NORTH}/line", date=DAY.isoformat())
        assert not told["follows_roads"]
        points = [len(f["geometry"]["coordinates"]) for f in told["features"]]
        assert [n == 2 for n in points] == [False, False, True, True, False, False]


def test_transit_feeds_follow_the_roads(
    one: Depot, scene: Scene, bookmobile: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Asked over HTTP or by ``bookmobile gtfs``: no error in it, and the trip's way is as long as
    its roads between the first stop and the last."""
    one.road.lines.step()
    offset_s = round((one.now - datetime.now(UTC)).total_seconds())
    monkeypatch.setenv("BOOKMOBILE_DATABASE", str(one.engine.url))
    monkeypatch.setenv("BOOKMOBILE_CLOCK_OFFSET_S", str(offset_s))
    url = ("--base-url", "https://bus.example.org")
    assert bookmobile("gtfs", tmp_path / "gtfs.zip", *url).code == 0
    served = tmp_path / "served.zip"
    served.write_bytes(one.client.get(f"/r/{REGION}/gtfs.zip").content)
    ids = scene.day().run.place_ids[1:-1]
    matrix = scene.request.travel[NORTH]
    wanted_m = sum(matrix.metres(a, b) for a, b in itertools.pairwise(ids))
    for path in (tmp_path / "gtfs.zip", served):
        told = gtfs_guru.validate(str(path), date=DAY.isoformat())
        assert [f"{e.code}: {e.message}" for e in told.errors()] == []
        tables = read_tables(path)
        trip = next(r for r in tables["trips"] if r["trip_id"] == f"{NORTH}@{DAY.isoformat()}")
        line = [
            [float(r["shape_pt_lon"]), float(r["shape_pt_lat"])]
            for r in tables["shapes"]
            if r["shape_id"] == trip["shape_id"]
        ]
        assert length_m(line) == pytest.approx(wanted_m, rel=0.03)
