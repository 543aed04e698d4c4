"""Publishing a plan: shown before, guarded, one transaction, told to those concerned."""

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from data.db.engine import reading
from data.db.publication_store import list_timetables
from data.db.tables.records import AuditRow, EventRow
from data.model.errors import BookmobileError, ConflictError, InputError, RequestError
from data.model.plan import Plan
from data.model.publication import VisitState
from data.model.timetable import visit_dates
from tests.api.publication.office import FIRST_DATE, LAST_DATE, NOW, REGION, Office
from tests.planner.examples import (
    FIRST,
    KALINOVKA,
    KALUZHSKOE,
    KAMENSKOE,
    clock_min,
    make_meal,
    make_plan,
    make_request,
    make_run,
    shifted,
)


def test_every_date_of_the_plan_is_promised(either: Office) -> None:
    """Eight weeks of the plan become visits on the dates that the timetable gives."""
    timetable = either.publish()
    assert (timetable.version, timetable.changes["added"]) == (1, len(either.visits()))
    for stop in (KALINOVKA, KALUZHSKOE, KAMENSKOE):
        dates = [v.opens_date for v in either.visits() if v.stop_id == stop.stop_id]
        known = visit_dates(make_request(), make_plan(), stop.stop_id, LAST_DATE)
        assert sorted(dates) == list(known)
    assert all(v.state is VisitState.PLANNED for v in either.visits())
    names = {p["stop_id"]: p["name"] for p in timetable.places["stops"]}
    assert names["kalinovka"] == "Калиновка"


def test_the_same_plan_again_changes_nothing(either: Office) -> None:
    """A second version keeps every visit as it is, its id and its sequence."""
    either.publish()
    before = either.visits()
    again = either.publish()
    assert again.version == 2
    assert {k: n for k, n in again.changes.items() if n} == {"kept": len(before)}
    assert either.visits() == before
    assert either.notices() == ()


def test_a_moved_clock_time_is_shown_before_and_told_after(office: Office) -> None:
    """Kaluzhskoe half an hour later: shown by stop, ids kept, readers of that stop told."""
    office.publish()
    before = office.visits()
    office.add_plan("plan-2", make_request(), later_plan())
    found = office.preview("plan-2")
    (stop,) = found.stops
    (line,) = stop.lines
    assert (stop.stop_id, stop.num_changed) == ("kaluzhskoe", len(line.dates))
    assert line.before is not None
    assert line.after is not None
    assert (line.before[1], line.after[1]) == (14 * 3600, 14.5 * 3600)
    assert found.is_possible
    office.publish("plan-2", expect=found.revision)
    assert {v.visit_id for v in office.visits()} == {v.visit_id for v in before}
    moved = [v for v in office.visits() if v.stop_id == "kaluzhskoe"]
    assert {v.sequence for v in moved} == {1}
    (notice,) = office.notices()
    assert (notice.stop_id, notice.code) == ("kaluzhskoe", "notice.moved")
    assert notice.facts == {
        "old_date": "2026-12-01", "old_start_s": 50400,
        "new_date": "2026-12-01", "new_start_s": 52200, "count": 2,
    }  # fmt: skip


def later_plan(minutes: int = 30) -> Plan:
    request = make_request()
    _, second = make_plan().runs
    visits = [(KALINOVKA, clock_min("10:00")), (KALUZHSKOE, clock_min("14:00") + minutes)]
    run = make_run(request, FIRST, 1, visits, make_meal("11:35", "12:50"))
    return replace(make_plan(), runs=(run, second), provenance=None)


def test_more_changes_than_the_cap_are_refused_with_their_list(office: Office) -> None:
    """Four times would move and three may: nothing is stored, each is named."""
    office.publish()
    before = office.visits()
    office.add_plan("plan-2", make_request(), later_plan())
    with pytest.raises(RequestError) as refused:
        office.publish("plan-2", max_changes=3)
    assert refused.value.code == "publish.over_cap"
    assert (refused.value.facts["found"], refused.value.facts["limit"]) == (4, 3)
    problems = refused.value.facts["problems"]
    assert [p.facts["old_date"] for p in problems] == [  # type: ignore[attr-defined]
        "2026-12-01", "2026-12-15", "2026-12-29", "2027-01-12",
    ]  # fmt: skip
    assert office.visits() == before
    assert office.publish("plan-2", max_changes=4).version == 2


def test_a_plan_that_breaks_a_rule_is_not_published(office: Office) -> None:
    """The vehicle would be out on its day off; the rule is named."""
    request = make_request()
    first, second = make_plan().runs
    broken = replace(make_plan(), runs=(shifted(first, -4 * 3600), second))
    office.add_plan("plan-2", request, broken)
    with pytest.raises(RequestError) as refused:
        office.publish("plan-2")
    assert refused.value.code == "publish.broken_rules"
    assert refused.value.facts["problems"]
    assert office.visits() == ()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from_date": date(2026, 11, 25)}, "publish.past"),
        ({"until_date": date(2026, 11, 29)}, "publish.ends_before"),
        ({"until_date": FIRST_DATE + timedelta(days=400)}, "publish.too_long"),
        ({"from_date": date(2026, 11, 26), "until_date": date(2026, 11, 29)}, "publish.nothing"),
        ({"note": "x" * 1001}, "publish.note_long"),
    ],
)
def test_bad_dates_are_refused(office: Office, asked: dict[str, Any], code: str) -> None:
    """The past, an end before the start, more than a year, days without a visit."""
    with pytest.raises(InputError) as refused:
        office.publish(**asked)
    assert refused.value.code == code
    assert office.visits() == ()


def test_without_dates_half_a_year_from_the_plans_start(office: Office) -> None:
    """The first service date of the plan lies ahead; 26 weeks are promised."""
    found = office.preview(from_date=None, until_date=None)
    assert (found.from_date, found.until_date) == (FIRST_DATE, FIRST_DATE + timedelta(days=182))
    office.now = NOW + timedelta(days=30)
    assert office.preview(from_date=None, until_date=None).from_date == date(2026, 12, 27)


def test_the_past_is_never_changed(office: Office) -> None:
    """In the third week an other plan holds from then on alone."""
    office.publish()
    office.now = NOW + timedelta(days=15)
    office.add_plan("plan-2", make_request(), later_plan())
    before = {v.visit_id: v for v in office.visits()}
    office.publish("plan-2", from_date=date(2026, 12, 14))
    for visit in office.visits():
        if visit.service_date < date(2026, 12, 14):
            assert visit == before[visit.visit_id]
    assert office.visit("kaluzhskoe", date(2026, 12, 15)).opens_s == 52200


def test_a_stale_preview_is_refused(office: Office) -> None:
    """Whoever publishes from an old preview gets the conflict and the present version."""
    found = office.preview()
    office.publish(expect=found.revision)
    with pytest.raises(ConflictError) as refused:
        office.publish(expect=found.revision)
    assert refused.value.code == "request.stale"
    assert refused.value.facts["current"] == {"revision": 1, "version": 1}


def test_of_two_at_once_one_wins(either: Office) -> None:
    """Two dispatchers publish what they both previewed: one version, one conflict."""
    revision = either.preview().revision
    together = threading.Barrier(2)
    ended: list[str] = []

    def publish() -> None:
        together.wait()
        try:
            either.publish(expect=revision)
            ended.append("published")
        except BookmobileError as error:
            ended.append(error.code)

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["published", "request.stale"]
    with reading(either.engine) as session:
        assert len(list_timetables(session, REGION)) == 1
    ids = [(v.stop_id, v.service_date) for v in either.visits()]
    assert len(set(ids)) == len(ids)


def test_a_publication_is_noted_and_told(office: Office) -> None:
    """The audit log and open pages learn of it, in the same transaction."""
    office.publish(note="Зимний график")
    with reading(office.engine) as session:
        (entry,) = session.exec(select(AuditRow)).all()
        (event,) = session.exec(select(EventRow)).all()
        (timetable,) = list_timetables(session, REGION)
    assert (entry.action, entry.region_id) == ("timetable.publish", REGION)
    assert (entry.facts["version"], entry.facts["added"]) == (1, timetable.changes["added"])
    assert (event.topic, event.facts) == ("timetable", {"version": 1})
    assert (timetable.note, timetable.published_at) == ("Зимний график", NOW)
