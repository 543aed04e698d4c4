"""A plan file gives back what was written, and a damaged one says where."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.feeds.plan_file import MOST_WITH_TRAVEL, read_plan, write_plan
from data.model.access import Access, Home
from data.model.costs import Costs, FuelKind
from data.model.crew import Specialist, SpecialistId
from data.model.demand import PrizeBy, VisitsEstimate
from data.model.dwell import DwellWorth
from data.model.errors import InputError
from data.model.learned import LearnedUse
from data.model.pins import Forbidden, KeptRun, KeptVisit, Pins, VisitPin
from data.model.place import SettlementId, SiteCard, StopId, StopKind
from data.model.plan import Plan, PlanRequest, Unserved
from planner.score import check, summarise
from tests.planner.examples import (
    FIRST,
    KALINOVKA,
    make_plan,
    make_request,
    tour_plan,
    tour_request,
)


def written(folder: Path, request: PlanRequest, plan: Plan) -> tuple[PlanRequest, Plan]:
    write_plan(folder / "plan.json", request, plan)
    return read_plan(folder / "plan.json")


def assert_same_request(read: PlanRequest, request: PlanRequest) -> None:
    """All fields agree; matrices are compared where the file has them."""
    for field in fields(PlanRequest):
        if field.name != "travel":
            assert getattr(read, field.name) == getattr(request, field.name), field.name
    assert read.travel.keys() == request.travel.keys()
    for vehicle_id, matrix in read.travel.items():
        kept = request.travel[vehicle_id].restricted_to(matrix.point_ids)
        assert np.array_equal(matrix.travel_s, kept.travel_s)
        assert np.array_equal(matrix.travel_m, kept.travel_m)
        assert (matrix.source, matrix.is_estimated) == (kept.source, kept.is_estimated)


def test_a_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    """Request, runs, reasons and provenance, and the travel of unserved stops too."""
    request, plan = make_request(), make_plan()
    read, same = written(tmp_path, request, plan)
    assert same == plan
    assert_same_request(read, request)
    matrix = read.travel[FIRST.vehicle_id]
    served = ("chernyakhovsk", "kalinovka", "kaluzhskoe", "kamenskoe")
    assert matrix.point_ids == (*served, "zagorskoe")
    assert matrix is read.travel[request.vehicles[1].vehicle_id]
    assert check(read, same) == ()
    assert summarise(read, same) == summarise(request, plan)


def test_pins_come_back(tmp_path: Path) -> None:
    """What was fixed is judged again years later; a file from before there were pins has none."""
    pins = Pins(
        visits=(VisitPin(stop_id=KALINOVKA.stop_id, day=1, vehicle_id=FIRST.vehicle_id),),
        kept=(
            KeptRun(
                vehicle_id=FIRST.vehicle_id,
                day=8,
                visits=(KeptVisit(stop_id=KALINOVKA.stop_id, start_s=36_900),),
            ),
        ),
        forbidden=(Forbidden(stop_id=KALINOVKA.stop_id, weekday=4),),
    )
    path = tmp_path / "plan.json"
    write_plan(path, replace(make_request(), pins=pins), make_plan())
    assert read_plan(path)[0].pins == pins
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored["request"]["pins"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert not read_plan(path)[0].pins


def test_specialists_come_back(tmp_path: Path) -> None:
    """Who rides along comes back; a file from before there were specialists has none."""
    anna = Specialist(
        specialist_id=SpecialistId("anna"),
        name="Анна",
        service="children",
        off_dates=frozenset({date(2026, 12, 1)}),
        vehicle_ids=frozenset({FIRST.vehicle_id}),
    )
    plan = make_plan()
    aboard = replace(plan.runs[0], specialist_ids=(anna.specialist_id,))
    request = replace(make_request(), specialists=(anna,))
    path = tmp_path / "plan.json"
    write_plan(path, request, replace(plan, runs=(aboard, plan.runs[1])))
    read, same = read_plan(path)
    assert read.specialists == (anna,)
    assert [r.specialist_ids for r in same.runs] == [("anna",), ()]
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored["request"]["specialists"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_plan(path)
    assert caught.value.facts["place"] == "plan.runs[0].specialist_ids[0]"
    for run in stored["plan"]["runs"]:
        del run["specialist_ids"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    old_request, old_plan = read_plan(path)
    assert (old_request.specialists, old_plan) == ((), plan)


def test_what_was_learned_comes_back(tmp_path: Path) -> None:
    """Roads before learning, buffers, expected visits and their source; old files have none."""
    plain = make_request()
    matrix = plain.travel[FIRST.vehicle_id]
    learned = replace(matrix, base_s=matrix.travel_s // 2, buffer_s=matrix.travel_s // 5)
    expected = VisitsEstimate(mean=4.5, low=3.0, high=6.5, own_sd=1.0, shared_sd=0.7)
    stop = replace(KALINOVKA, visits_expected=expected, given_setup_s=300)
    use = LearnedUse(
        source="learned.json 0f3a",
        first_date=date(2026, 1, 12),
        last_date=None,
        num_days=40,
        num_legs=203,
        keep_ratio=0.8,
        leg_level=0.91,
    )
    request = replace(
        plain,
        travel=dict.fromkeys(plain.travel, learned),
        stops=(stop, *plain.stops[1:]),
        prize_by=PrizeBy.DEMAND,
        learned=use,
    )
    read, _ = written(tmp_path, request, make_plan())
    assert_same_request(read, request)
    found = read.travel[FIRST.vehicle_id]
    leg = ("kalinovka", "kamenskoe")
    assert found.unlearned_seconds(*leg) == matrix.seconds(*leg) // 2
    assert found.buffer_seconds(*leg) == matrix.seconds(*leg) // 5
    stored = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    for old in ("learned", "prize_by"):
        del stored["request"][old]
    for old in ("base_s", "buffer_s"):
        del stored["request"]["travel"][0][old]
    (tmp_path / "old.json").write_text(json.dumps(stored), encoding="utf-8")
    older = read_plan(tmp_path / "old.json")[0]
    assert older.learned is None
    assert older.travel[FIRST.vehicle_id].buffer_seconds(*leg) == 0


def test_chosen_open_times_come_back(tmp_path: Path) -> None:
    """Longest times and their worth survive; a file from before there were any has the default."""
    stop = replace(KALINOVKA, service_most_s=7200)
    plain = make_request()
    worth = DwellWorth(half_s=1200, worth_ratio=0.25)
    request = replace(plain, stops=(stop, *plain.stops[1:]), dwell_worth=worth)
    path = tmp_path / "plan.json"
    write_plan(path, request, make_plan())
    read = read_plan(path)[0]
    assert (read.stops, read.dwell_worth) == (request.stops, worth)
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored["request"]["dwell_worth"]
    for cells in stored["request"]["stops"]:
        del cells["service_most_s"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    old = read_plan(path)[0]
    assert (old.stops, old.dwell_worth) == (plain.stops, DwellWorth())


def test_access_and_costs_come_back(tmp_path: Path) -> None:
    """What plans are compared on: ways to stops, prices, fuel; absent from older files."""
    home = Home(settlement_id=SettlementId("a"), name="Калиновка", people=501, library_s=1440)
    far = Home(settlement_id=SettlementId("b"), name="Загорское", library_s=None)
    access = Access(homes=(home, far), near={KALINOVKA.stop_id: ((0, 0), (1, 1080))})
    costs = Costs(currency="₽", per_km=Decimal("31.50"))
    plain = make_request()
    vehicles = (
        replace(FIRST, fuel=FuelKind.DIESEL, fuel_per_100km=27.5),
        *plain.vehicles[1:],
    )
    request = replace(plain, access=access, costs=costs, vehicles=vehicles)
    read, _ = written(tmp_path, request, make_plan())
    assert_same_request(read, request)
    path = tmp_path / "plan.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["request"]["access"]["near"]["kalinovka"] = "0 0 1"
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(InputError, match=r"plan_file\.access_damaged"):
        read_plan(path)
    del stored["request"]["access"], stored["request"]["costs"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    older = read_plan(path)[0]
    assert older.access is None and not older.costs.is_known


def test_a_tour_comes_back(tmp_path: Path) -> None:
    """Nights away, lodgings and who may use them; a file from before there were any has none."""
    request, plan = tour_request(), tour_plan()
    read, same = written(tmp_path, request, plan)
    assert same == plan
    assert_same_request(read, request)
    assert check(read, same) == ()
    path = tmp_path / "plan.json"
    write_plan(path, make_request(), make_plan())
    stored = json.loads(path.read_text(encoding="utf-8"))
    for run in stored["plan"]["runs"]:
        del run["start_depot_id"], run["end_depot_id"]
    for depot in stored["request"]["depots"]:
        for name in ("kind", "room_m", "check_s", "night_cost_s"):
            del depot[name]
    for vehicle in stored["request"]["vehicles"]:
        del vehicle["max_nights_away"], vehicle["lodging_ids"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert read_plan(path)[1] == make_plan()
    assert read_plan(path)[0].depots == make_request().depots


def test_of_very_many_stops_only_served_ones_keep_their_travel(tmp_path: Path) -> None:
    """One stop more than the limit: the file holds the travel that the plan uses, and is judged."""
    request, plan = make_request(), make_plan()
    copies = tuple(
        replace(request.stops[-1], stop_id=StopId(f"more-{k}")) for k in range(MOST_WITH_TRAVEL - 3)
    )
    crowd = replace(request, stops=(*request.stops, *copies))
    read, _ = written(tmp_path, crowd, plan)
    assert read.travel[FIRST.vehicle_id].point_ids == (
        "chernyakhovsk",
        "kalinovka",
        "kaluzhskoe",
        "kamenskoe",
    )
    assert len(read.stops) == MOST_WITH_TRAVEL + 1


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    """Sets are written in order; a second pass over what was read changes nothing."""
    request, plan = make_request(), make_plan()
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_plan(first, request, plan)
    write_plan(second, *read_plan(first))
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text(encoding="utf-8")
    assert '"2026-12-09": "санитарный день"' in text
    assert text.index('"lift"') < text.index('"wifi"')


def test_every_kind_of_field_survives(tmp_path: Path) -> None:
    """Kinds, site cards, dates, facts, and a plan without provenance."""
    stop = replace(
        KALINOVKA,
        kind=StopKind.ON_REQUEST,
        weekdays=frozenset({1, 0}),
        site=SiteCard(surface="asphalt", room_m=12.5, permission_until_date=date(2027, 5, 1)),
    )
    plain = make_request()
    request = replace(plain, stops=(stop, *plain.stops[1:]))
    unserved = Unserved(
        stop_id=StopId("zagorskoe"), reason="unserved.no_capacity", facts={"extra_min": 82}
    )
    plan = replace(make_plan(), unserved=(unserved,), provenance=None)
    read, same = written(tmp_path, request, plan)
    assert same == plan
    assert_same_request(read, request)


@settings(deadline=None)
@given(
    people=st.none() | st.integers(0, 10**7),
    prize=st.floats(0, 1e9),
    name=st.text(max_size=20),
    weekdays=st.frozensets(st.integers(0, 6)),
    off_dates=st.frozensets(st.dates(), max_size=5),
    cells=st.lists(st.integers(-1, 2**31 - 1), min_size=25, max_size=25),
)
def test_any_values_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    people: int | None,
    prize: float,
    name: str,
    weekdays: frozenset[int],
    off_dates: frozenset[date],
    cells: list[int],
) -> None:
    """Whatever the values, reading gives back what was written."""
    plain = make_request()
    stop = replace(KALINOVKA, name=name, people=people, prize=prize, weekdays=weekdays)
    table = np.array(cells, np.int32).reshape(5, 5)
    travel = replace(plain.travel[FIRST.vehicle_id], travel_s=table, travel_m=table.T)
    request = replace(
        plain,
        stops=(stop, *plain.stops[1:]),
        vehicles=(replace(FIRST, off_dates=off_dates), plain.vehicles[1]),
        travel=dict.fromkeys(plain.travel, travel),
    )
    read, same = written(tmp_path_factory.mktemp("plan"), request, make_plan())
    assert same == make_plan()
    assert_same_request(read, request)


def changed(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    """An edit of the JSON: the value at a path, or its removal by ``...``."""

    def edit(found: dict[str, Any]) -> None:
        inner: Any = found
        for key in path[:-1]:
            inner = inner[key]
        if to is ...:
            del inner[path[-1]]
        else:
            inner[path[-1]] = to

    return edit


ONE_CELL = base64.b64encode(zlib.compress(bytes(4))).decode()

DAMAGES: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (changed("format", to="other"), "plan_file.not_a_plan", ""),
    (changed("version", to=2), "plan_file.version", ""),
    (changed("version", to=...), "plan_file.version", ""),
    (changed("plan", to=...), "plan_file.missing_key", "plan"),
    (
        changed("request", "stops", 1, "lon", to=...),
        "plan_file.missing_key",
        "request.stops[1].lon",
    ),
    (
        changed("request", "stops", 1, "lon", to="east"),
        "plan_file.wrong_value",
        "request.stops[1].lon",
    ),
    (changed("request", "stops", 1, "lon", to=200), "plan_file.wrong_value", "request.stops[1]"),
    (
        changed("request", "cycle", "start_date", to="2026-13-01"),
        "plan_file.wrong_value",
        "request.cycle.start_date",
    ),
    (
        changed("request", "cycle", "start_date", to="2026-12-01"),
        "plan_file.wrong_value",
        "request.cycle",
    ),
    (
        changed("plan", "runs", 0, "visits", 1, "start_s", to=None),
        "plan_file.wrong_value",
        "plan.runs[0].visits[1].start_s",
    ),
    (
        changed("plan", "runs", 0, "visits", 1, "stop_id", to="nowhere"),
        "plan_file.unknown_id",
        "plan.runs[0].visits[1].stop_id",
    ),
    (
        changed("plan", "runs", 0, "end_depot_id", to="nowhere"),
        "plan_file.unknown_id",
        "plan.runs[0].end_depot_id",
    ),
    (
        changed("plan", "runs", 1, "vehicle_id", to="nobody"),
        "plan_file.unknown_id",
        "plan.runs[1].vehicle_id",
    ),
    (
        changed("plan", "unserved", 0, "stop_id", to="nowhere"),
        "plan_file.unknown_id",
        "plan.unserved[0].stop_id",
    ),
    (
        changed("request", "travel", 0, "shape", to=[4, 4]),
        "plan_file.matrix_damaged",
        "request.travel[0]",
    ),
    (
        changed("request", "travel", 0, "travel_s", to=ONE_CELL),
        "plan_file.matrix_damaged",
        "request.travel[0]",
    ),
    (
        changed("request", "travel", 0, "travel_s", to="не base64"),
        "plan_file.matrix_damaged",
        "request.travel[0]",
    ),
    (
        changed("request", "travel", 0, "travel_m", to="AAAA"),
        "plan_file.matrix_damaged",
        "request.travel[0]",
    ),
]


@pytest.mark.parametrize(("damage", "code", "place"), DAMAGES)
def test_a_damaged_file_says_where(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], code: str, place: str
) -> None:
    """The file, the place and what does not fit are named."""
    file = tmp_path / "plan.json"
    write_plan(file, make_request(), make_plan())
    found = json.loads(file.read_text(encoding="utf-8"))
    damage(found)
    file.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_plan(file)
    assert refused.value.code == code
    assert refused.value.facts["file"] == "plan.json"
    assert refused.value.facts.get("place", "") == place


def test_a_matrix_that_swells_is_stopped(tmp_path: Path) -> None:
    """Cells that unpack to far more than the shape says are refused, not unpacked."""
    file = tmp_path / "plan.json"
    write_plan(file, make_request(), make_plan())
    found = json.loads(file.read_text(encoding="utf-8"))
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    found["request"]["travel"][0]["travel_s"] = bomb
    file.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(InputError, match=r"plan_file\.matrix_damaged"):
        read_plan(file)


@pytest.mark.parametrize("size", [1, 500, 5000])
def test_a_truncated_file_says_where_it_breaks(tmp_path: Path, size: int) -> None:
    """A file cut short names line and column."""
    file = tmp_path / "plan.json"
    write_plan(file, make_request(), make_plan())
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(InputError) as refused:
        read_plan(file)
    assert refused.value.code == "plan_file.not_json"
    assert int(str(refused.value.facts["line"])) >= 1


def test_other_files_are_refused(tmp_path: Path) -> None:
    """No file, a folder, an empty file, a picture, another JSON."""
    with pytest.raises(InputError, match=r"feeds\.file\.missing"):
        read_plan(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"feeds\.file\.is_folder"):
        read_plan(tmp_path)
    empty = tmp_path / "empty.json"
    empty.touch()
    with pytest.raises(InputError, match=r"feeds\.file\.empty"):
        read_plan(empty)
    picture = tmp_path / "plan.png"
    picture.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match=r"plan_file\.not_json"):
        read_plan(picture)
    other = tmp_path / "other.json"
    other.write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(InputError, match=r"plan_file\.not_a_plan"):
        read_plan(other)
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"plan_file\.not_json"):
        read_plan(deep)
