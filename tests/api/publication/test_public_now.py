"""Where the bookmobile is now, as residents read it: by GPS, or by the timetable and saying so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from api.services.public import read_published
from api.services.public_now import NowViews, OnTheRoad, Place, read_road
from api.services.public_views import PublicViews
from api.web.public_links import ServedLinks
from api.words import Words
from data.db import live_store
from data.db.engine import reading, writing
from data.model.cancellation import CancelReason
from data.model.live import ActualState, DayEnds, LiveEta, Phase, StopActual, VehicleNow
from data.model.place import StopId
from data.model.publication import PromisedVisit
from data.model.telemetry import DeviceId, Fix
from tests.api.publication.office import REGION, VEHICLE_ID, Office

DAY = date(2026, 12, 1)
NOON = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
"""Twelve by the region's clocks: Kalinovka (10:00–11:30) is over, Kaluzhskoe opens at 14:00."""
KALINOVKA, KALUZHSKOE = StopId("kalinovka"), StopId("kaluzhskoe")


@pytest.fixture
def published(office: Office) -> Office:
    """Eight weeks are published; it is noon of the first day."""
    office.publish()
    office.now = NOON
    return office


def views(office: Office, road: OnTheRoad | None = None, language: str = "en") -> NowViews:
    """What pages are made from, of what is stored or of what is given."""
    with reading(office.engine) as session:
        told = read_published(session, REGION)
        found = road or read_road(session, REGION, at=office.now, today=office.now.date())
    links = ServedLinks(region_id=REGION, public_url="")
    public = PublicViews(told.timetable, told.now(office.now), Words(language), links)
    return NowViews(public, found)


def eta(visit: PromisedVisit, opening: datetime, *, delay_min: int = 0) -> LiveEta:
    """A forecast of a stop, ten minutes before its doors open."""
    arrival = opening - timedelta(minutes=10)
    return LiveEta(
        visit_id=visit.visit_id, arrival_at=arrival, low_at=arrival - timedelta(minutes=4),
        high_at=arrival + timedelta(minutes=9), opening_at=opening,
        departure_at=opening + timedelta(hours=1), delay_s=60 * delay_min, is_measured=True,
    )  # fmt: skip


def vehicle(office: Office, *etas: LiveEta, age_min: float = 1.0, **told: object) -> VehicleNow:
    """The vehicle on its way to Kaluzhskoe, with a position of so many minutes ago."""
    at = office.now - timedelta(minutes=age_min)
    now = VehicleNow(
        region_id=REGION,
        vehicle_id=VEHICLE_ID,
        service_date=DAY,
        fix=Fix(device_id=DeviceId("bus"), fix_at=at, lon=21.85123, lat=54.80477, speed_mps=11.0),
        phase=Phase.DRIVING,
        next_visit_id=office.visit(KALUZHSKOE, DAY).visit_id,
        delay_s=0,
        etas=etas,
        at=office.now,
    )
    return replace(now, **told)  # type: ignore[arg-type]


def actual(office: Office, stop_id: StopId, state: ActualState) -> StopActual:
    """What became of a visit of the day."""
    visit = office.visit(stop_id, DAY)
    is_over = state is not ActualState.TO_COME
    return StopActual(
        key=visit.visit_id, region_id=REGION, vehicle_id=VEHICLE_ID, service_date=DAY,
        visit_id=visit.visit_id, stop_id=stop_id, lon=21.8, lat=54.8, position=visit.position,
        state=state,
        actual_from_at=NOON - timedelta(minutes=118) if is_over else None,
        actual_until_at=NOON - timedelta(minutes=27) if is_over else None,
    )  # fmt: skip


def road(office: Office, now: VehicleNow, *actuals: StopActual) -> OnTheRoad:
    return OnTheRoad.of([now], actuals, office.now)


def test_without_a_position_the_timetable_speaks_and_says_so(published: Office) -> None:
    """A vehicle that nothing tells of is where its timetable has it, and the page says so."""
    view = views(published).vehicle(VEHICLE_ID)
    assert view is not None
    assert not view.is_measured
    assert view.doing == "By the timetable on the way to Калужское"
    assert [s.place for s in view.stops] == [Place.PASSED, Place.NEXT]
    waited = views(published).visit(KALUZHSKOE)
    assert waited is not None
    assert waited.headline == "By the timetable it opens at 14:00"
    assert waited.detail == ""


def test_a_measured_delay_is_told_with_its_range(published: Office) -> None:
    """Whoever waits reads when it opens instead of when, and between what times it arrives."""
    late = eta(published.visit(KALUZHSKOE, DAY), NOON + timedelta(minutes=135), delay_min=15)
    held = actual(published, KALINOVKA, ActualState.KEPT)
    found = views(published, road(published, vehicle(published, late), held), "ru")
    waited = found.visit(KALUZHSKOE)
    assert waited is not None
    assert waited.now.is_measured
    assert waited.now.age == "отметка 1 минуту назад"
    assert waited.now.doing == "Едет на стоянку «Калужское»"
    assert waited.headline == "Опаздывает: начало около 14:15 вместо 14:00"
    assert waited.detail == "Прибудет примерно в 14:05, между 14:01 и 14:14"
    assert waited.num_before == 0
    assert [s.told for s in waited.now.stops] == [
        "был 10:02–11:33",
        "приедет примерно в 14:05 (14:01–14:14)",
    ]
    assert found.visit(KALINOVKA) is None, "it is over"


def test_coming_early_is_in_time(published: Office) -> None:
    """The doors open at the published time, however early the vehicle is there."""
    early = eta(published.visit(KALUZHSKOE, DAY), NOON + timedelta(hours=2))
    waited = views(published, road(published, vehicle(published, early))).visit(KALUZHSKOE)
    assert waited is not None
    assert waited.headline == "Comes in time: opens at 14:00"


def test_an_old_position_is_not_believed(published: Office) -> None:
    """A quarter of an hour after the last position of a driving vehicle the timetable speaks."""
    early = eta(published.visit(KALUZHSKOE, DAY), NOON + timedelta(hours=2))
    for age_min, is_measured in ((14, True), (16, False)):
        told = road(published, vehicle(published, early, age_min=age_min))
        view = views(published, told).vehicle(VEHICLE_ID)
        assert view is not None
        assert view.is_measured is is_measured


def test_a_phone_that_fell_silent_at_a_stop_still_tells_where_it_is(published: Office) -> None:
    """A parked phone sends seldom: the vehicle stands where it stood, until it counts as silent."""
    here = published.visit(KALUZHSKOE, DAY).visit_id
    stands = vehicle(
        published, age_min=40, phase=Phase.STANDING, here_visit_id=here, next_visit_id=None
    )
    view = views(published, road(published, stands)).vehicle(VEHICLE_ID)
    assert view is not None
    assert view.is_measured
    assert view.stop(here) is not None
    assert view.stops[-1].place is Place.HERE
    silent = views(published, road(published, replace(stands, is_silent=True))).vehicle(VEHICLE_ID)
    assert silent is not None
    assert not silent.is_measured


def test_a_vehicle_that_stays_longer_is_still_here(published: Office) -> None:
    """After the printed end the page says that it is there still, not that it is gone."""
    here = published.visit(KALUZHSKOE, DAY).visit_id
    published.now = NOON + timedelta(hours=3, minutes=5)
    stands = vehicle(published, phase=Phase.STANDING, here_visit_id=here, next_visit_id=None)
    waited = views(published, road(published, stands)).visit(KALUZHSKOE)
    assert waited is not None
    assert waited.headline == "It is still here, though its time was over at 15:00"


def test_yesterdays_state_tells_nothing_of_today(published: Office) -> None:
    """What was known of another service date is not shown as today's."""
    old = vehicle(published, service_date=DAY - timedelta(days=1))
    view = views(published, road(published, old)).vehicle(VEHICLE_ID)
    assert view is not None
    assert not view.is_measured


def test_a_cancelled_stop_is_not_waited_for(published: Office) -> None:
    """It stays in the list of the day, crossed out; its own page has no forecast."""
    visit = published.visit(KALUZHSKOE, DAY)
    published.cancel("visit", CancelReason.ROAD, visit_id=visit.visit_id)
    found = views(published)
    assert found.visit(KALUZHSKOE) is None
    view = found.vehicle(VEHICLE_ID)
    assert view is not None
    assert view.stops[-1].place is Place.CANCELLED


def test_on_days_without_a_run_nothing_is_told(published: Office) -> None:
    """No visit today: no vehicle, no forecast."""
    published.now = NOON + timedelta(days=1)
    assert views(published).vehicles() == ()
    assert views(published).visit(KALUZHSKOE) is None


def test_what_is_stored_is_read(published: Office) -> None:
    """The follower's rows are what the page tells."""
    early = eta(published.visit(KALUZHSKOE, DAY), NOON + timedelta(hours=2))
    held = actual(published, KALINOVKA, ActualState.LATE)
    ends = DayEnds(region_id=REGION, vehicle_id=VEHICLE_ID, service_date=DAY)
    with writing(published.engine) as session:
        live_store.put_vehicles(session, [vehicle(published, early)])
        live_store.put_day(session, ends, [held])
    view = views(published).vehicle(VEHICLE_ID)
    assert view is not None
    assert view.is_measured
    assert [s.place for s in view.stops] == [Place.PASSED, Place.NEXT]


class Counted(tuple[PromisedVisit, ...]):
    """Visits that tell how often somebody went through all of them."""

    num_walks = 0

    def __iter__(self) -> Iterator[PromisedVisit]:
        Counted.num_walks += 1
        return super().__iter__()


def test_the_past_is_not_gone_through_at_each_asking(published: Office) -> None:
    """Whoever asks where the vehicles are pays for today's visits, not for those of all years."""
    with reading(published.engine) as session:
        told = read_published(session, REGION).timetable
    timetable = replace(told, visits=Counted(told.visits))
    links = ServedLinks(region_id=REGION, public_url="")
    public = PublicViews(timetable, (DAY, 12 * 3600), Words("en"), links)
    assert timetable.visits_on[DAY]
    Counted.num_walks = 0
    now = NowViews(public, OnTheRoad.of([], [], published.now))
    assert [v.vehicle_id for v in now.vehicles()] == [VEHICLE_ID]
    assert now.visit(KALUZHSKOE) is not None
    assert Counted.num_walks == 0
