"""Limits on weeks: what a crew is promised to do on other dates leaves less for a breakdown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.services.breakdown_asked import Move
from api.services.weeks_used import weeks_used
from data.db.engine import reading
from data.model.calendar import HOUR_S
from data.model.errors import RequestError
from data.model.fleet import VehicleId
from data.model.plan import Plan, PlanRequest
from tests.api.days.yard import (
    FIRST,
    SECOND,
    THIRD,
    TUESDAY,
    Yard,
    decided_of,
    laid_out,
    yard_request,
)
from tests.api.publication.office import REGION
from tests.databases import migrated

ALONE = frozenset({VehicleId(THIRD)})


def rounds() -> Plan:
    """The first vehicle goes on Tuesday; the third makes the other round on Wednesday."""
    return laid_out(yard_request(), {FIRST: (FIRST, 1), SECOND: (THIRD, 2)})


def limited(**limits: Any) -> PlanRequest:
    request = yard_request()
    rules = {i: replace(r, **limits) for i, r in request.crew_rules.items()}
    return replace(request, crew_rules=rules)


@contextmanager
def yard_of(folder: Path, request: PlanRequest) -> Iterator[Yard]:
    folder.mkdir()
    with migrated(f"sqlite:///{folder / 'yard.sqlite'}") as engine:
        yield Yard(engine, request, rounds())


def test_the_week_is_counted_as_it_is_promised(tmp_path: Path) -> None:
    """Driving and work of Wednesday's run as planned; less of both once visits are cancelled."""
    request = limited(week_work_max_s=40 * HOUR_S)
    (run,) = [r for r in rounds().runs if r.vehicle_id == THIRD]
    with yard_of(tmp_path / "a", request) as yard:
        with reading(yard.engine) as session:
            used = weeks_used(session, REGION, request, TUESDAY)
        third = used[VehicleId(THIRD)]
        assert (third.drive_s, third.work_s) == (run.drive_s, run.work_s)
        assert VehicleId(FIRST) not in used, "the date itself is not among the others"
        wednesday = TUESDAY + timedelta(days=1)
        coming = yard.visits(from_date=wednesday, until_date=wednesday)
        yard.cancel("visit", visit_id=max(coming, key=lambda v: v.start_s).visit_id)
        with reading(yard.engine) as session:
            less = weeks_used(session, REGION, request, TUESDAY)[VehicleId(THIRD)]
            assert weeks_used(session, REGION, limited(), TUESDAY) == {}, "nothing limits a week"
        assert less.drive_s < third.drive_s
        assert 0 < less.work_s < third.work_s - HOUR_S / 2


def test_the_weeks_around_count_for_two(tmp_path: Path) -> None:
    """A fortnight's limit looks at the week before and the week after."""
    request = limited(drive_two_week_max_s=90 * HOUR_S)
    (run,) = [r for r in rounds().runs if r.vehicle_id == THIRD]
    with yard_of(tmp_path / "a", request) as yard, reading(yard.engine) as session:
        other_week = weeks_used(session, REGION, request, TUESDAY + timedelta(days=7))
    third = other_week[VehicleId(THIRD)]
    assert (third.drive_s, third.near_drive_s) == (0, run.drive_s)


def test_a_hand_over_that_breaks_the_week_is_neither_shown_nor_done(tmp_path: Path) -> None:
    """With an hour of the week left nothing is proposed; what a page sends is refused by rule."""
    (run,) = [r for r in rounds().runs if r.vehicle_id == THIRD]
    with yard_of(tmp_path / "free", limited(week_work_max_s=60 * HOUR_S)) as free:
        shown = free.breakdown(helpers=ALONE, with_other_days=False)
        wanted = {r.visit.stop_id: r.after for r in shown.handed_over}
        assert len(wanted) >= 2
        free.decide(shown)
    with yard_of(tmp_path / "full", limited(week_work_max_s=run.work_s + HOUR_S)) as full:
        shown = full.breakdown(helpers=ALONE, with_other_days=False)
        assert shown.handed_over == ()
        moves = tuple(
            Move(visit_id=r.visit.visit_id, vehicle_id=VehicleId(THIRD), start_s=after.start_s)
            for r in shown.rows
            if (after := wanted.get(r.visit.stop_id)) is not None
        )
        before = full.visits()
        with pytest.raises(RequestError, match=r"breakdown\.impossible") as refused:
            full.decide_with(shown, replace(decided_of(shown), moves=moves))
        problems: Any = refused.value.facts["problems"]
        assert "rule.week_work" in {p.code for p in problems}
        assert full.visits() == before
